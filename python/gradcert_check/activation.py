"""Activations by ball arithmetic: values, derivatives, and suprema over what pre-activations can reach."""

import math
import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from flint import arb, arb_series

from .errors import BadInput
from .suprema import over_the_line


def _s(t):
    """The logistic function without cancellation."""
    return 1 / (1 + (-t).exp())


def _bell(t):
    """s (1 - s) = 1 / (4 cosh^2(t/2))."""
    return (t / 2).sech() ** 2 / 4


def _log_cosh_form(t):
    """log(1 + e^t)."""
    return t.exp().log1p() if t < 0 else t + (-t).exp().log1p()


def _normal(t):
    return (-t * t / 2).exp() / (2 * arb.pi()).sqrt()


def _distribution(t):
    return (-t / arb(2).sqrt()).erfc() / 2


class Activation:
    """name; smooth: has derivatives of all orders; zero: sigma(0) = 0; rising: sigma' > 0; floor: a positive
    lower bound of sigma' or None; convex: sigma' non-decreasing, convex on the negative axis, and
    sigma'(t) >= sigma'(-|t|); flat: sigma''(0) = 0; breaks[k]: points between which
    |sigma^(k)| is monotone, k = 1, 2."""

    smooth, zero, rising, floor, convex, flat = True, True, True, None, False, False
    breaks = {1: (), 2: ()}

    def __init__(self, name):
        self.name = name
        self._sets = {}

    def derivative(self, k, t):
        return self.low(k, t) if k <= 2 else self.high(k, t)

    def high(self, k, t):
        """k! times the k-th Taylor coefficient."""
        series = self.series(arb_series([t, 1], k + 1))
        return series[k] * math.factorial(k)

    @lru_cache(maxsize=None)
    def line_supremum(self, k):
        """Upper bound of |sigma^(k)| on the whole line, 2 <= k <= 6."""
        return over_the_line(self, k)

    def supremum(self, k, sorted_z, r):
        """Upper bound of |sigma^(k)| on the union of [z - r, z + r]; the sorted z carry one rounding."""
        key = (k, r, sorted_z[0], sorted_z[-1], len(sorted_z)) if len(sorted_z) <= 2 else None
        if key in self._sets and key is not None:
            return self._sets[key]
        best = arb(0)
        for t in self._candidates(k, sorted_z, r):
            value = abs(self.low(k, t))
            best = best.max(value)
        if key is not None and len(self._sets) < 100000:
            self._sets[key] = best
        return best

    def _candidates(self, k, z, r):
        """In each monotone piece the extreme reachable points; the points between pieces where reachable."""
        points = self.breaks_at(k)
        edges = [-math.inf] + [float(p.mid()) for p in points] + [math.inf]
        for low, high in zip(edges, edges[1:]):
            first = bisect_left(z, _down(low - r, low, r))
            last = bisect_right(z, _up(high + r, high, r)) - 1
            if first > last:
                continue
            for edge, t in ((low, _down(z[first] - r, z[first], r)), (high, _up(z[last] + r, z[last], r))):
                if edge == low and t > low or edge == high and t < high:
                    yield arb(t)
                else:
                    yield points[edges.index(edge) - 1]

    @lru_cache(maxsize=None)
    def breaks_at(self, k):
        return [arb(p) if not callable(p) else p() for p in self.breaks[k]]


def _down(x, a, b):
    """Below the exact a +- b, of which x is the rounded sum, where a itself carries a rounding."""
    return x if math.isinf(x) else x - 4e-16 * (abs(a) + abs(b)) - 1e-300


def _up(x, a, b):
    return x if math.isinf(x) else x + 4e-16 * (abs(a) + abs(b)) + 1e-300


def _pm(f):
    """-p, 0, p for a positive p."""
    return (lambda: -f(), arb(0), f)


class SmoothLeakyRelu(Activation):
    """c t + (1 - c)(log(1 + e^t) - log 2); shift: whether log 2 is taken away."""

    convex = True
    breaks = {1: (), 2: (arb(0),)}

    def __init__(self, name, c, shift=True):
        super().__init__(name)
        self.c, self.shift = arb(c), shift
        self.floor = self.c if c > 0 else None
        self.zero = shift

    def low(self, k, t):
        c = self.c
        if k == 0:
            return c * t + (1 - c) * (_log_cosh_form(t) - (arb.const_log2() if self.shift else 0))
        return c + (1 - c) * _s(t) if k == 1 else (1 - c) * _bell(t)

    def series(self, t):
        one = arb_series([1])
        return t * self.c + (one + t.exp()).log() * (1 - self.c)

    def tail(self, k, b):
        return (1 - self.c) * _logistic_tail(k - 1, b)


class Tanh(Activation):
    flat = True
    breaks = {1: (arb(0),), 2: _pm(lambda: (1 / arb(3).sqrt()).atanh())}

    def low(self, k, t):
        if k == 0:
            return t.tanh()
        square = t.sech() ** 2
        return square if k == 1 else -2 * t.tanh() * square

    def series(self, t):
        e = (t * -2).exp()
        return (arb_series([1]) - e) / (arb_series([1]) + e)

    def tail(self, k, b):
        e = (-2 * (b - arb(1) / 2)).exp()
        return math.factorial(k - 1) * 2 ** (k - 1) * 4 * e / (1 - e) ** 2


class Logistic(Activation):
    flat = True
    breaks = {1: (arb(0),), 2: _pm(lambda: 2 * (1 / arb(3).sqrt()).atanh())}

    def __init__(self, name, shift=True):
        super().__init__(name)
        self.shift = self.zero = shift

    def low(self, k, t):
        if k == 0:
            return (t / 2).tanh() / 2 if self.shift else _s(t)
        return _bell(t) if k == 1 else -(t / 2).tanh() * _bell(t)

    def series(self, t):
        return arb_series([1]) / (arb_series([1]) + (t * -1).exp())

    def tail(self, k, b):
        return _logistic_tail(k, b)


def _logistic_tail(k, b):
    """|s^(k)| beyond b, k >= 1: Cauchy's estimate of s' on discs of radius 1."""
    e = (-(b - 1)).exp()
    return math.factorial(k - 1) * e / (1 - e) ** 2


class Erf(Activation):
    flat = True
    breaks = {1: (arb(0),), 2: _pm(lambda: (arb(1) / 2).sqrt())}

    def low(self, k, t):
        if k == 0:
            return t.erf()
        slope = 2 / arb.pi().sqrt() * (-t * t).exp()
        return slope if k == 1 else -2 * t * slope

    def series(self, t):
        return t.erf()

    def tail(self, k, b):
        return math.factorial(k - 1) * 2 / arb.pi().sqrt() * (1 - (b - 1) ** 2).exp()


class Arctan(Activation):
    flat = True
    breaks = {1: (arb(0),), 2: _pm(lambda: 1 / arb(3).sqrt())}

    def low(self, k, t):
        if k == 0:
            return t.atan()
        slope = 1 / (1 + t * t)
        return slope if k == 1 else -2 * t * slope**2

    def series(self, t):
        return t.atan()

    def tail(self, k, b):
        return math.factorial(k - 1) * (1 + b * b) ** (-arb(k) / 2)


class Algebraic(Activation):
    flat = True
    breaks = {1: (arb(0),), 2: _pm(lambda: arb(1) / 2)}

    def low(self, k, t):
        root = (1 + t * t).rsqrt()
        return t * root if k == 0 else root**3 if k == 1 else -3 * t * root**5

    def series(self, t):
        return t * (arb_series([1]) + t * t).rsqrt()

    def tail(self, k, b):
        """Cauchy's estimate of (1 + z^2)^(-3/2) on discs of radius t/2."""
        return math.factorial(k - 1) * (2 / b) ** (k - 1) * (b * b / 4 - 1) ** (-arb(3) / 2)


class Softsign(Activation):
    """t / (1 + |t|); order 2 is the Lipschitz constant of the slope near t."""

    smooth, flat = False, False
    breaks = {1: (arb(0),), 2: (arb(0),)}

    def low(self, k, t):
        size = 1 + abs(t)
        return t / size if k == 0 else size**-2 if k == 1 else 2 * size**-3

    def high(self, k, t):
        raise BadInput("softsign has no third derivative")


class Identity(Activation):
    floor, convex, flat = arb(1), False, True

    def low(self, k, t):
        return t if k == 0 else arb(1) if k == 1 else arb(0)

    def high(self, k, t):
        return arb(0)

    @lru_cache(maxsize=None)
    def line_supremum(self, k):
        return arb(0)


def _root(f, low, high):
    """The enclosure of a root of f between doubles with certain, different signs there."""
    sign = f(arb(low)) > 0
    for _ in range(200):
        middle = (low + high) / 2
        value = f(arb(middle))
        if not low < middle < high or not (value > 0 or value < 0):
            break
        low, high = (middle, high) if (value > 0) == sign else (low, middle)
    return arb(low).union(arb(high))


class Silu(Activation):
    """t s(t)."""

    rising = False

    def low(self, k, t):
        s = _s(t)
        if k == 0:
            return t * s
        return s + t * _bell(t) if k == 1 else _bell(t) * (2 - t * (t / 2).tanh())

    def series(self, t):
        return t / (arb_series([1]) + (t * -1).exp())

    def tail(self, k, b):
        return b * _logistic_tail(k, b) + k * _logistic_tail(k - 1, b)

    @lru_cache(maxsize=None)
    def breaks_at(self, k):
        # sigma'' is even, 1/2 at 0, and changes its sign once on each side; sigma''' changes its sign at 0 and at +-t3.
        turn = _root(lambda t: self.low(2, t), 2.0, 3.0)
        if k == 1:
            return [-turn, _root(lambda t: self.low(1, t), -2.0, -1.0), turn]
        third = _root(lambda t: self.high(3, t), 3.0, 5.0)
        return [-third, -turn, arb(0), turn, third]


class Gelu(Activation):
    """t times the normal distribution function."""

    rising = False

    def low(self, k, t):
        if k == 0:
            return t * _distribution(t)
        return _distribution(t) + t * _normal(t) if k == 1 else _normal(t) * (2 - t * t)

    def series(self, t):
        return t * (arb_series([1]) + (t * arb(2).rsqrt()).erf()) * (arb(1) / 2)

    def tail(self, k, b):
        """sigma'' = (2 - t^2) phi on discs of radius 1."""
        return math.factorial(k - 2) * (2 + (b + 1) ** 2) * ((1 - (b - 1) ** 2) / 2).exp() / (2 * arb.pi()).sqrt()

    @lru_cache(maxsize=None)
    def breaks_at(self, k):
        turn = arb(2).sqrt()
        if k == 1:
            return [-turn, _root(lambda t: self.low(1, t), -1.0, -0.5), turn]
        return [arb(-2), -turn, arb(0), turn, arb(2)]


_SIMPLE = {
    "tanh": Tanh,
    "logistic": Logistic,
    "erf": Erf,
    "arctan": Arctan,
    "algebraic": Algebraic,
    "softsign": Softsign,
    "silu": Silu,
    "gelu": Gelu,
    "identity": Identity,
}


@lru_cache(maxsize=None)
def parse(name, audit):
    """The activation of a name; two of them in audits only."""
    if name in _SIMPLE:
        return _SIMPLE[name](name)
    if name == "softplus":
        return SmoothLeakyRelu(name, 0.0)
    if audit and name == "plain-softplus":
        return SmoothLeakyRelu(name, 0.0, shift=False)
    if audit and name == "sigmoid":
        return Logistic(name, shift=False)
    slope = re.fullmatch(r"smooth-leaky-relu:(\d*\.?\d+(?:[eE][+-]?\d+)?)", name)
    if slope and 0.0 < float(slope[1]) < 1.0:
        return SmoothLeakyRelu(name, float(slope[1]))
    raise BadInput(f"unknown activation {name[:80]!r}")
