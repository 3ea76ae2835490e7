"""Random arrays across the boundary: shapes, number formats, strides, NaN, emptiness, huge numbers."""

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

import gradcert
from gradcert import _gradcert

KNOWN = (gradcert.Error,)
floats = some.floats(width=64, allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        some.sampled_from([np.float64, np.float32, np.float16, np.int64, np.int8, np.uint16, np.bool_, np.complex64]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    arrays.arrays(np.float64, arrays.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=5), elements=floats),
)
def test_every_array_is_used_or_refused_with_a_code(X, y):
    for call in (gradcert.certify, gradcert.inspect):
        try:
            call(X, y)
        except KNOWN as error:
            assert error.code and error.message and not isinstance(error, gradcert.BugError)


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.float64, some.tuples(some.integers(2, 6), some.integers(6, 9)), elements=some.floats(-1e3, 1e3)),
    some.integers(1, 3),
    some.booleans(),
)
def test_strides_play_no_part(X, step, reverse):
    y = np.arange(len(X), dtype=float)
    wide = np.zeros((X.shape[0], X.shape[1] * step), order="F")
    view = wide[:, ::step][:, ::-1] if reverse else wide[:, ::step]
    view[...] = X
    assert outcome(view, y) == outcome(np.ascontiguousarray(X), y)
    assert outcome(np.asfortranarray(X), y) == outcome(X.copy(), y)


def outcome(X, y):
    try:
        return gradcert.certify(X, y, on_decline="return").problems
    except KNOWN as error:
        return (error.code, error.message)


@settings(max_examples=40, deadline=None)
@given(some.binary(max_size=400))
def test_bytes_of_strangers_are_no_model_and_no_certificate(content):
    for read in (lambda: _gradcert.Model.read(content, "tanh"), lambda: _gradcert.Model.read(content, None)):
        try:
            read()
        except KNOWN as error:
            assert not isinstance(error, gradcert.BugError)
    data = _gradcert.Data(np.eye(3), y=np.arange(3.0).reshape(3, 1))
    try:
        _gradcert.check(content, data, None)
        raise AssertionError("accepted")
    except gradcert.CertificateError as error:
        assert error.code


@settings(max_examples=40, deadline=None)
@given(
    some.lists(
        arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4), elements=floats),
        max_size=4,
    ),
    some.integers(0, 4),
)
def test_layers_fit_or_are_refused(weights, shift):
    biases = [np.zeros(w.shape[0] if k != shift else w.shape[0] + 1) for k, w in enumerate(weights)]
    try:
        model = gradcert.Model.from_layers(weights, biases, "tanh")
    except KNOWN as error:
        assert not isinstance(error, gradcert.BugError)
        return
    outputs = model.outputs(np.ones((2, model.widths[0])))
    assert outputs.shape == (2, model.widths[-1])


def test_an_array_is_not_changed_and_not_kept():
    X, y = np.random.default_rng(0).standard_normal((5, 8)), np.arange(5.0)
    before = X.copy()
    certificate = gradcert.certify(X, y)
    assert np.array_equal(X, before)
    X[...] = 0.0
    assert certificate.check(before, y) == certificate.check()


def test_integers_no_double_equals_are_refused():
    X = np.array([[2**53 + 1, 0], [0, 1]])
    try:
        gradcert.certify(X, [0.0, 1.0])
        raise AssertionError("accepted")
    except gradcert.DataError as error:
        assert error.code == "inexact"
