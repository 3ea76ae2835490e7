"""Makes the model files beside it and expected.json: what PyTorch, onnxruntime and the reference evaluator of ONNX compute.

    python3 -m venv v && v/bin/pip install torch onnx onnxscript onnxruntime safetensors numpy
    v/bin/python make_models.py

The tests need none of these. Outputs are computed in float64 whatever the format of the weights, each of which a double holds
exactly. Every ONNX file is also run by its own interpreter, which must agree.
"""

import io
import json
import logging
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
SAMPLES = 5
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
expected = {}
refused = {}


def samples(features):
    return np.random.default_rng(features).standard_normal((SAMPLES, features))


def record(name, outputs, x, activation=None, **more):
    entry = {"samples": x.reshape(len(x), -1).tolist(), "outputs": np.asarray(outputs).tolist(), **more}
    if activation:
        entry["activation"] = activation
    expected[name] = entry


# ------------------------------------------------------------------------------------------------------------ state dicts


class Named(nn.Module):
    """Layers whose names need numbers and shapes to be ordered, one without bias."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(7, 3)
        self.fc2 = nn.Linear(7, 7, bias=False)
        self.fc1 = nn.Linear(4, 7)

    def forward(self, x):
        return self.out(torch.sigmoid(self.fc2(torch.sigmoid(self.fc1(x)))))


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 1)
        self.encoder = nn.ModuleDict({"fc": nn.Linear(5, 2)})

    def forward(self, x):
        return self.head(nn.functional.softplus(self.encoder["fc"](x)))


def sequential(widths, activation, bias=True):
    parts = []
    for a, b in zip(widths, widths[1:]):
        parts += [nn.Linear(a, b, bias=bias), activation]
    return nn.Sequential(*parts[:-1])


def state_dict(name, net, dtype, activation):
    net = net.to(dtype)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, HERE / f"{name}.safetensors")
    layers = [m for m in net.modules() if isinstance(m, nn.Linear)]
    x = samples(5 if isinstance(net, Nested) else 4 if isinstance(net, Named) else layers[0].in_features)
    with torch.no_grad():
        outputs = net.to(torch.float64)(torch.from_numpy(x)).numpy()
    record(f"{name}.safetensors", outputs, x, activation)


def state_dicts():
    state_dict("sequential-float64", sequential([6, 8, 8, 8, 8, 8, 1], nn.Tanh()), torch.float64, "tanh")
    state_dict("named-float32", Named(), torch.float32, "sigmoid")
    state_dict("nested-bfloat16", Nested(), torch.bfloat16, "softplus")
    state_dict("sequential-float16", sequential([3, 6, 2], nn.GELU()), torch.float16, "gelu")
    state_dict("silu-float64", sequential([3, 6, 1], nn.SiLU(), bias=False), torch.float64, "silu")

    batch = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    convolution = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(2, 1))
    embedding = nn.ModuleDict({"embedding": nn.Embedding(9, 4), "fc": nn.Linear(4, 1)})
    square = nn.ModuleDict({"first": nn.Linear(3, 3), "second": nn.Linear(3, 3)})
    one = nn.Linear(3, 2)
    for name, net, code in [
        ("batch-norm", batch, "not_fully_connected"),
        ("convolution", convolution, "not_fully_connected"),
        ("embedding", embedding, "not_fully_connected"),
        ("recurrent", nn.LSTM(3, 2), "not_fully_connected"),
        ("order-unknown", square, "layer_order"),
        ("one-layer", one, "one_layer"),
    ]:
        save_file(net.state_dict(), HERE / f"{name}.safetensors")
        refused[f"{name}.safetensors"] = {"code": code, "activation": "tanh"}
    transposed = {"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(4), "2.weight": np.zeros((4, 1)), "2.bias": np.zeros(1)}
    save_arrays(transposed, HERE / "transposed.safetensors")
    refused["transposed.safetensors"] = {"code": "layer_shapes", "activation": "tanh"}
    infinite = {"0.weight": np.full((2, 3), np.inf), "2.weight": np.zeros((1, 2))}
    save_arrays(infinite, HERE / "infinite.safetensors")
    refused["infinite.safetensors"] = {"code": "not_finite", "activation": "tanh"}
    integers = {"0.weight": np.zeros((2, 3), np.int8), "2.weight": np.zeros((1, 2), np.int8)}
    save_arrays(integers, HERE / "int8.safetensors")
    refused["int8.safetensors"] = {"code": "number_format", "activation": "tanh"}
    refused["named-float32.safetensors"] = {"code": "activation_missing"}
    torch.save(one.state_dict(), HERE / "pickle.pt")
    refused["pickle.pt"] = {"code": "model_unknown"}


# ------------------------------------------------------------------------------------------------------------ ONNX by PyTorch


def exported(net, x, opset, dynamo):
    if dynamo:
        batch = torch.export.Dim("n")
        program = torch.onnx.export(net, (x,), dynamo=True, opset_version=opset, dynamic_shapes=({0: batch},), verbose=False)
        return program.model_proto
    file = io.BytesIO()
    axes = {"x": {0: "n"}}
    torch.onnx.export(net, x, file, opset_version=opset, dynamo=False, input_names=["x"], dynamic_axes=axes)
    return onnx.load_from_string(file.getvalue())


def strip(model):
    """Without the traces of the program that made it, which name source files."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    del model.graph.value_info[:]
    return model


class Erf(OpRun):
    """The evaluator's own rounds to float32."""

    op_domain = ""

    def _run(self, x):
        return (np.vectorize(math.erf)(x).astype(x.dtype),)


class Gelu(OpRun):
    """The same; the only form that is evaluated here."""

    op_domain = ""

    def _run(self, x, approximate=None):
        assert approximate in (None, "none")
        return ((x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))).astype(x.dtype),)


def evaluate(model, x):
    return ReferenceEvaluator(model, new_ops=[Erf, Gelu]).run(None, {model.graph.input[0].name: x})[0]


def interpreters(model, x):
    """Outputs of onnxruntime, where it has the operators for the number format, and of the reference evaluator."""
    yield "reference", evaluate(model, x)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString())
        yield "onnxruntime", session.run(None, {session.get_inputs()[0].name: x})[0]
    except (onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented, onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph):
        print("  onnxruntime has no kernel for", model.graph.input[0].type.tensor_type.elem_type)


def compare(name, model, x, outputs, tolerance):
    for program, y in interpreters(model, x):
        error = np.abs(y - outputs).max() / np.abs(outputs).max()
        print(f"  {name}: {program} differs by {error:.1e}")
        assert error < tolerance, (name, program, error)


def onnx_by_torch(name, net, dtype, opset, dynamo, shape=None, tolerance=None):
    net = net.to(dtype).eval()
    first = next(m for m in net.modules() if isinstance(m, nn.Linear))
    x = samples(first.in_features).reshape(SAMPLES, *(shape or (first.in_features,)))
    model = strip(exported(net, torch.from_numpy(x).to(dtype), opset, dynamo))
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    with torch.no_grad():
        outputs = net.to(torch.float64)(torch.from_numpy(x)).numpy()
    single = dtype == torch.float32
    compare(name, model, x.astype(np.float32) if single else x, outputs, 1e-5 if single else tolerance or 1e-13)
    record(f"{name}.onnx", outputs, x, **({"tolerance": tolerance} if tolerance else {}))


def onnx_refused(name, net, opset, dynamo, code, features=3):
    net = net.to(torch.float64).eval()
    model = strip(exported(net, torch.from_numpy(samples(features)), opset, dynamo))
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    refused[f"{name}.onnx"] = {"code": code}


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        return self.c(torch.tanh(self.b(h)) + h)


class Parallel(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return torch.tanh(self.a(x)) * torch.sigmoid(self.b(x))


def onnx_files_by_torch():
    double, single = torch.float64, torch.float32
    onnx_by_torch("tanh-float32", sequential([5, 8, 8, 1], nn.Tanh()), single, 17, False)
    onnx_by_torch("sigmoid-three-outputs", sequential([4, 6, 3], nn.Sigmoid()), double, 17, False)
    onnx_by_torch("softplus-torchscript", sequential([4, 6, 1], nn.Softplus()), double, 17, False)
    # With the threshold of PyTorch, which these samples do not reach.
    onnx_by_torch("softplus-dynamo", sequential([4, 6, 1], nn.Softplus()), double, 20, True)
    onnx_by_torch("gelu-torchscript", sequential([4, 6, 6, 1], nn.GELU()), double, 17, False)
    onnx_by_torch("gelu-float32", sequential([4, 6, 6, 1], nn.GELU()), single, 17, False)
    onnx_by_torch("gelu-dynamo-18", sequential([4, 6, 1], nn.GELU()), double, 18, True)
    onnx_by_torch("gelu-operator", sequential([4, 6, 1], nn.GELU()), double, 20, True)
    onnx_by_torch("silu-dynamo", sequential([4, 6, 1], nn.SiLU()), double, 20, True)
    onnx_by_torch("softsign-torchscript", sequential([4, 6, 1], nn.Softsign()), double, 17, False)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(12, 5, bias=False), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 2))
    onnx_by_torch("flatten", flat, double, 17, False, shape=(1, 3, 4))
    onnx_by_torch("reshape-dynamo", flat, single, 20, True, shape=(1, 3, 4))
    onnx_by_torch("linear", sequential([3, 4, 2], nn.Identity()), double, 17, False)

    onnx_refused("relu", sequential([3, 4, 1], nn.ReLU()), 17, False, "operator")
    onnx_refused("elu", sequential([3, 4, 1], nn.ELU()), 17, False, "operator")
    onnx_refused("gelu-tanh-operator", sequential([3, 4, 1], nn.GELU(approximate="tanh")), 20, True, "operator")
    onnx_refused("gelu-tanh-written-out", sequential([3, 4, 1], nn.GELU(approximate="tanh")), 17, False, "operator")
    onnx_refused("batch-norm", nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 1)), 17, False, "operator")
    onnx_refused("softmax", nn.Sequential(sequential([3, 4, 2], nn.Tanh()), nn.Softmax(1)), 17, False, "operator")
    onnx_refused("residual", Residual(), 17, False, "not_a_chain")
    onnx_refused("parallel", Parallel(), 17, False, "not_a_chain")
    onnx_refused("sigmoid-at-the-end", nn.Sequential(sequential([3, 4, 1], nn.Tanh()), nn.Sigmoid()), 17, False, "activation_place")
    mixed = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 1))
    onnx_refused("mixed", mixed, 17, False, "activation_place")
    onnx_refused("one-layer", nn.Sequential(nn.Linear(3, 1)), 17, False, "one_layer")


# ------------------------------------------------------------------------------------------------------------ ONNX by hand


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


def model_of(nodes, constants, features, kind=TensorProto.DOUBLE, opset=20, shape=None):
    x = helper.make_tensor_value_info("x", kind, shape or ["n", features])
    y = helper.make_tensor_value_info("y", kind, ["n", "m"])
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def by_hand(name, model, x, cast=np.float64, tolerance=1e-13, code=None, check=True):
    if check:
        onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    if code:
        refused[f"{name}.onnx"] = {"code": code}
        return
    # In float64 whatever the format of the weights: the same graph with all constants as doubles.
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    for tensor in wide.graph.initializer:
        if tensor.data_type != TensorProto.INT64:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for value in wide.graph.input:
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    outputs = evaluate(wide, x)
    compare(name, model, x.astype(cast), outputs, tolerance)
    record(f"{name}.onnx", outputs, x)


def double(name, array):
    return helper.make_tensor(name, TensorProto.DOUBLE, array.shape, array.ravel())


def onnx_files_by_hand():
    a, b, c, d = numbers(3, 4), numbers(4, seed=2), numbers(2, 4, seed=3), numbers(1, 2, seed=4)
    x = samples(3)
    gemms = [node("Gemm", "x a b", "z", alpha=0.5, beta=-2.0), node("Tanh", "z", "h"), node("Gemm", "h c d", "y", transB=1)]
    constants = [double("a", a), double("b", b), double("c", c), double("d", d)]
    by_hand("gemm-factors", model_of(gemms, constants, 3), x)
    thirds = [node("Gemm", "x a b", "z", alpha=0.3), *gemms[1:]]
    by_hand("gemm-rounds", model_of(thirds, constants, 3), x, code="weights_would_round")
    columns = [node("Gemm", "x a b", "z", transA=1), *gemms[1:]]
    by_hand("gemm-columns", model_of(columns, constants, 3), x, code="operator")

    f = [helper.make_tensor(n, TensorProto.FLOAT, v.shape, v.astype(np.float32).ravel()) for n, v in [("a", a), ("b", b)]]
    f.append(numpy_helper.from_array(c.astype(np.float32), "c"))
    products = [
        node("MatMul", "x a", "p"), node("Add", "b p", "z"), node("Erf", "z", "h"), node("Identity", "h", "i"),
        node("Transpose", "c", "t", perm=[1, 0]), node("MatMul", "i t", "y"),
    ]
    by_hand("matmul-erf-float32", model_of(products, f, 3, TensorProto.FLOAT), x, np.float32, 1e-5)

    half = [numpy_helper.from_array(v.astype(np.float16), n) for n, v in [("a", a), ("c", c.T)]]
    half.append(helper.make_tensor("b", TensorProto.FLOAT16, b.shape, b.astype(np.float16)))
    halves = [node("MatMul", "x a", "p"), node("Add", "p b", "z"), node("Sigmoid", "z", "h"), node("MatMul", "h c", "y")]
    by_hand("float16", model_of(halves, half, 3, TensorProto.FLOAT16), x, np.float16, 1e-2)

    other = [node("Gemm", "x a", "z"), helper.make_node("Gelu", ["z"], ["h"], domain="com.microsoft"), *gemms[2:]]
    by_hand("other-domain", model_of(other, constants, 3), x, code="operator", check=False)
    batch = model_of([node("Reshape", "x s", "r"), *[node("Gemm", "r a b", "z"), *gemms[1:]]],
                     [*constants, numpy_helper.from_array(np.array([-1, 3]), "s")], 3, shape=["n", 6])
    by_hand("reshape-splits-samples", batch, x, code="operator")
    unused = [*gemms, node("Tanh", "h", "u")]
    by_hand("unused", model_of(unused, constants, 3), x, code="not_a_chain")
    again = [gemms[0], gemms[1], node("Gemm", "h e", "k"), node("Mul", "k h", "m"), node("Gemm", "m c d", "y", transB=1)]
    by_hand("skip", model_of(again, [*constants, double("e", numbers(4, 4))], 3), x, code="not_a_chain")
    cycle = [node("Gemm", "h a b", "z"), node("Tanh", "z", "h"), gemms[2]]
    by_hand("cycle", model_of(cycle, constants, 3), x, code="model_broken", check=False)
    huge = helper.make_tensor("a", TensorProto.DOUBLE, a.shape, a.ravel())
    huge.dims[:] = [1 << 40, 1 << 40]
    by_hand("huge", model_of(gemms, [huge, *constants[1:]], 3), x, code="model_too_large", check=False)
    negative = helper.make_tensor("a", TensorProto.DOUBLE, a.shape, a.ravel())
    negative.dims[:] = [-3, -4]
    by_hand("negative", model_of(gemms, [negative, *constants[1:]], 3), x, code="model_broken", check=False)
    elsewhere = numpy_helper.from_array(a, "a")
    onnx.external_data_helper.set_external_data(elsewhere, "weights.bin")
    elsewhere.ClearField("raw_data")
    by_hand("external", model_of(gemms, [elsewhere, *constants[1:]], 3), x, code="model_broken", check=False)
    integers = [numpy_helper.from_array(np.zeros((3, 4), np.int64), "a"), *constants[1:]]
    by_hand("integer-weights", model_of(gemms, integers, 3), x, code="number_format", check=False)
    extra = helper.make_node("Tanh", ["z"], ["h"], beta=2.0)
    by_hand("unknown-attribute", model_of([gemms[0], extra, gemms[2]], constants, 3), x, code="operator", check=False)
    wrong = [double("a", numbers(4, 4)), *constants[1:]]
    by_hand("wrong-input", model_of(gemms, wrong, 3), x, code="layer_shapes", check=False)


def main():
    torch.manual_seed(0)
    for old in [*HERE.glob("*.safetensors"), *HERE.glob("*.onnx"), *HERE.glob("*.pt")]:
        old.unlink()
    state_dicts()
    onnx_files_by_torch()
    onnx_files_by_hand()
    text = json.dumps({"expected": expected, "refused": refused}, indent=1)
    (HERE / "expected.json").write_text(text + "\n")
    print(f"{len(expected)} models, {len(refused)} refusals")


if __name__ == "__main__":
    main()
