"""Suprema of derivatives over the line: boxes are split until Taylor's formula leaves nothing to be gained."""

import heapq

from flint import arb

_REACH = 40
_GAIN = arb(1e-11)


def _box_bound(f, k, low, high):
    """|f^(k)| on [low, high]: value and slope in the middle, curvature by enclosure."""
    middle = arb((low + high) / 2)
    half = (arb(high) - arb(low)) / 2
    box = arb(low).union(arb(high))
    crude = abs(f.derivative(k + 2, box)) if high - low < 0.5 else None
    value = abs(f.derivative(k, middle))
    if crude is None or not crude.is_finite():
        return value, arb("inf")
    bound = value + abs(f.derivative(k + 1, middle)) * half + crude * half**2 / 2
    return value, bound.upper()


def over_the_line(f, k):
    """Upper bound of sup |f^(k)|, within 1e-11 of it."""
    low, high = float(-_REACH), float(_REACH)
    value, bound = _box_bound(f, k, low, high)
    best, heap = value.lower(), [(-float(bound), low, high, bound)]
    while True:
        _, low, high, bound = heapq.heappop(heap)
        if bound <= best * (1 + _GAIN):
            break
        middle = (low + high) / 2
        for part in ((low, middle), (middle, high)):
            value, inner = _box_bound(f, k, *part)
            best = best.max(value.lower())
            heapq.heappush(heap, (-float(inner), *part, inner))
    return bound.max(best).max(f.tail(k, arb(_REACH)).upper()).upper()
