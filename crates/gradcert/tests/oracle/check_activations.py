"""Checks the output of the example `activation_enclosures` against Arb.

cargo run --release -p gradcert --example activation_enclosures -- 100000 | python check_activations.py
`point` and `wide` enclosures must contain the value. `float`: the largest error is reported, relative to the value or to 1e-3
times the largest value of the derivative, and must be below 1e-13. Needs python-flint and numpy.
"""

import sys
import time
from math import factorial

import numpy as np
from flint import arb, ctx

PRECISIONS = (160, 1500, 6000)
C = 0.1


def logistic(t):
    if t < 0:
        e = t.exp()
        return e / (1 + e)
    return 1 / (1 + (-t).exp())


def logistics(t):
    """w = logistic', T = tanh(t/2); logistic'' = -w T, logistic''' = w (1 - 6 w)."""
    w = arb.sech(t / 2) ** 2 / 4
    h = (t / 2).tanh()
    return logistic(t), w, -w * h, w * (1 - 6 * w)


def softplus(t):
    value = t.exp().log1p() if t < 0 else t + (-t).exp().log1p()
    return (value - arb(2).log(), *logistics(t)[:3])


def leaky(t):
    c = arb(C)
    s = [(1 - c) * x for x in softplus(t)]
    return c * t + s[0], c + s[1], s[2], s[3]


def hyperbolic(t):
    s = arb.sech(t) ** 2
    return t.tanh(), s, -2 * t.tanh() * s, s * (4 - 6 * s)


def centred(t):
    return ((t / 2).tanh() / 2, *logistics(t)[1:])


def error_function(t):
    g = 2 / arb.pi().sqrt() * (-t * t).exp()
    return t.erf(), g, -2 * t * g, (4 * t * t - 2) * g


def arctan(t):
    r = 1 / (1 + t * t)
    return t.atan(), r, -2 * t * r**2, (6 * t * t - 2) * r**3


def algebraic(t):
    q = 1 / (1 + t * t).sqrt()
    return t * q, q**3, -3 * t * q**5, (12 * t * t - 3) * q**7


def silu(t):
    s, w, w1, w2 = logistics(t)
    return t * s, s + t * w, 2 * w + t * w1, 3 * w1 + t * w2


def gelu(t):
    cdf = (-t / arb(2).sqrt()).erfc() / 2
    density = (-t * t / 2).exp() / (2 * arb.pi()).sqrt()
    return t * cdf, cdf + t * density, density * (2 - t * t), density * (t**3 - 4 * t)


def softsign(t):
    r = 1 / (1 + abs(t))
    return t * r, r**2, (-2 if t > 0 else 2) * r**3


FUNCTIONS = {
    f"smooth-leaky-relu:{C}": leaky, "softplus": softplus, "tanh": hyperbolic, "logistic": centred, "erf": error_function,
    "arctan": arctan, "algebraic": algebraic, "silu": silu, "gelu": gelu, "softsign": softsign,
}


def strict_bounds(name, k, x):
    """Bounds the value obeys by definition: the ball of a saturated value rounds onto them and cannot decide."""
    if k == 0 and name in ("tanh", "logistic", "erf", "algebraic", "softsign"):
        limit = 0.5 if name == "logistic" else 1
        return -limit, limit
    if k == 1 and name in ("softplus", "smooth-leaky-relu:0.1"):
        return (0 if name == "softplus" else C), 1
    if name in ("silu", "gelu") and k == 0:
        return (None, x) if x > 0 else (None, 0)
    if name in ("silu", "gelu") and k == 1 and x > 10:
        return 1, None
    if name in ("silu", "gelu") and k == 1 and x < -3:
        return None, 0
    return None, None


def contains(name, k, x, lo, hi):
    if not np.isfinite([lo, hi]).any():
        return True
    least, greatest = strict_bounds(name, k, x)
    for precision in PRECISIONS:
        ctx.prec = precision
        value = FUNCTIONS[name](arb(x))[k]
        below = value >= lo or (least is not None and lo <= least)
        above = value <= hi or (greatest is not None and hi >= greatest)
        if below and above:
            return True
        if value < lo or value > hi:
            return False
    return None


def ordered(x):
    bits = x.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def main():
    stream = sys.stdin.buffer
    failures = 0
    while header := stream.readline():
        label, kind, count = header.decode().split()
        name, k = label.rsplit(":", 1)
        k = int(k)
        start = time.time()
        data = np.frombuffer(stream.read(24 * int(count)), dtype="<f8").reshape(-1, 3)
        if kind == "float":
            ctx.prec = 160
            errors, scale = [], 0.0
            values = [FUNCTIONS[name](arb(x))[k] for x in data[:, 0].tolist()]
            scale = 1.0 if k == 0 else max(abs(float(v)) for v in values)
            for value, computed in zip(values, data[:, 1].tolist()):
                magnitude = abs(float(value))
                errors.append(abs(float(value - computed)) / max(magnitude, 1e-3 * scale))
            worst = int(np.argmax(errors))
            print(f"{label:24} float  {len(data):8}: largest error {errors[worst]:.1e} at {float(data[worst, 0])!r}", flush=True)
            failures += errors[worst] > 1e-13
            continue
        outcomes = [contains(name, k, *row) for row in data.tolist()]
        wrong = [i for i, outcome in enumerate(outcomes) if outcome is False]
        undecided = [i for i, outcome in enumerate(outcomes) if outcome is None]
        line = f"{label:24} {kind:6} {len(data):8}: {len(wrong)} wrong, {len(undecided)} undecided"
        if kind == "point":
            lo, hi = data[:, 1].copy(), data[:, 2].copy()
            normal = np.isfinite(lo) & np.isfinite(hi) & (np.minimum(abs(lo), abs(hi)) > 1e-290)
            width = np.where(normal, ordered(hi) - ordered(lo), 0)
            line += f"; ulp: median {np.median(width[normal]):.0f}, 99 % {np.quantile(width[normal], 0.99):.0f}"
        print(f"{line}  ({time.time() - start:.0f} s)", flush=True)
        for i in (wrong + undecided)[:4]:
            print("   ", *map(repr, data[i].tolist()))
        failures += len(wrong) + len(undecided)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
