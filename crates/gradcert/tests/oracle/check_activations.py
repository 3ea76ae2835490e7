"""Checks the output of the example `activation_enclosures` against Arb.

cargo run --release -p gradcert --example activation_enclosures -- 100000 | python check_activations.py
`point`, `wide` and `all` enclosures must contain the value. `float`: the largest error is reported, relative to the value or to 1e-3
times the largest value of the derivative, and must be below 1e-13. `slice`: the largest error in units in the last place is
reported and must be at most 2 (gelu and the zero of the slope of silu apart).
Needs python-flint and numpy.
"""

import sys
from math import factorial
from pathlib import Path

import numpy as np
from flint import arb, arb_series, ctx

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "tests" / "oracle"))
from arb_oracle import Tally, blocks, decide, ulps

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


def plain_softplus(t):
    return (t.exp().log1p() if t < 0 else t + (-t).exp().log1p(), *logistics(t)[:3])


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
    "plain-softplus": plain_softplus, "sigmoid": logistics, "arctan": arctan, "algebraic": algebraic, "silu": silu,
    "gelu": gelu, "softsign": softsign,
}


def series_of_logistic(x):
    if x[0] < 0:
        return x.exp() / (1 + x.exp())
    return 1 / (1 + (-x).exp())


def series_of_softplus(x):
    return (1 + x.exp()).log() if x[0] < 0 else x + (1 + (-x).exp()).log()


# Orders above 3 (the constant terms are not used): from power series.
SERIES = {
    f"smooth-leaky-relu:{C}": lambda x: (1 - arb(C)) * series_of_softplus(x),
    "softplus": series_of_softplus, "plain-softplus": series_of_softplus,
    "tanh": lambda x: 2 * series_of_logistic(2 * x), "logistic": series_of_logistic, "sigmoid": series_of_logistic,
    "erf": lambda x: x.erf(), "arctan": lambda x: x.atan(), "algebraic": lambda x: x / (1 + x * x).sqrt(),
    "silu": lambda x: x * series_of_logistic(x), "gelu": lambda x: x * (x / arb(2).sqrt()).erf() / 2,
}


def value(name, k, t):
    """Order k at t."""
    if k <= 3:
        return FUNCTIONS[name](t)[k]
    return SERIES[name](arb_series([t, 1], k + 1))[k] * factorial(k)


def strict_bounds(name, k, x):
    """Bounds the value obeys by definition: the ball of a saturated value rounds onto them and cannot decide."""
    if k == 0 and name in ("tanh", "logistic", "erf", "algebraic", "softsign"):
        limit = 0.5 if name == "logistic" else 1
        return -limit, limit
    if k == 0 and name == "plain-softplus":
        return max(x, 0), None
    if k == 0 and name == "sigmoid":
        return 0, 1
    if k == 1 and name in ("softplus", "plain-softplus", "smooth-leaky-relu:0.1"):
        return (C if name.startswith("smooth") else 0), 1
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
    return decide(lambda: value(name, k, arb(x)), lo, hi, strict_bounds(name, k, x), PRECISIONS)


def widths(data):
    lo, hi = data[:, 1], data[:, 2]
    normal = np.isfinite(lo) & np.isfinite(hi) & (np.minimum(abs(lo), abs(hi)) > 1e-290)
    width = ulps(lo, hi)[normal]
    return f"; ulp: median {np.median(width):.0f}, 99 % {np.quantile(width, 0.99):.0f}"


def float_errors(label, name, k, data):
    """Prints the largest error of the plain floats; is it too large?"""
    ctx.prec = 160
    values = [FUNCTIONS[name](arb(x))[k] for x in data[:, 0].tolist()]
    scale = 1.0 if k == 0 else max(abs(float(v)) for v in values)
    errors = [abs(float(v - computed)) / max(abs(float(v)), 1e-3 * scale)
              for v, computed in zip(values, data[:, 1].tolist())]
    worst = int(np.argmax(errors))
    print(f"{label:24} float  {len(data):9}: largest error {errors[worst]:.1e} at {float(data[worst, 0])!r}", flush=True)
    return not errors[worst] <= 1e-13


FLUSHED = 1.1e-300


def exactly(f, precisions=PRECISIONS):
    """A value with at least 80 correct bits."""
    for ctx.prec in precisions:
        v = f()
        if v.rel_accuracy_bits() >= 80 or v == 0:
            break
    return v


def error_in_ulps(name, k, x, computed):
    v = exactly(lambda: FUNCTIONS[name](arb(x))[k])
    size = abs(float(v))
    if size < FLUSHED and abs(computed) < FLUSHED:
        return 0.0
    return abs(float((v - computed) / arb(float(np.spacing(size)))))


def slice_errors(label, name, k, data):
    """Prints the largest error of the slices in units in the last place; is it too large?"""
    errors = np.array([error_in_ulps(name, k, x, computed) for x, computed in data[:, :2].tolist()])
    worst = int(np.argmax(errors))
    exempt = (name, k) in (("silu", 1), ("gelu", 0), ("gelu", 1))
    print(f"{label:24} slice  {len(data):9}: largest error {errors[worst]:.2f} ulp at {float(data[worst, 0])!r}, "
          f"99.9 % below {np.quantile(errors, 0.999):.2f}{' (exempt)' if exempt else ''}", flush=True)
    return not exempt and not errors[worst] <= 2


def main():
    tally = Tally()
    for label, kind, data in blocks(sys.stdin.buffer):
        name, k = label.rsplit(":", 1)
        k = int(k)
        if kind == "float":
            tally.other_failures += float_errors(label, name, k, data)
        elif kind == "slice":
            tally.other_failures += slice_errors(label, name, k, data)
        else:
            note = (lambda: "") if kind == "wide" else (lambda: widths(data))
            tally.check(label, kind, data, lambda x, lo, hi: contains(name, k, x, lo, hi), note)
    tally.finish()


if __name__ == "__main__":
    main()
