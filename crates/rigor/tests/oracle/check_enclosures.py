"""Checks the enclosures printed by the example `enclosures` against Arb.

cargo run --release -p gradcert-rigor --no-default-features --example enclosures -- 1000000 | python check_enclosures.py
Exits with 1 if one enclosure fails to contain the value. Needs python-flint and numpy.
"""

import sys
from pathlib import Path

import numpy as np
from flint import arb

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "tests" / "oracle"))
from arb_oracle import Tally, blocks, decide, ulps

PRECISIONS = (128, 600, 4000)


def softplus(x):
    return x.exp().log1p() if x < 0 else x + (-x).exp().log1p()


FUNCTIONS = {
    "exp": arb.exp,
    "expm1": arb.expm1,
    "ln": arb.log,
    "ln_1p": arb.log1p,
    "softplus": softplus,
    "logistic": lambda x: 1 / (1 + (-x).exp()) if x > 0 else x.exp() / (1 + x.exp()),
    "tanh": arb.tanh,
    "sech_squared": lambda x: arb.sech(x) ** 2,
    "gaussian": lambda x: (-(x * x)).exp(),
    "erf": arb.erf,
    "erfc": arb.erfc,
    "normal_cdf": lambda x: (-x / arb(2).sqrt()).erfc() / 2,
    "normal_density": lambda x: (-(x * x) / 2).exp() / (2 * arb.pi()).sqrt(),
    "atan": arb.atan,
    "sin": arb.sin,
    "cos": arb.cos,
    "power_1.5": lambda x: x ** arb(1.5),
    "power_-0.3": lambda x: x ** arb(-0.3),
    "power_17": lambda x: x**17,
    "power_-2.25": lambda x: x ** arb(-2.25),
    "base_10": lambda y: arb(10) ** y,
    "base_0.999": lambda y: arb(0.999) ** y,
}
POWERS = [name for name in FUNCTIONS if name.startswith(("power_", "base_"))]
# Bounds that the values obey by definition: Arb's ball may round onto them (tanh 1e9) and stay undecided.
RANGES = {
    "exp": (0, None), "expm1": (-1, None), "softplus": (0, None), "logistic": (0, 1), "tanh": (-1, 1),
    "sech_squared": (0, 1), "gaussian": (0, 1), "erf": (-1, 1), "erfc": (0, 2), "normal_cdf": (0, 1), "normal_density": (0, None),
    "sin": (-1, 1), "cos": (-1, 1), **dict.fromkeys(POWERS, (0, None)),
}
# The end of the domain, which is not checked itself.
DOMAIN = {"ln": 0.0, "ln_1p": -1.0, **{name: 0.0 for name in POWERS if name.startswith("power_")}}


def contains(name, x, lo, hi):
    if x <= DOMAIN.get(name, -np.inf):
        return True
    bounds = RANGES.get(name, (None, None))
    if name == "softplus" and x > 1000:
        # x < ln(1 + exp x) < x + exp(-x), and hi - x is at least a spacing of doubles
        return lo <= x < hi
    return decide(lambda: FUNCTIONS[name](arb(x)), lo, hi, bounds, PRECISIONS)


def widths(data):
    # sin and cos are only enclosed by [-1, 1] beyond 2^21
    finite = np.isfinite(data).all(axis=1) & (data[:, 2] - data[:, 1] < 1.9)
    width = np.where(finite, ulps(data[:, 1], data[:, 2]), 0)
    widest = int(width.argmax())
    return f"; width in ulp: mean {width[finite].mean():.3f}, largest {width[widest]} at {float(data[widest, 0])!r}"


def main():
    tally = Tally()
    for name, kind, data in blocks(sys.stdin.buffer):
        note = (lambda: widths(data)) if kind == "point" else (lambda: "")
        tally.check(name, kind, data, lambda x, lo, hi: contains(name, x, lo, hi), note)
    tally.finish()


if __name__ == "__main__":
    main()
