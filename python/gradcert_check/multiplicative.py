"""(T9m): a lower bound of |g_1| / |g_1(w0)| around the positive start; (T7+) where later layers are frozen."""

from flint import arb

from .linear import root

CELLS = 64


def applies(setting):
    return setting.positive is not None and setting.outputs == 1 and setting.activation.rising


def fraction(setting, x_max, s):
    """The minimum over the cells of the angle between s_1 and the other budgets."""
    s, result = arb(s), None
    for k in range(CELLS):
        first = s * (arb.pi() * k / (2 * CELLS)).cos()
        other = s * (arb.pi() * (k + 1) / (2 * CELLS)).sin()
        here = _cell(setting, x_max, first, other)
        result = here if result is None else result.min(here)
    return result


def _zetas(setting, x_max, first, other, om):
    f, zeta = setting.activation, [None, first * x_max]
    for l in range(2, setting.layers):
        before = _slope_supremum(f, zeta[-1])
        dw, db = arb(setting.d_weights[l]), arb(setting.d_biases[l])
        zeta.append((om[l] + dw * other) * before * zeta[-1] + db * other)
    return zeta


def _slope_supremum(f, zeta):
    return f.supremum(1, [0.0], float(zeta.upper()))


def _cell(setting, x_max, first, other):
    f, layers, widths = setting.activation, setting.layers, setting.widths
    phi0 = f.low(1, arb(0))
    entry = [None, None] + [arb(a) for a in setting.positive["hidden"]] + [arb(setting.positive["output"])]
    om = [None, None] + [entry[l] * arb(widths[l] * widths[l - 1]).sqrt() for l in range(2, layers + 1)]
    zeta = _zetas(setting, x_max, first, other, om)
    p, deviation = arb(1), arb(0)
    for l in range(layers - 1, 0, -1):
        move = arb(setting.d_weights[l + 1]) * other / om[l + 1]
        y = move * (1 + deviation**2).sqrt() if setting.d_weights[l + 1] != 0 else arb(0)
        factor, xi, top, bottom = _layer(f, phi0, zeta[l], widths[l], y)
        if not factor > 0:
            return arb(0)
        deviation = (xi.min((top - bottom) / 2) + top * y) / factor
        p = p * factor
    return p


def _layer(f, phi0, zeta, width, y):
    """f, xi, Db and m of one layer."""
    bend = f.supremum(2, [0.0], float(zeta.upper())) * zeta
    if f.flat and f.smooth:
        bend = bend.min(f.line_supremum(3) * zeta**2 / 2)
    side = arb(width).sqrt()
    xi = bend / (phi0 * side)
    top = _slope_supremum(f, zeta) / phi0
    bottom = f.low(1, -zeta).min(f.low(1, zeta)) / phi0
    mean = (1 - xi).max(bottom)
    candidates = []
    if y <= 1 - xi:
        candidates.append((1 - xi) * (1 - y))
    if f.convex:
        q = f.low(1, -zeta / side) / phi0
        mean = mean.max(q)
        inside = 2 * q - 1 + xi**2
        if y**2 <= inside:
            candidates.append(q - y * root(inside))
    candidates.append(mean - top * y)
    best = candidates[0]
    for x in candidates[1:]:
        best = best.max(x)
    return best, xi, top, bottom


def frozen_floor(setting):
    """(T7+): |gamma_1| with the floor of the slope for every slope, or None where the hypotheses fail."""
    f, layers = setting.activation, setting.layers
    if f.floor is None or setting.outputs != 1 or any(d != 0 for d in setting.d_weights[2:]):
        return None
    if setting.positive is not None:
        # All entries of gamma_l are equal.
        gamma = f.floor * arb(setting.positive["output"])
        for l in range(layers - 2, 0, -1):
            gamma = f.floor * arb(setting.positive["hidden"][l - 1]) * setting.widths[l + 1] * gamma
        return gamma * arb(setting.widths[1]).sqrt()
    if any(not (w > 0).all() for w in setting.arrays[2:]):
        return None
    gamma = [f.floor * arb(float(x)) for x in setting.arrays[layers][0]]
    for l in range(layers - 2, 0, -1):
        columns = setting.arrays[l + 1].T.tolist()
        gamma = [f.floor * sum((arb(w) * g for w, g in zip(c, gamma)), arb(0)) for c in columns]
    return sum((g * g for g in gamma), arb(0)).sqrt()
