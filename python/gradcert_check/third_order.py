"""(T16n): |D^3 F| on the ball of radius S at any depth, with the simple drifts of (T9)."""

from itertools import combinations
from math import comb

from flint import arb

from .centre import max_of, weighted_length
from .errors import BadInput
from .linear import norm

MOST_CORNERS, FINEST = 5000, 16


class Drifts:
    """(T9) at s = S, by sample."""

    def __init__(self, centre, s):
        self.centre, self.s = centre, s
        setting = centre.setting
        self.layers, self.n, self.f = setting.layers, len(centre.weights), setting.activation
        self.dw = [None] + [arb(d) for d in setting.d_weights[1:]]
        self.db = [None] + [arb(d) for d in setting.d_biases[1:]]
        self.w = [None] + [centre.w_norm[l] + self.dw[l] * s for l in range(1, self.layers + 1)]
        self._forward()
        self._backward()

    def _slopes(self, order, l):
        radii = [float(d.upper()) * (1 + 1e-15) for d in self.dz[l]]
        return [self.f.supremum(order, z, r) for z, r in zip(self.centre.z[l], radii)]

    def _forward(self):
        self.dz, self.dh, self.phi, self.beta = [None], [[arb(0)] * self.n], [None], [None]
        for l in range(1, self.layers):
            h = self.centre.h_ext[l - 1]
            self.dz.append([self.s * a + self.w[l] * b for a, b in zip(h, self.dh[l - 1])])
            self.phi.append(self._slopes(1, l))
            self.beta.append(self._slopes(2, l))
            self.dh.append([p * d for p, d in zip(self.phi[l], self.dz[l])])

    def _backward(self):
        layers, centre = self.layers, self.centre
        self.e, self.v = [None] * layers + [[arb(0)] * self.n], [None] * layers
        for l in range(layers - 1, 0, -1):
            move = [
                self.w[l + 1] * e + self.dw[l + 1] * self.s * g for e, g in zip(self.e[l + 1], centre.g_norm[l + 1])
            ]
            self.v[l] = [a + b for a, b in zip(centre.v_max[l], move)]
            bend = [b * d * v for b, d, v in zip(self.beta[l], self.dz[l], centre.v_max[l])]
            self.e[l] = [p * a + b for p, a, b in zip(self.phi[l], move, bend)]
        self.g = [None] + [[a + b for a, b in zip(centre.g_norm[l], self.e[l])] for l in range(1, layers + 1)]

    def extended(self, l, smax_inputs):
        """h~_{l-1} on the ball by sample, and smax(H~_{l-1}) there."""
        if l == 1:
            return self.centre.x_norm, smax_inputs
        dw, db = self.dw[l], self.db[l]
        single = [(dw**2 * (h + d) ** 2 + db**2).sqrt() for h, d in zip(self.centre.h_norm[l - 1], self.dh[l - 1])]
        moved = dw * weighted_length(self.dh[l - 1], self.centre.weights)
        return single, self.centre.smax_ext[l - 1] + moved


def _corners(layers):
    """Boxes with the corners sqrt(k_l / m) cover the sphere: all k_l >= 1 with the sum m + L - 1."""
    m = max(m for m in range(1, FINEST + 1) if m == 1 or comb(m + layers - 2, layers - 1) <= MOST_CORNERS)
    total = m + layers - 1
    for cuts in combinations(range(1, total), layers - 1):
        ends = (0, *cuts, total)
        yield [(arb(b - a) / m).sqrt() for a, b in zip(ends, ends[1:])]


def bound(centre, radius):
    if not centre.setting.activation.smooth:
        raise BadInput("curvature: this activation has no third derivative")
    drifts = Drifts(centre, radius)
    smax = norm(centre.inputs_gram, centre.weights)
    extended = [None] + [drifts.extended(l, smax) for l in range(1, centre.setting.layers)]
    third = centre.setting.activation.line_supremum(3)
    return max_of(_along(drifts, extended, third, [None] + u) for u in _corners(centre.setting.layers))


def _along(d, extended, third, u):
    """P(u): single letters by sample, capitals the norms over samples."""
    weights, zero = d.centre.weights, [arb(0)] * d.n
    hd, hdd, big_hd, big_hdd = zero, zero, arb(0), arb(0)
    total = arb(0)
    for l in range(1, d.layers):
        if l > 1:
            total += _output_term(d, l, u[l], hdd, big_hdd)
        h, smax = extended[l]
        zd = [u[l] * x + d.w[l] * y for x, y in zip(h, hd)]
        zdd = [d.w[l] * x + 2 * d.dw[l] * u[l] * y for x, y in zip(hdd, hd)]
        big_zd = weighted_length(zd, weights).min(u[l] * smax + d.w[l] * big_hd)
        big_zdd = weighted_length(zdd, weights).min(d.w[l] * big_hdd + 2 * d.dw[l] * u[l] * big_hd)
        total += _bends(d, l, third, zd, zdd, big_zd, big_zdd)
        hd = [p * x for p, x in zip(d.phi[l], zd)]
        hdd = [b * x * x + p * y for b, p, x, y in zip(d.beta[l], d.phi[l], zd, zdd)]
        top, bend = max_of(d.phi[l]), max_of(b * x for b, x in zip(d.beta[l], zd))
        big_hd = weighted_length(hd, weights).min(top * big_zd)
        big_hdd = weighted_length(hdd, weights).min(bend * big_zd + top * big_zdd)
    return total + _output_term(d, d.layers, u[d.layers], hdd, big_hdd)


def _output_term(d, l, u, hdd, big_hdd):
    """3 u_l |g_l h''_{l-1}|."""
    single = weighted_length([g * x for g, x in zip(d.g[l], hdd)], d.centre.weights)
    return 3 * d.dw[l] * u * single.min(max_of(d.g[l]) * big_hdd)


def _bends(d, l, third, zd, zdd, big_zd, big_zdd):
    first = max_of(v * third * x * x for v, x in zip(d.v[l], zd)) * big_zd
    bend = [v * b for v, b in zip(d.v[l], d.beta[l])]
    one = max_of(b * x for b, x in zip(bend, zdd)) * big_zd
    other = max_of(b * x for b, x in zip(bend, zd)) * big_zdd
    return first + 3 * one.min(other)
