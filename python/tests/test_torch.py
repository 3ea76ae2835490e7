import numpy as np
import pytest

import gradcert
import gradcert.onnx
import gradcert.torch
from stand_in import Dropout, Functional, Linear, Module, ReLU, Sequential, Tanh, Tensor


@pytest.fixture
def module():
    random = np.random.default_rng(0)
    first = Linear(random.standard_normal((60, 8)) / 3, random.standard_normal(60))
    return Sequential(Sequential(first, Tanh()), Dropout(), Linear(random.standard_normal((1, 60)) / 8, np.zeros(1)))


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    return random.standard_normal((10, 8)), random.standard_normal(10)


def test_polishing_writes_back_what_an_audit_proves(module, data):
    X, y = data
    with pytest.raises(gradcert.Declined):
        gradcert.torch.audit(module, X, 100 * y)
    polished = gradcert.torch.polish_(module, Tensor(X), Tensor(y))
    assert np.allclose(module(Tensor(X)).array[:, 0], y, atol=1e-12)
    audit = gradcert.torch.audit(module, Tensor(X), Tensor(y))
    assert audit.certified and audit.convergence
    assert np.array_equal(polished.model.weights()[0], next(iter(module.children())).children()[0].weight.array)


def test_single_precision_is_audited_as_it_is(module, data):
    X, y = data
    for layer in (module.modules[0].modules[0], module.modules[2]):
        layer.weight, layer.bias = (Tensor(t.array.astype(np.float32)) for t in (layer.weight, layer.bias))
    gradcert.torch.polish_(module, X, y)
    layer = module.modules[2]
    assert layer.weight.array.dtype == np.float32
    model = gradcert.torch.model(module, X)
    assert np.array_equal(model.weights()[1], layer.weight.array.astype(np.float64))
    assert gradcert.torch.audit(module, X, y).distance > 1e-9


def test_the_callback_says_from_which_step_on_convergence_is_proved(module, data):
    X, y = data
    callback = gradcert.torch.AuditCallback(X, y, every=5)
    layers = [module.modules[0].modules[0], module.modules[2]]
    with pytest.raises(gradcert.Declined):
        callback.require()
    for step in range(2001):
        moment = callback(module, step)
        assert (moment is not None) == (step % 5 == 0)
        if callback.first_provable is not None:
            break
        first, last = layers
        hidden = np.tanh(X @ first.weight.array.T + first.bias.array)
        error = (hidden @ last.weight.array.T)[:, 0] + last.bias.array[0] - y
        back = error[:, None] * last.weight.array * (1 - hidden**2)
        last.weight.array -= 0.05 * error[None] @ hidden / len(X)
        last.bias.array -= 0.05 * error.mean()
        first.weight.array -= 0.05 * back.T @ X / len(X)
        first.bias.array -= 0.05 * back.mean(axis=0)
    assert callback.require() == callback.first_provable == callback.moments[-1].step
    assert not any(m.convergence for m in callback.moments[:-1])


def test_modules_that_are_no_such_chain_are_refused(module, data):
    X, y = data
    weight, last = np.ones((8, 8)), np.ones((1, 8))

    class Conv2d(Module):
        pass

    def code(module, **options):
        with pytest.raises(gradcert.ModelError) as refused:
            gradcert.torch.audit(module, X, y, **options)
        return refused.value.code

    assert code(Sequential(Linear(weight), ReLU(), Linear(last))) == "activation_unsupported"
    assert code(Sequential(Linear(weight), Conv2d(), Linear(last))) == "operator"
    assert code(Sequential(Linear(weight), Linear(last))) == "activation_unsupported"
    assert code(Sequential(Linear(weight), Tanh())) == "activation_place"
    assert code(Sequential(Linear(weight), Tanh(), Tanh(), Linear(last))) == "activation_place"
    assert code(Sequential()) == "operator"
    dropout = Dropout()
    dropout.training = True
    assert code(Sequential(Linear(weight), Tanh(), dropout, Linear(last))) == "operator"


def test_the_order_of_the_children_is_not_trusted(data):
    X, _ = data
    random = np.random.default_rng(2)
    square = [Linear(random.standard_normal((8, 8))) for _ in range(2)]
    assert gradcert.torch.model(Functional(*square), X, activation="tanh").widths == [8, 8, 8]
    with pytest.raises(gradcert.ModelError) as refused:
        gradcert.torch.model(Functional(*square, reverse=True), X, activation="tanh")
    assert refused.value.code == "layer_order"


def test_a_layer_without_bias_keeps_none(data):
    X, y = data
    random = np.random.default_rng(3)
    module = Sequential(Linear(random.standard_normal((40, 8)) / 3), Tanh(), Linear(random.standard_normal((1, 40))))
    polished = gradcert.torch.polish_(module, X, y)
    assert all(np.all(b == 0) for b in polished.model.biases())
    assert gradcert.torch.audit(module, X, y).certified


@pytest.mark.parametrize("name", ["tanh-float32.onnx", "gelu-dynamo-18.onnx", "softplus-torchscript.onnx"])
def test_onnx_files_are_audited(models, expected, name):
    X, y = np.array(expected[name]["samples"]), np.array(expected[name]["outputs"])
    assert gradcert.onnx.audit(models / name, X, y).certified
    content = (models / name).read_bytes()

    class Proto:
        def SerializeToString(self):  # noqa: N802
            return content

    assert np.array_equal(gradcert.onnx.load(Proto()).outputs(X), gradcert.onnx.load(content).outputs(X))


def test_onnx_files_that_are_refused(models):
    with pytest.raises(gradcert.ModelError):
        gradcert.onnx.load(models / "relu.onnx")
    with pytest.raises(gradcert.ResourceLimitError):
        gradcert.onnx.load(models / "huge.onnx")
