"""Bounds of (T9+), (T16n), (T16e) and (T9m) in plain float64, transcribed from the statements, on fixed networks and data.

python bounds.py > bounds.json      needs numpy; nothing here is rounded outward.

Layers count from 1; entry 0 of every list over layers is the input or unused. A pair (c, q) bounds a number by
c . (s_1, ..., s_L) + q for every split of the ball among the layers.
"""

import itertools
import json
import math
import sys

import numpy as np


def logistic(t):
    return 1 / (1 + np.exp(-t))


def sech2(t):
    return 1 / np.cosh(t) ** 2


def differentiated(p, slope, k):
    """The k-th derivative of p(y) along y' = slope(y)."""
    p, slope = np.polynomial.Polynomial(p), np.polynomial.Polynomial(slope)
    for _ in range(k):
        p = p.deriv() * slope
    return p


class Leaky:
    """c t + (1 - c)(log(1 + e^t) - log 2)"""

    def __init__(self, c):
        self.c, self.name = c, f"smooth-leaky-relu:{c:g}" if c else "softplus"
        self.third = (1 - c) / math.sqrt(108)

    def value(self, t):
        return self.c * t + (1 - self.c) * (np.logaddexp(0, t) - math.log(2))

    def slope(self, t):
        return self.c + (1 - self.c) * logistic(t)

    def curvature(self, t):
        return (1 - self.c) * logistic(t) * logistic(-t)

    rising, peak, convex = True, 0.0, True

    def derivative(self, k, t):         # k >= 2: polynomials in s = logistic, s' = s - s^2
        s = logistic(t)
        return (1 - self.c) * differentiated([0, 1], [0, 1, -1], k - 1)(s)


class Tanh:
    name, rising, peak, convex, third = "tanh", False, math.atanh(1 / math.sqrt(3)), False, 2.0
    value = staticmethod(np.tanh)
    slope = staticmethod(sech2)

    def curvature(self, t):
        return -2 * np.tanh(t) * sech2(t)

    def derivative(self, k, t):         # polynomials in y = tanh, y' = 1 - y^2
        return differentiated([0, 1], [1, 0, -1], k)(np.tanh(t))


def sup_slope(act, low, high):
    return float(np.max(act.slope(high if act.rising else np.clip(0, low, high))))


def sup_curvature(act, low, high):
    near, far = np.abs(np.clip(0, low, high)), np.maximum(np.abs(low), np.abs(high))
    return float(np.max(np.abs(act.curvature(np.clip(act.peak, near, far)))))


def spectral(a):
    return float(np.linalg.norm(np.atleast_2d(a), 2))


def smallest(a):
    return float(np.linalg.svd(a, compute_uv=False)[-1]) if a.shape[0] <= a.shape[1] else 0.0


class Pair:
    def __init__(self, c, q=0.0):
        self.c, self.q = np.array(c, float), float(q)

    def at(self, s):
        return float(np.linalg.norm(self.c)) * s + self.q

    def __add__(self, other):
        return Pair(self.c + other.c, self.q + other.q)

    def __rmul__(self, factor):
        return Pair(factor * self.c, factor * self.q)


def along(layers, l, size):
    c = np.zeros(layers)
    c[l - 1] = size
    return Pair(c)


def after(l, norm, D, s, pair):
    """(norm + D s_l) pair"""
    bent = s * s * (pair.c[l - 1] + np.linalg.norm(pair.c)) / 2 + s * pair.q
    return norm * pair + Pair(0 * pair.c, D * bent)


def less(s, *pairs):
    return min(pairs, key=lambda pair: pair.at(s))


def root(values):
    return math.sqrt(sum(v * v for v in values))


def joined(pairs, weight):
    return Pair([root(w * p.c[k] for p, w in zip(pairs, weight)) for k in range(len(pairs[0].c))],
                root(w * p.q for p, w in zip(pairs, weight)))


def ball(act, W, b, DW, Db, X, multiplicity, s):
    L, n = len(W) - 1, len(X)
    m = np.sqrt(np.array(multiplicity, float))
    h, z, g, v = [X], [None], [None] * (L + 1), [None] * L
    for l in range(1, L + 1):
        z.append(h[l - 1] @ W[l].T + b[l])
        if l < L:
            h.append(act.value(z[l]))
    g[L] = np.ones((n, 1))
    for l in range(L - 1, 0, -1):
        v[l] = g[l + 1] @ W[l + 1]
        g[l] = act.slope(z[l]) * v[l]
    H = [np.hstack([DW[l + 1] * h[l], np.full((n, 1), Db[l + 1])]) for l in range(L)]
    J = np.hstack([np.einsum("ij,ik->ijk", g[l], H[l - 1]).reshape(n, -1) for l in range(1, L + 1)]) * m[:, None]
    size = [None] + [spectral(w) for w in W[1:]]
    row = lambda a: np.linalg.norm(a, axis=1)
    gn, hn, Hn = [None] + [row(g[l]) for l in range(1, L + 1)], [row(a) for a in h], [row(a) for a in H]
    joint = lambda a: spectral(m[:, None] * a)
    vmax = [None] + [np.abs(v[l]).max(1) for l in range(1, L)]
    samples = range(n)

    dh, dH = [[Pair(np.zeros(L))] * n], [Pair(np.zeros(L))]
    dz, dZ, phi, beta = [None], [None], [None], [None]
    for l in range(1, L):
        dz.append([along(L, l, Hn[l - 1][i]) + after(l, size[l], DW[l], s, dh[l - 1][i]) for i in samples])
        dZ.append(along(L, l, joint(H[l - 1])) + after(l, size[l], DW[l], s, dH[l - 1]))
        reach = [d.at(s) for d in dz[l]]
        phi.append([sup_slope(act, z[l][i] - reach[i], z[l][i] + reach[i]) for i in samples])
        beta.append([sup_curvature(act, z[l][i] - reach[i], z[l][i] + reach[i]) for i in samples])
        dh.append([phi[l][i] * dz[l][i] for i in samples])
        dH.append(less(s, joined(dh[l], m), max(phi[l]) * dZ[l]))

    e, dG, vsup = [None] * L + [[Pair(np.zeros(L))] * n], [None] * L + [Pair(np.zeros(L))], [None] * L
    for l in range(L - 1, 0, -1):
        D = DW[l + 1]
        dv = [along(L, l + 1, D * gn[l + 1][i]) + after(l + 1, size[l + 1], D, s, e[l + 1][i]) for i in samples]
        bend = [beta[l][i] * vmax[l][i] for i in samples]
        e[l] = [phi[l][i] * dv[i] + bend[i] * dz[l][i] for i in samples]
        vsup[l] = [vmax[l][i] + dv[i].at(s) for i in samples]
        dV = along(L, l + 1, D * joint(g[l + 1])) + after(l + 1, size[l + 1], D, s, dG[l + 1])
        dG[l] = max(phi[l]) * dV + max(bend) * dZ[l]

    gs = [None] + [[gn[l][i] + e[l][i].at(s) for i in samples] for l in range(1, L + 1)]
    Gs = [None] + [joint(g[l]) + dG[l].at(s) for l in range(1, L + 1)]
    Hs = [[math.hypot(DW[l + 1] * (hn[l][i] + dh[l][i].at(s)), Db[l + 1]) for i in samples] for l in range(L)]
    joint_H = [min(joint(H[l]) + DW[l + 1] * dH[l].at(s),
                   math.hypot(DW[l + 1] * (joint(h[l]) + dH[l].at(s)), Db[l + 1] * root(m))) for l in range(L)]

    C, R, blocks = [], [], []
    for l in range(1, L + 1):
        worst = Pair(np.max([p.c for p in e[l]], 0), max(p.q for p in e[l]))
        outer = less(s, joint(H[l - 1]) * worst, max(Hn[l - 1]) * dG[l])
        inner = less(s, joined([gs[l][i] * dh[l - 1][i] for i in samples], m), max(gs[l]) * dH[l - 1])
        block = outer + DW[l] * inner
        C.append(block.c)
        R.append(block.q)
        blocks.append(min(max(gs[l]) * joint_H[l - 1], Gs[l] * max(Hs[l - 1])))
    dJ = spectral(C) * s + root(R)
    sJ = min(root(blocks), spectral(J) + dJ)

    M = np.zeros((L, L))
    for k in range(1, L + 1):           # one unit move of layer k
        own = lambda l, value: value if l == k else 0.0
        wide = lambda l: size[l] + DW[l] * s
        hd, HD, zd, ZD = [[0.0] * n], [0.0], [None], [None]
        for l in range(1, L):
            zd.append([own(l, Hs[l - 1][i]) + wide(l) * hd[l - 1][i] for i in samples])
            ZD.append(own(l, joint_H[l - 1]) + wide(l) * HD[l - 1])
            hd.append([phi[l][i] * zd[l][i] for i in samples])
            HD.append(min(root(m[i] * hd[l][i] for i in samples), max(phi[l]) * ZD[l]))
        gd, GD = [0.0] * n, 0.0
        for l in range(L, 0, -1):
            if l < L:
                D = DW[l + 1]
                bend = [beta[l][i] * vsup[l][i] for i in samples]
                gd = [bend[i] * zd[l][i] + phi[l][i] * (own(l + 1, D * gs[l + 1][i]) + wide(l + 1) * gd[i])
                      for i in samples]
                GD = max(bend) * ZD[l] + max(phi[l]) * (own(l + 1, D * Gs[l + 1]) + wide(l + 1) * GD)
            outer = min(max(gd) * joint_H[l - 1], GD * max(Hs[l - 1]))
            inner = min(root(m[i] * gs[l][i] * hd[l - 1][i] for i in samples), max(gs[l]) * HD[l - 1])
            M[l - 1, k - 1] = outer + DW[l] * inner
    first = max(0.0, min(gn[1][i] - e[1][i].at(s) for i in samples)) * smallest(m[:, None] * H[0])
    return {"s": s, "psi_first": first, "psi_all": max(0.0, smallest(J) - dJ), "norm": sJ, "drift": dJ,
            "lipschitz": spectral(np.minimum(M, M.T))}


def third_order(act, W, b, DW, Db, X, multiplicity, s, m=16):
    """(T16n): the maximum of P over all corners of the cover."""
    L, n = len(W) - 1, len(X)
    weight = np.sqrt(np.array(multiplicity, float))
    row = lambda a: np.linalg.norm(a, axis=1)
    together = lambda a: float(np.linalg.norm(weight * a))
    w = [0.0] + [spectral(W[l]) + DW[l] * s for l in range(1, L + 1)]
    H = lambda h, l: np.hstack([DW[l] * h, np.full((n, 1), Db[l])])
    h, z, dz, dh, phi, beta, x, sH = X, [None], [None], np.zeros(n), [None], [None], [None], [None]
    for l in range(1, L + 1):
        x.append(np.hypot(DW[l] * (row(h) + dh), Db[l]))
        sH.append(spectral(weight[:, None] * H(h, l)) + DW[l] * together(dh))
        dz.append(s * row(H(h, l)) + w[l] * dh)
        z.append(h @ W[l].T + b[l])
        if l < L:
            reach = dz[l][:, None]
            phi.append(np.array([sup_slope(act, a - r, a + r) for a, r in zip(z[l], reach)]))
            beta.append(np.array([sup_curvature(act, a - r, a + r) for a, r in zip(z[l], reach)]))
            h, dh = act.value(z[l]), phi[l] * dz[l]
    G, e, g, v = np.ones((n, 1)), np.zeros(n), [None] * L + [np.ones(n)], [None] * L
    for l in range(L - 1, 0, -1):
        dv = w[l + 1] * e + DW[l + 1] * s * row(G)
        V = G @ W[l + 1]
        G, at_start = act.slope(z[l]) * V, np.abs(V).max(1)
        e = phi[l] * dv + beta[l] * dz[l] * at_start
        v[l], g[l] = at_start + dv, row(G) + e

    def P(u):
        hd = hdd = np.zeros(n)
        HD = HDD = total = 0.0
        for l in range(1, L + 1):
            total += 3 * DW[l] * u[l - 1] * min(together(g[l] * hdd), max(g[l]) * HDD)
            if l == L:
                return total
            zd, zdd = u[l - 1] * x[l] + w[l] * hd, w[l] * hdd + 2 * DW[l] * u[l - 1] * hd
            ZD = min(together(zd), u[l - 1] * sH[l] + w[l] * HD)
            ZDD = min(together(zdd), w[l] * HDD + 2 * DW[l] * u[l - 1] * HD)
            total += max(v[l] * act.third * zd**2) * ZD
            total += 3 * min(max(v[l] * beta[l] * zdd) * ZD, max(v[l] * beta[l] * zd) * ZDD)
            hd, hdd = phi[l] * zd, beta[l] * zd**2 + phi[l] * zdd
            HD, HDD = min(together(hd), max(phi[l]) * ZD), min(together(hdd), max(beta[l] * zd) * ZD + max(phi[l]) * ZDD)

    counts = (k for k in itertools.product(range(1, m + 1), repeat=L) if sum(k) == m + L - 1)
    return float(max(P(np.sqrt(np.array(k) / m)) for k in counts))


def two_layer_orders(act, W, b, DW, Db, X, multiplicity, s, last):
    """(T16e): N_2, ..., N_last for the radius s. c is the smaller of C_2 and D_W2 / min |a_j|."""
    n, a = len(X), W[2][0]
    m = np.sqrt(np.array(multiplicity, float))[:, None]
    z = X @ W[1].T + b[1]
    Xt, Ht = np.hstack([DW[1] * X, np.full((n, 1), Db[1])]), np.hstack([DW[2] * act.value(z), np.full((n, 1), Db[2])])
    S = [None, act.slope(z)] + [act.derivative(k, z) for k in range(2, last)]
    G, g = Xt @ Xt.T, act.slope(z) * a
    values, vectors = np.linalg.eigh(m * ((g @ g.T) * G + Ht @ Ht.T) * m.T)
    white = vectors / np.sqrt(values)
    size = lambda A, power: math.sqrt(np.linalg.eigvalsh(white.T @ (m * ((A @ A.T) * G**power) * m.T) @ white)[-1])
    kap = lambda k: math.sqrt(k) * ((k - 1) / k) ** ((k - 1) / 2)
    grid = np.linspace(-6, 6, 1_200_001)
    supremum = lambda k: float(np.abs(act.derivative(k, grid)).max())
    B = lambda k: size(S[k] * a, k)
    C = lambda k: DW[2] * size(S[k - 1], k - 1)
    c = min(C(2), DW[2] / np.abs(a).min())
    orders = [(B(2) + math.hypot(B(2), 2 * c)) / 2] + [B(k) + kap(k) * C(k) for k in range(3, last)]
    longest = np.linalg.norm(Xt, axis=1).max()
    crude = (supremum(last) * (np.abs(a).max() + DW[2] * s) * longest ** (last - 1)
             + kap(last) * DW[2] * supremum(last - 1) * longest ** (last - 2))
    return [float(x) for x in orders + [spectral(m * Xt) / math.sqrt(values[0]) * crude]]


def multiplicative(act, widths, a, DW, Db, largest_input, s, cells=64):
    """P of (T9m), the minimum over the cells of the split; a_l in a[l], a[L] = A."""
    L, phi0 = len(widths) - 1, float(act.slope(0.0))
    om = [0.0, 0.0] + [a[l] * math.sqrt(widths[l] * widths[l - 1]) for l in range(2, L + 1)]
    least = math.inf
    for cell in range(cells):
        s1, so = s * math.cos(cell / cells * math.pi / 2), s * math.sin((cell + 1) / cells * math.pi / 2)
        zeta, top, layer = s1 * largest_input, 1.0, [None]
        for l in range(1, L):
            if l > 1:
                zeta = (om[l] + DW[l] * so) * top * zeta + Db[l] * so
            top = sup_slope(act, -zeta, zeta)
            change = sup_curvature(act, -zeta, zeta) * zeta
            if act.curvature(0.0) == 0:
                change = min(change, act.third * zeta**2 / 2)
            xi = change / (phi0 * math.sqrt(widths[l]))
            floor = min(float(act.slope(-zeta)), float(act.slope(zeta))) / phi0
            q = float(act.slope(-zeta / math.sqrt(widths[l]))) / phi0 if act.convex else 0.0
            layer.append((xi, top / phi0, floor, q))
        P, N = 1.0, 0.0
        for l in range(L - 1, 0, -1):
            xi, Db_l, floor, q = layer[l]
            y = DW[l + 1] * so / om[l + 1] * math.hypot(1, N)
            options = [0.0, max(1 - xi, floor, q) - Db_l * y]
            if y <= 1 - xi:
                options.append((1 - xi) * (1 - y))
            if act.convex and y * y <= 2 * q - 1 + xi * xi:
                options.append(q - y * math.sqrt(2 * q - 1 + xi * xi))
            f = max(options)
            P *= f
            if f <= 0:
                break
            N = (min(xi, (Db_l - floor) / 2) + Db_l * y) / f
        least = min(least, P)
    return {"s": s, "factor": least}


def numbers(a):
    return a.tolist() if hasattr(a, "tolist") else a


def network(seed, act, widths, n, DW, Db, multiplicity, scale):
    rng = np.random.default_rng(seed)
    L = len(widths) - 1
    X = np.round(rng.standard_normal((n, widths[0])), 4)
    W = [None] + [np.round(scale * rng.standard_normal((widths[l], widths[l - 1])) / math.sqrt(widths[l - 1]), 4)
                  for l in range(1, L + 1)]
    b = [None] + [np.round(0.3 * rng.standard_normal(widths[l]), 4) for l in range(1, L + 1)]
    DW, Db = [1.0] + DW, [1.0] + Db
    record = {"activation": act.name, "inputs": X.tolist(), "multiplicity": multiplicity,
              "weights": [numbers(w) for w in W[1:]], "biases": [numbers(x) for x in b[1:]],
              "weight_factors": DW, "bias_factors": Db}
    return (act, W, b, DW, Db, X, multiplicity), record


def general_case(seed, act, widths, n, DW, Db, multiplicity, radii, scale=1.0):
    at, record = network(seed, act, widths, n, DW, Db, multiplicity, scale)
    return record | {"balls": [ball(*at, s) | {"third_order": third_order(*at, s)} for s in radii]}


def two_layer_case(seed, act, widths, n, DW, Db, multiplicity, s, scale=1.0):
    at, record = network(seed, act, widths, n, DW, Db, multiplicity, scale)
    return record | {"radius": s, "orders": [two_layer_orders(*at, s, last) for last in range(3, 7)]}


def positive_case(seed, act, widths, n, hidden, output, DW, Db, radii):
    rng = np.random.default_rng(seed)
    X = np.round(rng.standard_normal((n, widths[0])), 4)
    DW, Db = [1.0] + DW, [1.0] + Db
    largest = max(math.hypot(np.linalg.norm(x), Db[1]) for x in X)
    a = [None, 0.0] + hidden + [output]
    return {"activation": act.name, "widths": widths, "inputs": X.tolist(), "hidden": hidden, "output": output,
            "weight_factors": DW, "bias_factors": Db,
            "factors": [multiplicative(act, widths, a, DW, Db, largest, s) for s in radii]}


LEAKY, SOFTPLUS, TANH = Leaky(0.1), Leaky(0.0), Tanh()
ONES = [1.0] * 6
GENERAL = [
    general_case(1, LEAKY, [3, 4, 1], 3, ONES[:2], ONES[:2], [1, 1, 1], [0.01, 0.1, 0.5, 2.0]),
    general_case(2, LEAKY, [4, 5, 4, 1], 4, ONES[:3], [0.0] * 3, [1] * 4, [0.003, 0.05, 0.3, 3.0]),
    general_case(3, TANH, [3, 6, 5, 1], 3, [1.0, 0.3, 2.0], [1.0, 0.5, 0.0], [1, 3, 9], [0.003, 0.05, 0.3, 1.0]),
    general_case(4, SOFTPLUS, [2, 4, 3, 5, 1], 2, [1.0, 2.0, 0.1, 0.7], [1.0, 0.2, 1.5, 1.0], [2, 1],
                 [0.003, 0.05, 0.4, 10.0], 1.5),
    general_case(5, TANH, [5, 3, 3, 3, 3, 1], 5, ONES[:5], ONES[:5], [1] * 5, [0.001, 0.02, 0.2], 1.4),
    general_case(6, LEAKY, [2, 1, 1, 1], 1, [1.0, 0.5, 2.0], [0.0, 1.0, 0.0], [4], [0.01, 0.3, 2.0]),
]
POSITIVE = [
    positive_case(7, LEAKY, [6, 5, 1], 4, [], 8.0, ONES[:2], ONES[:2], [0.1, 1.0, 3.0, 6.0]),
    positive_case(8, LEAKY, [6, 5, 4, 1], 4, [0.6], 8.0, [1.0, 0.4, 0.6], [1.0, 0.3, 1.0], [0.1, 0.5, 0.9]),
    positive_case(9, TANH, [4, 8, 6, 1], 3, [0.5], 4.0, [1.0, 0.5, 0.5], [1.0, 0.2, 0.1], [0.05, 0.2, 0.3]),
    positive_case(10, SOFTPLUS, [4, 8, 6, 6, 1], 3, [0.5, 0.7], 4.0, [1.0, 0.3, 0.3, 0.3], [0.0] * 4,
                  [0.05, 0.3, 0.5]),
    positive_case(11, LEAKY, [3, 2, 2, 2, 1], 2, [1.0, 1.0], 1.0, [1.0, 0.0, 0.01, 0.05], [1.0, 1.0, 0.02, 1.0],
                  [0.1, 0.3, 0.5]),
    # Large steps of the last layer against small slopes: the condition of Jensen's form decides.
    positive_case(12, LEAKY, [3, 4, 1], 2, [], 1.0, [1.0, 1.0], [0.0, 0.0], [0.8, 1.0, 1.2]),
    positive_case(15, SOFTPLUS, [3, 2, 1], 2, [], 0.8, [1.0, 1.0], [0.0, 0.0], [0.6, 0.7, 0.8, 0.9, 1.0]),
    positive_case(13, LEAKY, [3, 1, 1], 2, [], 1.0, [1.0, 1.0], [0.0, 0.0], [0.3, 0.45, 0.6]),
    positive_case(14, SOFTPLUS, [3, 9, 9, 1], 2, [0.3], 1.0, [1.0, 0.6, 1.0], [0.0, 0.0, 0.0], [0.2, 0.4, 0.6]),
]
TWO_LAYERS = [
    two_layer_case(21, TANH, [2, 9, 1], 5, ONES[:2], ONES[:2], [1] * 5, 0.05),
    two_layer_case(22, TANH, [3, 8, 1], 4, [0.5, 2.0], [0.7, 0.1], [1, 4, 1, 2], 0.3),
    two_layer_case(23, SOFTPLUS, [2, 12, 1], 5, [1.5, 0.3], [0.0, 1.0], [3, 1, 1, 1, 2], 0.1, 2.0),
    two_layer_case(24, LEAKY, [3, 10, 1], 4, [1.0, 0.0], [1.0, 0.0], [1, 1, 2, 1], 1.0),
]
json.dump({"general": GENERAL, "two_layers": TWO_LAYERS, "positive": POSITIVE}, sys.stdout, indent=1)
