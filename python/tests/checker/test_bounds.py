"""Soundness of the parts, zero slack: bounds against samples of what they bound, suprema against known values."""

import math

import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from gradcert_check import BadInput, activation, hexfloat, linear, third_order
from gradcert_check import centre as network
from gradcert_check.ball import Ball
from gradcert_check.problems import Merged
from gradcert_check.relative import Kernel

NAMES = (
    "smooth-leaky-relu:0.1",
    "softplus",
    "tanh",
    "logistic",
    "erf",
    "arctan",
    "algebraic",
    "silu",
    "gelu",
    "sigmoid",
)


@pytest.fixture(autouse=True)
def _bits():
    ctx.prec = 128


@pytest.mark.parametrize("name", (*NAMES, "softsign", "identity"))
@pytest.mark.parametrize("order", [1, 2])
def test_suprema_over_unions_bound_samples(name, order):
    f, stream = activation.parse(name, True), np.random.default_rng(3)
    for _ in range(60):
        z = sorted((stream.standard_normal(int(stream.integers(1, 6))) * 3).tolist())
        r = float(10.0 ** stream.uniform(-4, 1))
        bound = f.supremum(order, z, r)
        values = [abs(f.low(order, arb(t + k * r / 8))) for t in z for k in range(-8, 9)]
        assert all(not v > bound for v in values)
        if r < 1e-3:
            # Between samples a slope changes by less than its Lipschitz constant times the distance.
            assert float(bound) <= max(map(float, values)) + 6 * r / 8


@pytest.mark.parametrize("name", NAMES)
def test_suprema_over_the_line_bound_samples(name):
    f = activation.parse(name, True)
    for k in (2, 3, 6):
        bound = f.line_supremum(k)
        values = [abs(f.derivative(k, arb(t) / 16)) for t in range(-160, 161)]
        assert all(not v > bound for v in values)
        assert float(bound) < 1.2 * max(map(float, values))


@pytest.mark.parametrize(
    ("name", "k", "value"),
    [
        ("tanh", 3, 2.0),
        ("arctan", 5, 24.0),
        ("algebraic", 5, 45.0),
        ("erf", 3, 4 / math.sqrt(math.pi)),
        ("silu", 2, 0.5),
    ],
)
def test_suprema_with_closed_forms(name, k, value):
    assert float(activation.parse(name, True).line_supremum(k)) == pytest.approx(value, rel=1e-10)


def test_derivatives_agree_with_taylor_series():
    for name in NAMES:
        f = activation.parse(name, True)
        for t in (-3.7, -0.2, 0.0, 1.3):
            assert all(f.high(k, arb(t)).overlaps(f.low(k, arb(t))) for k in (1, 2))


def test_positive_definiteness():
    hilbert = linear.rows_of(arb_mat.hilbert(12, 12))
    assert linear.positive(hilbert)
    twice = [row + [row[0]] for row in hilbert] + [hilbert[0] + [hilbert[0][0]]]
    assert not linear.positive(twice)
    stream = np.random.default_rng(0)
    for n in (3, 45, 90):
        x = stream.standard_normal((n, n + 5))
        rows = linear.rows_of(linear.gram(linear.from_doubles(x)))
        values = np.linalg.svd(x, compute_uv=False)
        assert linear.at_least(rows, values[-1] * (1 - 1e-9)) and not linear.at_least(rows, values[-1] * (1 + 1e-9))
        assert linear.at_most(rows, values[0] * (1 + 1e-9)) and not linear.at_most(rows, values[0] * (1 - 1e-9))
        assert values[0] * (1 - 1e-12) < float(linear.norm(rows)) < values[0] * (1 + 1e-10)


def test_sizes_by_the_kernel():
    stream = np.random.default_rng(1)
    x, y = stream.standard_normal((6, 9)), stream.standard_normal((6, 7))
    kernel = Kernel(linear.rows_of(linear.gram(linear.from_doubles(x))))
    found = float(kernel.largest(linear.rows_of(linear.gram(linear.from_doubles(y)))))
    known = np.linalg.eigvals(np.linalg.solve(x @ x.T, y @ y.T)).real.max()
    assert known * (1 - 1e-10) <= found <= known * (1 + 1e-9)
    rho = stream.standard_normal(6)
    assert float(kernel.correction([arb(float(v)) for v in rho])) == pytest.approx(
        np.linalg.norm(np.linalg.pinv(x) @ rho)
    )


def _random(stream, name, widths, metric):
    layers, n = len(widths) - 1, 4
    multiplicities = [1, 2, 1, 3]
    factors = stream.uniform(0.2, 1.5, (2, layers)).tolist() if metric else [[1.0] * layers] * 2
    arrays = [stream.standard_normal((b, a)) for a, b in zip(widths, widths[1:])]
    biases = [stream.standard_normal(b) for b in widths[1:]]
    merged = Merged(stream.standard_normal((n, widths[0])), stream.standard_normal((n, widths[-1])), multiplicities, 7)
    return network.Setting(
        widths=widths,
        activation=activation.parse(name, True),
        inputs="raw",
        d_weights=[None] + factors[0],
        d_biases=[None] + factors[1],
        merged=merged,
        arrays=[None] + arrays,
        biases=[None] + biases,
    )


def _jacobian(setting, arrays, biases):
    """Rows (i, c) times sqrt m, in the coordinates u, by reverse passes in doubles of small, benign networks."""
    rows, f = [], setting.activation
    at = np.vectorize(lambda k, t: float(f.low(int(k), arb(float(t))).mid()))
    for x, m in zip(setting.merged.inputs, setting.merged.multiplicities):
        h, z = [x], [None]
        for l in range(1, setting.layers + 1):
            z.append(arrays[l] @ h[-1] + biases[l])
            h.append(at(0, z[l]))
        for c in range(setting.outputs):
            g, parts = np.eye(setting.outputs)[c], []
            for l in range(setting.layers, 0, -1):
                parts.append(np.outer(g, h[l - 1]).ravel() * setting.d_weights[l])
                parts.append(g * setting.d_biases[l])
                if l > 1:
                    g = (arrays[l].T @ g) * at(1, z[l - 1])
            rows.append(math.sqrt(m) * np.concatenate(parts))
    return np.array(rows)


@pytest.mark.parametrize("widths", [[3, 4, 1], [3, 3, 4, 1], [2, 3, 2, 2, 1], [3, 4, 2]])
@pytest.mark.parametrize("name", ["tanh", "gelu", "softsign"])
def test_jacobians_on_balls_obey_their_bounds(widths, name):
    stream = np.random.default_rng(len(widths) + len(name))
    for metric in (False, True):
        setting = _random(stream, name, widths, metric)
        centre = network.at_tensors(setting)
        start = _jacobian(setting, setting.arrays, setting.biases)
        weights = np.array([m for m in centre.weights for _ in range(setting.outputs)], dtype=float)
        kernel = np.array([[float(x.mid()) for x in row] for row in centre.kernel])
        assert np.allclose(start @ start.T, kernel * np.sqrt(np.outer(weights, weights)), rtol=1e-11, atol=1e-11)
        for s in (1e-3, 0.1, 1.0):
            ball = Ball(
                centre, s, linear.norm(centre.inputs_gram, centre.weights), arb(np.linalg.norm(start, 2) * (1 + 1e-12))
            )
            drift = ball.drift()
            norm, lipschitz = float(ball.norm(drift)), float(ball.lipschitz())
            for _ in range(6):
                moved = _move(setting, stream, s)
                there = _jacobian(setting, *moved)
                distance = np.linalg.norm(there - start, 2)
                assert distance <= float(drift) + 1e-11 and distance <= lipschitz * s + 1e-11
                assert np.linalg.norm(there, 2) <= norm + 1e-11


def _move(setting, stream, s):
    """A point of the sphere of radius s in the coordinates u."""
    arrays = [stream.standard_normal(w.shape) for w in setting.arrays[1:]]
    biases = [stream.standard_normal(b.shape) for b in setting.biases[1:]]
    size = math.sqrt(sum(float((a**2).sum()) for a in arrays + biases)) / s
    weights = [w + d * a / size for w, d, a in zip(setting.arrays[1:], setting.d_weights[1:], arrays)]
    shifts = [b + d * a / size for b, d, a in zip(setting.biases[1:], setting.d_biases[1:], biases)]
    return [None] + weights, [None] + shifts


def test_third_order_bounds_differences_of_second_derivatives():
    stream = np.random.default_rng(8)
    setting = _random(stream, "tanh", [2, 3, 3, 1], False)
    centre, s, step = network.at_tensors(setting), 0.05, 1e-3
    bound = float(third_order.bound(centre, arb(s)))
    for _ in range(10):
        arrays, biases = _move(setting, stream, 1.0)
        direction = [a - b for a, b in zip(arrays[1:] + biases[1:], setting.arrays[1:] + setting.biases[1:])]
        flat = np.concatenate(
            [part.ravel() for pair in zip(direction[: setting.layers], direction[setting.layers :]) for part in pair]
        )
        slopes = []
        for k in (-1, 0, 1):
            here = [b + k * step * d for b, d in zip(setting.arrays[1:] + setting.biases[1:], direction)]
            layers = setting.layers
            jacobian = _jacobian(setting, [None] + here[:layers], [None] + here[layers:])
            slopes.append(jacobian @ _by_block(flat, setting))
        third = np.linalg.norm(slopes[0] - 2 * slopes[1] + slopes[2]) / step**2
        # The difference quotient is a mean of third derivatives on the ball.
        assert third <= bound + 1e-6


def _by_block(flat, setting):
    """From W_1, b_1, ..., W_L, b_L to the order of the rows of _jacobian, last layer first."""
    parts, at = [], 0
    for a, b in zip(setting.widths, setting.widths[1:]):
        parts.append(flat[at : at + a * b + b])
        at += a * b + b
    return np.concatenate(parts[::-1])


def test_numbers_have_one_spelling():
    for x in (3.0, 0.0, -0.0, 0.1, 5e-324, 2.0**-1022, 1.7976931348623157e308, -1e-310):
        assert hexfloat.parse(hexfloat.spell(x), "x") == x
    assert hexfloat.spell(3.0) == "0x1.8p+1" and hexfloat.spell(-0.0) == "0x0p+0"
    for text in (
        "0x1.80p+1",
        "3",
        "0x1.8p1",
        "0x1.8P+1",
        "0x3p+0",
        "-0x0p+0",
        "0x1p+1024",
        "nan",
        "0x1p-1075",
        3.0,
        None,
    ):
        with pytest.raises(BadInput):
            hexfloat.parse(text, "x")
