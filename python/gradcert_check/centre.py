"""The network at its start: pre-activations, backward vectors, norms, and the tangent kernel by layers (T6).

Layers count from 1; lists are indexed by the layer, entry 0 of ``h`` being the
inputs. Rows of G_l are (sample, output).
Kernel and norms over samples carry the multiplicities (T13).
"""

from dataclasses import dataclass, field

from flint import arb, arb_mat

from . import linear
from .errors import NotProved
from .linear import length, root, rows_of


@dataclass
class Setting:
    """What the certificate speaks about."""

    widths: list
    activation: object
    inputs: str
    d_weights: list  # by layer, entry 0 unused
    d_biases: list
    merged: object  # problems.Merged
    positive: dict | None = None
    arrays: list | None = None  # [None, W_1, ..., W_L] and biases
    biases: list | None = None

    @property
    def layers(self):
        return len(self.widths) - 1

    @property
    def outputs(self):
        return self.widths[-1]


@dataclass
class Centre:
    setting: Setting
    weights: list  # multiplicities of merged samples
    total: int  # n
    x_norm: list  # |x~_i|
    inputs_gram: list  # of the unweighted extended inputs
    h_norm: list  # h_norm[l][i], l = 0..L-1
    h_ext: list  # |h~_l| in the coordinates u
    smax_ext: list  # smax(H~_l), l = 0..L-1, weighted; entry 0 stays None (stated)
    smax_h: list  # smax(H_l)
    z: list  # sorted floats per sample, z[l][i], l = 1..L-1
    g_norm: list  # |g_l| by sample, l = 1..L
    smax_g: list
    v_max: list  # |v_l|_inf by sample, l = 1..L-1
    w_norm: list  # |W_l|
    kernel: list  # J J^T without weights, rows (i, c)
    rho: list  # rows (i, c), without weights
    passes: dict = field(default_factory=dict)


def extended_inputs(setting):
    """D_W1 x with the coordinate D_b1 of a trained bias, as balls; None if inputs are unit vectors."""
    dw, db = arb(setting.d_weights[1]), arb(setting.d_biases[1])
    rows = rows_of(linear.from_doubles(setting.merged.inputs))
    scaled = rows if dw == 1 else [[dw * x for x in row] for row in rows]
    return [row + [db] for row in scaled] if db != 0 else scaled


def inputs_gram(setting):
    n = len(setting.merged.multiplicities)
    if setting.inputs == "raw":
        return rows_of(linear.gram(linear.from_rows(extended_inputs(setting))))
    one = arb(setting.d_weights[1]) ** 2
    return [[one if i == j else arb(0) for j in range(n)] for i in range(n)]


def prove_rank(setting):
    """Whitening needs inputs (with the constant coordinate) of full rank."""
    rows = rows_of(linear.from_doubles(setting.merged.inputs))
    if setting.inputs == "whitened-with-bias":
        rows = [row + [arb(1)] for row in rows]
    if not linear.positive(rows_of(linear.gram(linear.from_rows(rows)))):
        raise NotProved("network.inputs", "the inputs are not proved to have rank n")


def _hadamard(a, b):
    return [[x * y for x, y in zip(p, q)] for p, q in zip(a, b)]


def _add(a, b):
    return [[x + y for x, y in zip(p, q)] for p, q in zip(a, b)]


def weighted_length(values, weights):
    return root(sum((m * x * x for x, m in zip(values, weights)), arb(0)))


def residual(centre):
    outputs = centre.setting.outputs
    return weighted_length(centre.rho, [m for m in centre.weights for _ in range(outputs)])


def at_positive_start(setting):
    """W_1 = 0, biases 0, constant later weights: h_l = 0 and g_l = gamma_l 1, in closed form."""
    widths, layers, f = setting.widths, setting.layers, setting.activation
    weights, n = setting.merged.multiplicities, len(setting.merged.multiplicities)
    total = setting.merged.samples
    entry = [None, arb(0)] + [arb(a) for a in setting.positive["hidden"]] + [arb(setting.positive["output"])]
    slope = f.low(1, arb(0))
    gamma, v = [None] * layers + [arb(1)], [None] * layers
    for l in range(layers - 1, 0, -1):
        v[l] = entry[l + 1] * widths[l + 1] * gamma[l + 1]
        gamma[l] = slope * v[l]
    g = [None] + [gamma[l] * arb(widths[l]).sqrt() for l in range(1, layers + 1)]
    gram = inputs_gram(setting)
    constant = sum((g[l] ** 2 * arb(setting.d_biases[l]) ** 2 for l in range(2, layers + 1)), arb(0))
    kernel = [[g[1] ** 2 * x + constant for x in row] for row in gram]
    biases = [arb(setting.d_biases[l + 1]) for l in range(layers)]
    x_norm = [root(gram[i][i]) for i in range(n)]
    side = arb(total).sqrt()
    return Centre(
        setting=setting,
        weights=weights,
        total=total,
        x_norm=x_norm,
        inputs_gram=gram,
        h_norm=[None] + [[arb(0)] * n for _ in range(1, layers)],
        h_ext=[x_norm] + [[biases[l]] * n for l in range(1, layers)],
        smax_ext=[None] + [biases[l] * side for l in range(1, layers)],
        smax_h=[None] + [arb(0)] * (layers - 1),
        z=[None] + [[[0.0]] * n for _ in range(1, layers)],
        g_norm=[None] + [[g[l]] * n for l in range(1, layers + 1)],
        smax_g=[None] + [g[l] * side for l in range(1, layers + 1)],
        v_max=[None] + [[v[l]] * n for l in range(1, layers)],
        w_norm=[None] + [entry[l] * arb(widths[l] * widths[l - 1]).sqrt() for l in range(1, layers + 1)],
        kernel=kernel,
        rho=[-arb(float(y)) for y in setting.merged.targets[:, 0]],
    )


def _map(f, matrix):
    return arb_mat(matrix.nrows(), matrix.ncols(), [f(x) for x in matrix.entries()])


def _forward(setting):
    """z[l], h[l] (n x d_l)."""
    weights = [None] + [linear.from_doubles(w) for w in setting.arrays[1:]]
    if setting.inputs == "raw":
        h = [linear.from_doubles(setting.merged.inputs)]
    else:
        n = len(setting.merged.multiplicities)
        h = [arb_mat(n, n, [int(i % (n + 1) == 0) for i in range(n * n)])]
    z = [None]
    for l in range(1, setting.layers + 1):
        bias = [arb(float(b)) for b in setting.biases[l]]
        product = rows_of(h[-1] * weights[l].transpose())
        z.append(linear.from_rows([[x + b for x, b in zip(row, bias)] for row in product]))
        if l < setting.layers:
            h.append(_map(lambda t: setting.activation.low(0, t), z[l]))
    return weights, z, h


def _backward(setting, weights, z):
    """g[l], v[l] with the rows (i, c)."""
    outputs, n = setting.outputs, z[1].nrows()
    unit = [[int(c == k) for k in range(outputs)] for c in range(outputs)]
    g = [None] * setting.layers + [linear.from_rows([list(map(arb, row)) for _ in range(n) for row in unit])]
    v = [None] * setting.layers
    for l in range(setting.layers - 1, 0, -1):
        v[l] = g[l + 1] * weights[l + 1]
        slopes = [row for row in rows_of(_map(lambda t: setting.activation.low(1, t), z[l])) for _ in range(outputs)]
        g[l] = linear.from_rows(_hadamard(slopes, rows_of(v[l])))
    return g, v


def _spread(rows, outputs):
    """An n x n matrix over samples as one over the rows (i, c)."""
    if outputs == 1:
        return rows
    return [[x for x in row for _ in range(outputs)] for row in rows for _ in range(outputs)]


def _blocks(rows, outputs):
    return [rows[k : k + outputs] for k in range(0, len(rows), outputs)]


def _spectral(block):
    return length(block[0]) if len(block) == 1 else linear.norm_of(block)


def _float_sorted(row):
    return sorted(float(x.mid()) for x in row)


def at_tensors(setting):
    """Forward and backward passes in balls."""
    weights, z, h = _forward(setting)
    g, v = _backward(setting, weights, z)
    layers, outputs = setting.layers, setting.outputs
    multiplicities, total = setting.merged.multiplicities, setting.merged.samples
    by_row = [m for m in multiplicities for _ in range(outputs)]
    gram_h = [inputs_gram(setting)]
    plain = [None]
    for l in range(1, layers):
        plain.append(rows_of(linear.gram(h[l])))
        dw, db = arb(setting.d_weights[l + 1]) ** 2, arb(setting.d_biases[l + 1]) ** 2
        gram_h.append([[dw * x + db for x in row] for row in plain[l]])
    gram_g = [None] + [rows_of(linear.gram(g[l])) for l in range(1, layers + 1)]
    kernel = None
    for l in range(1, layers + 1):
        term = _hadamard(gram_g[l], _spread(gram_h[l - 1], outputs))
        kernel = term if kernel is None else _add(kernel, term)
    n = len(multiplicities)
    v_max = [None]
    for l in range(1, layers):
        blocks = _blocks(rows_of(v[l]), outputs)
        v_max.append([max_of(length(column) for column in zip(*block)) for block in blocks])
    targets = [arb(float(y)) for y in setting.merged.targets.ravel()]
    return Centre(
        setting=setting,
        weights=multiplicities,
        total=total,
        x_norm=[root(gram_h[0][i][i]) for i in range(n)],
        inputs_gram=gram_h[0],
        h_norm=[None] + [[root(plain[l][i][i]) for i in range(n)] for l in range(1, layers)],
        h_ext=[[root(gram_h[l][i][i]) for i in range(n)] for l in range(layers)],
        smax_ext=[None] + [linear.norm(gram_h[l], multiplicities) for l in range(1, layers)],
        smax_h=[None] + [linear.norm(plain[l], multiplicities) for l in range(1, layers)],
        z=[None] + [[_float_sorted(row) for row in rows_of(z[l])] for l in range(1, layers)],
        g_norm=[None] + [[_spectral(b) for b in _blocks(rows_of(g[l]), outputs)] for l in range(1, layers + 1)],
        smax_g=[None] + [linear.norm(gram_g[l], by_row) for l in range(1, layers + 1)],
        v_max=v_max,
        w_norm=[None] + [_weight_norm(weights[l]) for l in range(1, layers + 1)],
        kernel=kernel,
        rho=[a - b for a, b in zip(z[layers].entries(), targets)],
        passes={"weights": weights, "z": z, "h": h, "g": g, "v": v, "gram_h": gram_h, "gram_g": gram_g},
    )


def _weight_norm(matrix):
    wide = matrix.nrows() <= matrix.ncols()
    return linear.norm(rows_of(linear.gram(matrix if wide else matrix.transpose())))


def max_of(values):
    result = None
    for x in values:
        result = x if result is None else result.max(x)
    return result
