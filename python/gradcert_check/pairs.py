"""Bounds c.(s_1, ..., s_L) + q for every split of the radius among the layers, |(s_1, .., s_L)| <= s (T9+, 1)."""

from flint import arb

from .linear import length, root


class Pair:
    """c: coefficients of the layers 1..L (entry 0 is layer 1); q: remainder."""

    __slots__ = ("c", "q")

    def __init__(self, c, q):
        self.c, self.q = c, q

    def value(self, s):
        return length(self.c) * s + self.q

    def scaled(self, factor):
        return Pair([factor * x for x in self.c], factor * self.q)

    def plus(self, other):
        return Pair([a + b for a, b in zip(self.c, other.c)], self.q + other.q)

    def plus_unit(self, layer, coefficient):
        """The term s_layer times a number."""
        c = list(self.c)
        c[layer - 1] = c[layer - 1] + coefficient
        return Pair(c, self.q)

    def times_move(self, layer, s):
        """s_layer (c.s_vec + q) <= s^2 (c_l + |c|)/2 + s q, all in the remainder."""
        return s * s * (self.c[layer - 1] + length(self.c)) / 2 + s * self.q


def zero(layers):
    return Pair([arb(0)] * layers, arb(0))


def largest(pairs):
    """A bound of all pairs: entrywise maxima."""
    first, *rest = pairs
    c, q = list(first.c), first.q
    for pair in rest:
        c = [a.max(b) for a, b in zip(c, pair.c)]
        q = q.max(pair.q)
    return Pair(c, q)


def norm(pairs, weights):
    """The weighted 2-norm over samples, entrywise."""
    layers = len(pairs[0].c)
    c = [root(sum((m * p.c[k] ** 2 for p, m in zip(pairs, weights)), arb(0))) for k in range(layers)]
    return Pair(c, root(sum((m * p.q**2 for p, m in zip(pairs, weights)), arb(0))))


def smaller(a, b, s):
    """One of two pairs, whole."""
    return a if float(a.value(s).mid()) <= float(b.value(s).mid()) else b
