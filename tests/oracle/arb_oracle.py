"""What the oracle scripts share: the records an example prints, and the decision whether a value lies in its enclosure.

A block is a line `label kind count` and `count` records of three little-endian doubles: a point and two ends. Needs
python-flint and numpy.
"""

import sys
import time

import numpy as np
from flint import ctx


def blocks(stream):
    """(label, kind, array of records) for each block."""
    while header := stream.readline():
        label, kind, count = header.decode().split()
        yield label, kind, np.frombuffer(stream.read(24 * int(count)), dtype="<f8").reshape(-1, 3)


def decide(value, lo, hi, bounds, precisions):
    """Does [lo, hi] contain `value()`, evaluated at growing precision? None: undecided.

    `bounds` are bounds (or None) that the value obeys by definition: the ball of a saturated value rounds onto them and
    never decides.
    """
    least, greatest = bounds
    below = lo == -np.inf or (least is not None and lo <= least)
    above = hi == np.inf or (greatest is not None and hi >= greatest)
    if below and above:
        return True
    for precision in precisions:
        ctx.prec = precision
        v = value()
        if (below or v >= lo) and (above or v <= hi):
            return True
        if v < lo or v > hi:
            return False
    return None


def ulps(lo, hi):
    """The number of doubles from lo to hi."""
    return ordered(hi) - ordered(lo)


def ordered(x):
    bits = x.copy().view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


class Tally:
    """Counts and prints what became of the enclosures."""

    def __init__(self):
        self.enclosures = self.wrong = self.undecided = self.other_failures = 0
        self.labels = set()

    def check(self, label, kind, data, contains, note=lambda: ""):
        """Applies `contains(x, lo, hi)` to each record, prints a line (with `note`) and the first failures."""
        start = time.time()
        outcomes = [contains(*record) for record in data.tolist()]
        wrong = [i for i, outcome in enumerate(outcomes) if outcome is False]
        undecided = [i for i, outcome in enumerate(outcomes) if outcome is None]
        print(f"{label:24} {kind:6} {len(data):9} enclosures: {len(wrong)} wrong, {len(undecided)} undecided{note()}"
              f"  ({time.time() - start:.0f} s)", flush=True)
        for i in (wrong + undecided)[:5]:
            print("   ", *map(repr, data[i].tolist()))
        self.enclosures += len(data)
        self.wrong += len(wrong)
        self.undecided += len(undecided)
        self.labels.add(label)

    def finish(self):
        """Prints the sum and exits: 1 if anything is wrong, undecided, or if there was nothing to check."""
        print(f"{self.enclosures} enclosures of {len(self.labels)} functions: {self.wrong} wrong, "
              f"{self.undecided} undecided")
        sys.exit(1 if self.wrong + self.undecided + self.other_failures or not self.enclosures else 0)
