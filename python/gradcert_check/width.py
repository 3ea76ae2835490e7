"""The claim ``width``: two layers of rectified linear units, the first one trained (T14)."""

import numpy as np
from flint import arb

from . import hashes, linear
from .errors import BadInput, require

MAX_STEPS, MAX_COUNTS = 10**7, 1 << 26


def check(item, samples, y, start):
    claim, (d, m, _) = item["claim"], _network(item)
    n = samples.shape[0]
    require(samples.shape[1] == d, "network.widths", f"the samples have {samples.shape[1]} coordinates")
    _shapes(claim, n)
    weights, signs = _start(item, start, m, d)
    x = linear.from_doubles(samples)
    gram = linear.rows_of(linear.gram(x))
    c = arb(2) * arb(claim["step_size"]) / n
    outputs = linear.rows_of(linear.from_doubles(weights) * x.transpose())
    _residual(claim, outputs, signs, y, m)
    sure, possible = _counts(outputs, gram, [arb(t) for t in claim["clocks"]], m)
    for j in range(len(claim["clocks"])):
        _kernel(claim, j, gram, sure[j], possible[j], c, m)
    _recursion(claim, c, n)
    last = arb(claim["clocks"][-1])
    reach = linear.norm(gram) * last / arb(m).sqrt()
    require(arb(claim["radius"]) >= reach, "radius", f"neurons may move by {float(reach):.6e}")
    require(arb(claim["smin"]) ** 2 <= arb(claim["decay"][-1]), "smin", "its square is above the last decay")


def _network(item):
    widths, metric, network = item["network"]["widths"], item["metric"], item["network"]
    if len(widths) != 3 or widths[-1] != 1 or network["activation"] != "relu" or network["inputs"] != "raw":
        raise BadInput("a width is about d, m, 1 units, relu, raw inputs")
    if metric["weights"] != [1.0, 0.0] or metric["biases"] != [0.0, 0.0]:
        raise BadInput("metric: of a width the first layer moves alone, without biases")
    return widths


def _shapes(claim, n):
    clocks, decay, spread = claim["clocks"], claim["decay"], claim["spread"]
    if not len(clocks) == len(decay) == len(spread) or len(clocks) * n * n > MAX_COUNTS:
        raise BadInput("clocks: as many decays and spreads, times samples^2 at most 2^26")
    if any(a >= b for a, b in zip(clocks, clocks[1:])) or any(a < b for a, b in zip(decay, decay[1:])):
        raise BadInput("clocks increase, decays do not")


def _start(item, start, m, d):
    """W (m x d) and the signs a."""
    if item["start"]["kind"] != "tensors" or start is None or set(start) != {"w", "a"}:
        raise BadInput("a width speaks about start parameters w and a: --start FILE is needed")
    weights, signs = start["w"], start["a"]
    if weights.shape != (m, d) or signs.shape != (m,) or not np.isin(signs, (-1.0, 1.0)).all():
        raise BadInput("w is m x d, a are m signs")
    found = hashes.parameters(item["network"]["widths"], [weights, signs])
    require(found == item["start"]["sha256"], "start.sha256", "other start parameters")
    return weights, signs


def _residual(claim, outputs, signs, y, m):
    root, rho = arb(m).sqrt(), []
    for i, target in enumerate(y):
        total = arb(0)
        for row, sign in zip(outputs, signs):
            z = row[i]
            if not z <= 0:
                # A ball around 0 becomes one from 0 on.
                total += float(sign) * (z if z >= 0 else arb(0).union(z.upper().max(arb(0))))
        rho.append(total / root - arb(float(target)))
    require(arb(claim["residual"]) >= linear.length(rho), "residual", "below the norm of rho(w0)")


def _counts(outputs, gram, clocks, m):
    """For every clock the matrices S and P: bits of neurons, one long integer for each sample, joined and counted."""
    n = len(gram)
    squares = [[g * g for g in row] for row in gram]
    sure = [[0] * n for _ in clocks]
    possible = [[0] * n for _ in clocks]
    root = arb(m).sqrt()
    for r, row in enumerate(outputs):
        for j, (kept, reachable) in enumerate(_neuron(row, squares, clocks, root)):
            for i in range(n):
                sure[j][i] |= int(kept[i]) << r
                possible[j][i] |= int(reachable[i]) << r

    def pairs(bits):
        return [[(a & b).bit_count() for b in bits] for a in bits]

    return [pairs(bits) for bits in sure], [pairs(bits) for bits in possible]


def _neuron(z, squares, clocks, root):
    """The surely and the possibly active samples of one neuron, clock by clock.

    A margin not certainly larger than what can be used up counts as used up.
    """
    n = len(z)
    sure, possible = [bool(v > 0) for v in z], [not bool(v < 0) for v in z]
    used, before = [arb(0)] * n, arb(0)
    open_samples = list(range(n))

    def speed(i):
        return linear.root(sum((squares[i][j] for j in range(n) if possible[j]), arb(0))) / root

    speeds = [speed(i) for i in open_samples]
    result = []
    for clock in clocks:
        length = clock - before
        while True:
            lost = [i for i in open_samples if not used[i] + speeds[i] * length < abs(z[i])]
            if not lost:
                break
            grown = False
            for i in lost:
                grown = grown or not possible[i]
                sure[i], possible[i] = False, True
            open_samples = [i for i in open_samples if i not in lost]
            if grown:
                for i in open_samples:
                    speeds[i] = speed(i)
        for i in open_samples:
            used[i] = used[i] + speeds[i] * length
        result.append((list(sure), list(possible)))
        before = clock
    return result


def _kernel(claim, j, gram, sure, possible, c, m):
    n, twice = len(gram), arb(2 * m)
    centre = [[gram[i][k] * (sure[i][k] + possible[i][k]) / twice for k in range(n)] for i in range(n)]
    spread = [[abs(gram[i][k]) * (possible[i][k] - sure[i][k]) / twice for k in range(n)] for i in range(n)]
    decay, wide = arb(claim["decay"][j]), arb(claim["spread"][j])
    nothing = all(x.is_zero() for row in spread for x in row)
    fits = nothing or linear.positive(linear.negated(linear.shifted(spread, [wide] * n)))
    require(fits, f"spread[{j}]", "the norm of the spread is not proved to be below it")
    low = decay + wide
    above = linear.positive(linear.shifted(centre, [low] * n))
    below = linear.positive(linear.negated(linear.shifted(centre, [2 / c - low] * n)))
    require(above and below, f"decay[{j}]", "the kernel does not contract as stated")


def _recursion(claim, c, n):
    """Clock and residual, one iteration after the other."""
    if claim["iterations"] > MAX_STEPS:
        raise BadInput("iterations: of a width at most 10^7")
    clocks = [arb(t) for t in claim["clocks"]]
    factors = [1 - c * arb(decay) for decay in claim["decay"]]
    clock, u, cell = arb(0), arb(claim["residual"]), 0
    for _ in range(claim["iterations"]):
        clock = clock + c * u
        while cell < len(clocks) and not clock <= clocks[cell]:
            cell += 1
        require(cell < len(clocks), "clocks", "they are left before the last iteration")
        u = u * factors[cell]
    require(u * u <= n * arb(claim["tolerance"]), "iterations", "too few for the tolerance")
    require(clock + u / arb(claim["decay"][-1]) <= clocks[-1], "clocks", "the rest of the path leaves them")
    rate = arb(claim["rate"])
    require(rate <= 1 - factors[-1] ** 2, "rate", "more than the last decay gives")
