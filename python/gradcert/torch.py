"""Audits of modules of PyTorch: chains of Linear layers with one supported activation between them.

Torch itself is never imported here: whatever has the same methods (`children`, `weight`, `bias`, `detach`, `new_tensor`, ...) will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcert import functions
from gradcert.exceptions import Declined, ModelError
from gradcert.results import Audit, Model, Polished

__all__ = ["AuditCallback", "Moment", "audit", "model", "polish_"]

#: Modules by the name of their class, and the activation they are.
ACTIVATIONS = {
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "GELU": "gelu",
    "SiLU": "silu",
    "Softsign": "softsign",
}
#: Modules that change nothing when a network is evaluated.
SILENT = ("Identity", "Flatten", "Dropout", "AlphaDropout")
KINKED = ("ReLU", "LeakyReLU", "PReLU", "SELU", "ReLU6", "Hardtanh", "ELU")

#: Outputs of module and model may differ by so much, relative to their size, times the roundoff of the parameters' number format.
ROUNDING = 1e4


def _refuse(code: str, message: str) -> ModelError:
    return ModelError(code, message)


def _leaves(module: Any) -> Iterator[Any]:
    children = list(module.children())
    if not children:
        yield module
    for child in children:
        yield from _leaves(child)


def _activation(leaf: Any) -> str:
    name = type(leaf).__name__
    if name in KINKED:
        raise _refuse("activation_unsupported", f"{name} is not smooth: nothing can be proved about it here")
    if name not in ACTIVATIONS:
        raise _refuse("operator", f"{name} is no Linear layer and no supported activation: {', '.join(ACTIVATIONS)}")
    if name == "Softplus" and getattr(leaf, "beta", 1) != 1:
        raise _refuse("activation_unsupported", "Softplus with another beta than 1")
    if name == "GELU" and getattr(leaf, "approximate", "none") != "none":
        raise _refuse("activation_unsupported", "GELU in its tanh approximation: use GELU(), which is exact")
    return ACTIVATIONS[name]


def _chain(module: Any, activation: str | None) -> tuple[list[Any], str]:
    """The Linear layers in the order of the module's children, and the one activation between them."""
    layers: list[Any] = []
    found: list[str] = []
    between = False
    for leaf in _leaves(module):
        name = type(leaf).__name__
        if name == "Linear":
            if layers and not between and activation is None:
                raise _refuse(
                    "activation_unsupported",
                    "no activation module stands between two Linear layers: if forward() applies one, name it with activation=",
                )
            layers.append(leaf)
            between = False
        elif name in SILENT:
            if "Dropout" in name and getattr(leaf, "training", False) and getattr(leaf, "p", 0) > 0:
                raise _refuse("operator", f"{name} is random while training: call module.eval() first")
        else:
            found.append(_activation(leaf))
            if between:
                raise _refuse("activation_place", "two activations follow one another")
            between = True
            if not layers:
                raise _refuse("activation_place", "an activation stands before the first Linear layer")
    if not layers:
        raise _refuse("operator", "the module has no Linear layer")
    if between:
        raise _refuse("activation_place", "an activation stands after the last Linear layer")
    names = set(found) | ({activation} if activation else set())
    if len(names) != 1:
        raise _refuse("activation_unsupported", f"one activation in all hidden layers is needed, not {sorted(names)}")
    return layers, names.pop()


def _double(tensor: Any) -> NDArray[np.float64]:
    """A float tensor as doubles, exactly."""
    return np.asarray(tensor.detach().cpu().double().numpy(), dtype=np.float64)


def _array(x: Any) -> Any:
    return x.detach().cpu().numpy() if hasattr(x, "detach") else x


def _roundoff(layers: list[Any]) -> float:
    kind = str(layers[0].weight.dtype)
    for name, roundoff in (("float64", 2.0**-53), ("bfloat16", 2.0**-8), ("float16", 2.0**-11), ("float32", 2.0**-24)):
        if kind.endswith(name):
            return roundoff
    raise _refuse("number_format", f"parameters of the type {kind}")


def model(module: Any, X: Any = None, *, activation: str | None = None) -> Model:
    """The network a module computes.

    The layers are taken in the order in which the module holds them. With samples the module is run on them, and refused if its outputs
    are not those of the chain: `forward` may do something else than the children suggest.

    Args:
        module: an `nn.Sequential`, or any module made of Linear layers and one kind of activation.
        X: samples (n x d) for that comparison.
        activation: the one that `forward` applies, where it is no module of its own.

    Raises:
        ModelError: anything else than such a chain.
    """
    layers, name = _chain(module, activation)
    read = Model.from_layers(
        [_double(layer.weight) for layer in layers],
        [None if layer.bias is None else _double(layer.bias) for layer in layers],
        name,
        elsewhere=True,
    )
    if X is not None:
        _compare(module, layers, read, np.asarray(_array(X), dtype=np.float64))
    return read


def _compare(module: Any, layers: list[Any], read: Model, X: NDArray[np.float64]) -> None:
    own = _double(module(layers[0].weight.new_tensor(X))).reshape(len(X), -1)
    chain = read.outputs(X)
    size = 1.0 + float(np.max(np.abs(chain)))
    if own.shape != chain.shape or not np.max(np.abs(own - chain)) <= ROUNDING * _roundoff(layers) * size:
        raise _refuse("layer_order", "the outputs of the module are not those of its Linear layers in their order")


def audit(module: Any, X: Any, y: Any, *, activation: str | None = None, **options: Any) -> Audit:
    """`gradcert.audit` of a module with its parameters as they are.

    Args:
        module: see `model`.
        X: samples (n x d), an array or a tensor.
        y: targets, an array or a tensor.
        activation: see `model`.
        options: those of `gradcert.audit`.
    """
    return functions.audit(model(module, X, activation=activation), _array(X), _array(y), **options)


def polish_(module: Any, X: Any, y: Any, *, activation: str | None = None, **options: Any) -> Polished:
    """`gradcert.polish`, whose parameters are written back into the module (rounded to float32 if that is what it holds).

    Args:
        module: see `model`; its parameters are float32 or float64.
        X: samples (n x d), an array or a tensor.
        y: targets, an array or a tensor.
        activation: see `model`.
        options: those of `gradcert.polish`.
    """
    layers, _ = _chain(module, activation)
    if _roundoff(layers) > 2.0**-24:
        raise _refuse("number_format", "polished parameters fit float32 and float64: call module.float() first")
    single = _roundoff(layers) > 2.0**-53
    read = model(module, X, activation=activation)
    polished = functions.polish(read, _array(X), _array(y), single=single, **options)
    weights, biases = polished.model.weights(), polished.model.biases()
    for layer, weight, bias in zip(layers, weights, biases, strict=True):
        layer.weight.data.copy_(layer.weight.new_tensor(weight))
        if layer.bias is not None:
            layer.bias.data.copy_(layer.bias.new_tensor(bias))
    return polished


@dataclass(frozen=True)
class Moment:
    """What is proved at one step of a training loop."""

    step: int
    audit: Audit

    @property
    def convergence(self) -> bool:
        """Whether it is proved that plain gradient descent from here converges."""
        return self.audit.convergence


class AuditCallback:
    """Audits a module every so many steps of a training loop, and says from which on convergence is proved.

    Nothing is said about the loop going on by its own method: what is proved is that plain full-batch gradient descent from the parameters
    of that step converges.

    Args:
        X: samples (n x d).
        y: targets.
        every: steps between audits.
        activation: see `model`.
        options: those of `gradcert.audit`.
    """

    def __init__(self, X: Any, y: Any, *, every: int = 100, activation: str | None = None, **options: Any) -> None:
        self.X, self.y, self.every, self.activation = X, y, max(1, int(every)), activation
        self.options = {**options, "on_decline": "return"}
        self.moments: list[Moment] = []

    def __call__(self, module: Any, step: int) -> Moment | None:
        """Audits if it is the turn of this step."""
        if step % self.every:
            return None
        moment = Moment(step, audit(module, self.X, self.y, activation=self.activation, **self.options))
        self.moments.append(moment)
        return moment

    @property
    def first_provable(self) -> int | None:
        """The first audited step from which plain gradient descent is proved to converge."""
        return next((m.step for m in self.moments if m.convergence), None)

    def require(self) -> int:
        """The same, or `Declined` with the reasons of the last audit."""
        first = self.first_provable
        if first is not None:
            return first
        if self.moments and not self.moments[-1].audit.certified:
            raise self.moments[-1].audit.declined()
        raise Declined("residual_too_large", "at no audited step convergence is proved")
