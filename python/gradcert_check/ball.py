"""(T9+): how far J, |J| and DJ can be on a ball of radius s around the start."""

from flint import arb

from . import linear, pairs
from .centre import max_of, weighted_length
from .linear import length
from .pairs import Pair


class Ball:
    """All drifts on the ball of radius s, as pairs by layer and sample; then the bounds made of them."""

    def __init__(self, centre, s, smax_inputs, smax_start):
        self.centre, self.s = centre, arb(s)
        self.smax_ext = [arb(smax_inputs)] + centre.smax_ext[1:]
        self.smax_start = arb(smax_start)
        self.layers, self.n = centre.setting.layers, len(centre.weights)
        self.dw = [None] + [arb(d) for d in centre.setting.d_weights[1:]]
        self.db = [None] + [arb(d) for d in centre.setting.d_biases[1:]]
        self._forward()
        self._backward()

    def _move(self, l, drift, norm):
        """(|W_l| + D_Wl s_l) times a drift."""
        result = drift.scaled(norm)
        return Pair(result.c, result.q + self.dw[l] * drift.times_move(l, self.s))

    def _supremum(self, order, l, i):
        radius = float(self.dz[l][i].value(self.s).upper()) * (1 + 1e-15)
        return self.centre.setting.activation.supremum(order, self.centre.z[l][i], radius)

    def _forward(self):
        centre, s, zero = self.centre, self.s, pairs.zero(self.layers)
        self.dz, self.dh = [None], [[zero] * self.n]
        self.d_big_h = [zero]
        self.phi, self.beta = [None], [None]
        for l in range(1, self.layers):
            moved = [self._move(l, dh, centre.w_norm[l]) for dh in self.dh[l - 1]]
            self.dz.append([p.plus_unit(l, x) for p, x in zip(moved, centre.h_ext[l - 1])])
            self.phi.append([self._supremum(1, l, i) for i in range(self.n)])
            self.beta.append([self._supremum(2, l, i) for i in range(self.n)])
            self.dh.append([p.scaled(phi) for p, phi in zip(self.dz[l], self.phi[l])])
            together = self._move(l, self.d_big_h[l - 1], centre.w_norm[l]).plus_unit(l, self.smax_ext[l - 1])
            self._keep_big_z(l, pairs.smaller(together, pairs.norm(self.dz[l], centre.weights), s))
            scaled = self.d_big_z[l].scaled(max_of(self.phi[l]))
            self.d_big_h.append(pairs.smaller(scaled, pairs.norm(self.dh[l], centre.weights), s))

    def _keep_big_z(self, l, pair):
        if l == 1:
            self.d_big_z = [None]
        self.d_big_z.append(pair)

    def _backward(self):
        """e[l], dv[l] by sample, and the collective dG[l]."""
        centre, layers, s = self.centre, self.layers, self.s
        zero = pairs.zero(layers)
        self.e = [None] * layers + [[zero] * self.n]
        self.dv = [None] * layers
        self.d_big_g = [None] * layers + [zero]
        for l in range(layers - 1, 0, -1):
            dw = self.dw[l + 1]
            self.dv[l] = [
                self._move(l + 1, e, centre.w_norm[l + 1]).plus_unit(l + 1, dw * g)
                for e, g in zip(self.e[l + 1], centre.g_norm[l + 1])
            ]
            self.e[l] = [
                dv.scaled(phi).plus(dz.scaled(beta * v))
                for dv, dz, phi, beta, v in zip(self.dv[l], self.dz[l], self.phi[l], self.beta[l], centre.v_max[l])
            ]
            back = self._move(l + 1, self.d_big_g[l + 1], centre.w_norm[l + 1])
            back = back.plus_unit(l + 1, dw * centre.smax_g[l + 1]).scaled(max_of(self.phi[l]))
            bend = max_of(b * v for b, v in zip(self.beta[l], centre.v_max[l]))
            together = back.plus(self.d_big_z[l].scaled(bend))
            self.d_big_g[l] = pairs.smaller(together, pairs.norm(self.e[l], centre.weights), s)

    def first_layer(self):
        """Lower bound of min_i |g_1(x_i)| on the ball, may be negative."""
        result = None
        for g, e in zip(self.centre.g_norm[1], self.e[1]):
            here = g - e.value(self.s)
            result = here if result is None else result.min(here)
        return result

    def _g_sup(self):
        """|g_l| on the ball by layer and sample; |v_l| likewise where the next weights are frozen."""
        centre, result = self.centre, [None] * self.layers + [self.centre.g_norm[self.layers]]
        for l in range(self.layers - 1, 0, -1):
            values = [g + e.value(self.s) for g, e in zip(centre.g_norm[l], self.e[l])]
            if self.dw[l + 1] == 0:
                floors = [p * centre.w_norm[l + 1] * g for p, g in zip(self.phi[l], result[l + 1])]
                values = [a.min(b) for a, b in zip(values, floors)]
            result[l] = values
        return result

    def drift(self):
        """dJ: upper bound of |J - J(w0)|."""
        centre, s, rows, rest = self.centre, self.s, [], []
        g_sup = self._g_sup()
        for l in range(1, self.layers + 1):
            single = pairs.largest(self.e[l]).scaled(self.smax_ext[l - 1])
            block = pairs.smaller(single, self.d_big_g[l].scaled(max_of(centre.h_ext[l - 1])), s)
            if l > 1:
                products = [dh.scaled(g) for dh, g in zip(self.dh[l - 1], g_sup[l])]
                single = pairs.norm(products, centre.weights)
                together = self.d_big_h[l - 1].scaled(max_of(g_sup[l]))
                block = block.plus(pairs.smaller(single, together, s).scaled(self.dw[l]))
            rows.append(block.c)
            rest.append(block.q)
        return linear.norm_of(rows) * s + length(rest)

    def _smax_ext_sup(self, l):
        """smax(H~_l) on the ball."""
        if l == 0:
            return self.smax_ext[0]
        dw, db, move = self.dw[l + 1], self.db[l + 1], self.d_big_h[l].value(self.s)
        first = self.smax_ext[l] + dw * move
        second = (dw**2 * (self.centre.smax_h[l] + move) ** 2 + db**2 * self.centre.total).sqrt()
        return first.min(second)

    def _h_ext_sup(self, l):
        """|h~_l| on the ball by sample."""
        if l == 0:
            return self.centre.x_norm
        dw, db = self.dw[l + 1], self.db[l + 1]
        moved = (h + dh.value(self.s) for h, dh in zip(self.centre.h_norm[l], self.dh[l]))
        return [(dw**2 * x**2 + db**2).sqrt() for x in moved]

    def _smax_g_sup(self, l):
        return self.centre.smax_g[l] + self.d_big_g[l].value(self.s)

    def norm(self, drift):
        """sJ: upper bound of |J|."""
        g_sup, blocks = self._g_sup(), []
        for l in range(1, self.layers + 1):
            single = max_of(g_sup[l]) * self._smax_ext_sup(l - 1)
            blocks.append(single.min(self._smax_g_sup(l) * max_of(self._h_ext_sup(l - 1))))
        return length(blocks).min(self.smax_start + drift)

    def lipschitz(self):
        """LJ: the norm of the matrix of block couplings."""
        g_sup = self._g_sup()
        zd, hd, big_zd, big_hd = self._differentiated_forward()
        gd, big_gd = self._differentiated_backward(zd, big_zd, g_sup)
        rows = []
        for l in range(1, self.layers + 1):
            rows.append([self._coupling(l, k, g_sup, hd, big_hd, gd, big_gd) for k in range(self.layers)])
        both = [[rows[a][b].min(rows[b][a]) for b in range(self.layers)] for a in range(self.layers)]
        return linear.norm_of(both)

    def _coupling(self, l, k, g_sup, hd, big_hd, gd, big_gd):
        """The derivative of block l along a unit move of layer k + 1."""
        single = max_of(x[k] for x in gd[l]) * self._smax_ext_sup(l - 1)
        first = single.min(big_gd[l][k] * max_of(self._h_ext_sup(l - 1)))
        if l == 1:
            return first
        products = [g * x[k] for g, x in zip(g_sup[l], hd[l - 1])]
        second = weighted_length(products, self.centre.weights).min(max_of(g_sup[l]) * big_hd[l - 1][k])
        return first + self.dw[l] * second

    def _reach(self, l):
        return self.centre.w_norm[l] + self.dw[l] * self.s

    def _differentiated_forward(self):
        layers, none = self.layers, [arb(0)] * self.layers
        zd, hd, big_zd, big_hd = [None], [[none] * self.n], [None], [none]
        for l in range(1, layers):
            h_sup, reach = self._h_ext_sup(l - 1), self._reach(l)
            zd.append([_plus([reach * x for x in a], l, h) for a, h in zip(hd[l - 1], h_sup)])
            hd.append([[p * x for x in a] for a, p in zip(zd[l], self.phi[l])])
            together = _plus([reach * x for x in big_hd[l - 1]], l, self._smax_ext_sup(l - 1))
            big_zd.append([a.min(b) for a, b in zip(together, self._norms(zd[l]))])
            top = max_of(self.phi[l])
            big_hd.append([(top * a).min(b) for a, b in zip(big_zd[l], self._norms(hd[l]))])
        return zd, hd, big_zd, big_hd

    def _norms(self, vectors):
        return [weighted_length([v[k] for v in vectors], self.centre.weights) for k in range(self.layers)]

    def _v_sup(self, l, g_sup):
        values = [v + dv.value(self.s) for v, dv in zip(self.centre.v_max[l], self.dv[l])]
        if self.dw[l + 1] == 0:
            values = [a.min(self.centre.w_norm[l + 1] * g) for a, g in zip(values, g_sup[l + 1])]
        return values

    def _differentiated_backward(self, zd, big_zd, g_sup):
        layers, none = self.layers, [arb(0)] * self.layers
        gd, big_gd = [None] * layers + [[none] * self.n], [None] * layers + [none]
        for l in range(layers - 1, 0, -1):
            bend = [b * v for b, v in zip(self.beta[l], self._v_sup(l, g_sup))]
            reach, dw = self._reach(l + 1), self.dw[l + 1]
            gd[l] = []
            for i in range(self.n):
                back = _plus([reach * x for x in gd[l + 1][i]], l + 1, dw * g_sup[l + 1][i])
                gd[l].append([bend[i] * a + self.phi[l][i] * b for a, b in zip(zd[l][i], back)])
            back = _plus([reach * x for x in big_gd[l + 1]], l + 1, dw * self._smax_g_sup(l + 1))
            together = [max_of(bend) * a + max_of(self.phi[l]) * b for a, b in zip(big_zd[l], back)]
            big_gd[l] = [a.min(b) for a, b in zip(together, self._norms(gd[l]))]
        return gd, big_gd


def _plus(vector, layer, value):
    result = list(vector)
    result[layer - 1] = result[layer - 1] + value
    return result
