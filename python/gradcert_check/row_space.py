"""(T16d): the second order at any depth, from the passes differentiated along an orthonormal basis of the row space."""

from flint import arb

from . import linear, relative, third_order
from .errors import BadInput, require
from .linear import from_rows, rows_of


def check(centre, kernel, curvature, smin):
    orders = [arb(x) for x in curvature["orders"]]
    if len(orders) != 2:
        raise BadInput("curvature.orders: row-space has two orders")
    size = len(centre.kernel) ** 3 * sum(centre.setting.widths[1:])
    if size > 10**12:
        raise BadInput("curvature: row-space is too large here")
    third = third_order.bound(centre, arb(curvature["radius"])) / smin
    require(orders[1] >= third, "curvature.orders", f"the third order is proved to be {float(third):.6e}")
    second = linear.root(kernel.largest(gamma(centre)))
    require(orders[0] >= second, "curvature.orders", f"the second order is proved to be {float(second):.6e}")


def _scale_columns(transposed, row):
    """A^T diag(row), A^T given by its rows."""
    return from_rows([[x * y for x, y in zip(line, row)] for line in transposed])


def _scale_rows(vector, matrix):
    return from_rows([[v * x for x in line] for v, line in zip(vector, rows_of(matrix))])


def _repeat(row, outputs):
    return row if outputs == 1 else [x for x in row for _ in range(outputs)]


class Passes:
    """zd, hd of each sample and gd of each row (i, c), as matrices with one column for each basis vector."""

    def __init__(self, centre):
        setting = centre.setting
        self.centre, self.layers, self.outputs = centre, setting.layers, setting.outputs
        self.columns = relative.factor(centre.kernel).transpose()
        self.weights, self.f = centre.passes["weights"], setting.activation
        self.g_transposed = [None] + [rows_of(g.transpose()) for g in centre.passes["g"][1:]]
        self.h_transposed = [None] + [
            [_repeat(line, self.outputs) for line in rows_of(h.transpose())] for h in centre.passes["h"][1:]
        ]
        self.dw = [None] + [arb(d) ** 2 for d in setting.d_weights[1:]]
        self.z = [None] + [rows_of(z) for z in centre.passes["z"][1:]]
        self.v = [None] + [rows_of(v) for v in centre.passes["v"][1 : self.layers]]

    def forward(self, i):
        zd, hd = [None], [None]
        for l in range(1, self.layers):
            row = _repeat(self.centre.passes["gram_h"][l - 1][i], self.outputs)
            here = _scale_columns(self.g_transposed[l], row) * self.columns
            if l > 1:
                here = here + self.weights[l] * hd[l - 1]
            zd.append(here)
            hd.append(_scale_rows([self.f.low(1, t) for t in self.z[l][i]], here))
        return zd, hd

    def backward(self, r, zd):
        i, gd = r // self.outputs, [None] * (self.layers + 1)
        for l in range(self.layers - 1, 0, -1):
            row = self.centre.passes["gram_g"][l + 1][r]
            inner = _scale_columns(self.h_transposed[l], row) * self.columns * self.dw[l + 1]
            if gd[l + 1] is not None:
                inner = inner + self.weights[l + 1].transpose() * gd[l + 1]
            bend = [self.f.low(2, t) * v for t, v in zip(self.z[l][i], self.v[l][r])]
            gd[l] = _scale_rows(bend, zd[l]) + _scale_rows([self.f.low(1, t) for t in self.z[l][i]], inner)
        return gd


def gamma(centre):
    """Gam of (T16d), rows (i, c)."""
    passes = Passes(centre)
    n, outputs, layers = len(centre.weights), centre.setting.outputs, centre.setting.layers
    forward = [passes.forward(i) for i in range(n)]
    backward = [passes.backward(r, forward[r // outputs][0]) for r in range(n * outputs)]
    total = None
    for l in range(1, layers + 1):
        for part in _layer(centre, passes, l, forward, backward):
            total = part if total is None else [[x + y for x, y in zip(p, q)] for p, q in zip(total, part)]
    return total


def _layer(centre, passes, l, forward, backward):
    outputs, layers = passes.outputs, passes.layers
    gram_h = [_repeat(row, outputs) for row in centre.passes["gram_h"][l - 1] for _ in range(outputs)]
    if l < layers:
        flat = relative.gram_of(from_rows([gd[l].entries() for gd in backward]))
        yield [[x * y for x, y in zip(p, q)] for p, q in zip(gram_h, flat)]
    if l == 1 or passes.dw[l] == 0:
        return
    flat = relative.gram_of(from_rows([hd[l - 1].entries() for _, hd in forward]))
    flat = [_repeat(row, outputs) for row in flat for _ in range(outputs)]
    gram_g = centre.passes["gram_g"][l]
    yield [[passes.dw[l] * x * y for x, y in zip(p, q)] for p, q in zip(gram_g, flat)]
    if l < layers:
        yield _mixed(centre, passes, l, forward, backward)


def _mixed(centre, passes, l, forward, backward):
    """D_Wl^2 (X + X^T), X_rr' = sum_b (g_r'.gd_r[:,b]) (h_i.hd_i'[:,b])."""
    outputs = passes.outputs
    left = [rows_of(centre.passes["g"][l] * gd[l]) for gd in backward]  # [r][r'][b]
    right = [rows_of(centre.passes["h"][l - 1] * hd[l - 1]) for _, hd in forward]  # [i'][i][b]
    size = len(backward)
    x = [
        [sum((a * b for a, b in zip(left[r][q], right[q // outputs][r // outputs])), arb(0)) for q in range(size)]
        for r in range(size)
    ]
    return [[passes.dw[l] * (x[r][q] + x[q][r]) for q in range(size)] for r in range(size)]
