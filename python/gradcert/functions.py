"""The functions of the package. The loss is always S, the mean over samples of squared errors, and steps are steps on S."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcert import _gradcert
from gradcert._data import Recipe, data, samples
from gradcert._options import _net, _threads
from gradcert.exceptions import Declined, ModelError, UsageError
from gradcert.results import Audit, Certificate, Check, History, Kernel, Model, Polished, Training, Verdict, Width

__all__ = [
    "audit",
    "certify",
    "check",
    "criterion",
    "inspect",
    "limit_kernel",
    "load_bundled",
    "polish",
    "relu_width",
    "tangent_kernel",
    "train",
]

#: Called with what is being done, a number of steps and a size (loss, residual), about twenty times a second.
Progress = Callable[[str, int, float | None], None]
OnDecline = Literal["raise", "return"]


def _options(keywords: Mapping[str, Any]) -> str:
    return _net(**{name: keywords[name] for name in _net.__annotations__ if name != "return"})


def certify(
    X: ArrayLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: int | Sequence[int] = (32,),
    activation: str = "smooth-leaky-relu:0.1",
    start: str | Model = "positive",
    scale: str | float = "auto",
    hidden_scale: str | float = "auto",
    layer_steps: str | None = None,
    method: str = "sharp",
    whiten: bool = True,
    trained: str = "all",
    freeze_bias: bool = False,
    lift: str | None = None,
    merge_duplicates: bool = False,
    labels: bool | None = None,
    retry: int = 1,
    random_state: int = 0,
    tol: float = 1e-20,
    n_jobs: int | None = -1,
    on_decline: OnDecline = "raise",
    progress: Progress | None = None,
) -> Certificate:
    """Proves, before training, that gradient descent interpolates the data.

    Args:
        X: samples (n x d). Contiguous float64 arrays are read in place.
        y: one number per sample, n x k numbers for k outputs (one network each), or classes.
        hidden_layer_sizes: widths of the hidden layers.
        activation: 'smooth-leaky-relu:C', 'softplus', 'tanh', 'logistic', 'erf', 'arctan', 'algebraic', 'softsign', 'identity', ...
        start: 'positive', or drawn: 'lecun', 'abs-lecun', 'he', 'xavier', 'ntk', 'conditional'; or a model with one network per output.
        scale: output scale A of the positive start: 'auto', 'min' or a number.
        hidden_scale: entries of the hidden layers of the positive start: 'auto' or a number.
        layer_steps: steps of the later layers: 'equal', 'auto' (slower, chosen); by default 'auto' with `whiten`.
        method: 'sharp' bounds, or those of the original 'paper'.
        whiten: train the first layer in coordinates in which the samples are unit vectors.
        trained: 'all' layers or the 'first-layer'.
        freeze_bias: keep every bias at its start.
        lift: random features for n > d: 'fourier', 'tanh' or 'relu', with a number of features if wanted, 'fourier:D:SEED:SCALE'.
        merge_duplicates: merge equal rows with equal targets.
        labels: numbers in y are classes; by default text, booleans and objects are.
        retry: draw up to so many starts until one is certified.
        random_state: seed of a drawn start.
        tol: the level of S (a mean) that counts as zero.
        n_jobs: threads; -1 for all processors.
        on_decline: 'raise' `Declined`, or 'return' a certificate whose status is 'declined'.
        progress: see `Progress`.

    Returns:
        The certificate, with one entry of `problems` per output.

    Raises:
        Declined: a hypothesis is not met.
        DataError, UsageError, ResourceLimitError: bad input.
    """
    certificate, _ = _certify(
        Recipe(labels, merge_duplicates, lift), X, y, _options(locals()), start, on_decline, progress
    )
    return certificate


def _certify(
    recipe: Recipe,
    X: ArrayLike,
    y: ArrayLike,
    options: str,
    start: str | Model,
    on_decline: OnDecline,
    progress: Progress | None,
) -> tuple[Certificate, _gradcert.Certification]:
    _known(on_decline, ("raise", "return"))
    own = data(X, y, recipe)
    native = _gradcert.certify(own, options, start._native if isinstance(start, Model) else None, progress)
    if on_decline == "raise":
        native.require()
    return _certificate(native, own, recipe), native


def _known(value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError("usage", f"on_decline={value!r}: choose one of {choices}")


def _certificate(native: _gradcert.Certification, own: _gradcert.Data, recipe: Recipe) -> Certificate:
    about = json.loads(native.summary())
    certified = all(p["status"] == "certified" for p in about["problems"])
    begin = native.start() if certified else None
    return Certificate(
        problems=tuple(about["problems"]),
        seconds=about["seconds"],
        text=native.certificate() if certified else None,
        start=None if begin is None else Model(begin),
        # What the lift left open is known now.
        recipe=Recipe(recipe.labels, recipe.merge_duplicates, own.lift),
        _data=own,
    )


def train(
    X: ArrayLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: int | Sequence[int] = (32,),
    activation: str = "smooth-leaky-relu:0.1",
    start: str | Model = "positive",
    scale: str | float = "auto",
    hidden_scale: str | float = "auto",
    layer_steps: str | None = None,
    method: str = "sharp",
    whiten: bool = True,
    trained: str = "all",
    freeze_bias: bool = False,
    lift: str | None = None,
    merge_duplicates: bool = False,
    labels: bool | None = None,
    retry: int = 1,
    random_state: int = 0,
    tol: float = 1e-20,
    optimizer: Literal["gd", "adam", "lbfgs"] | None = None,
    step_size: float | None = None,
    max_iter: int | None = None,
    audit: bool = True,
    audit_every: int | None = None,
    n_jobs: int | None = -1,
    on_decline: Literal["raise", "train"] = "raise",
    progress: Progress | None = None,
) -> Training:
    """Certifies, trains as promised, and audits what came out.

    Arguments that are not described here are those of `certify`.

    Args:
        X: samples (n x d).
        y: targets.
        hidden_layer_sizes: see `certify`.
        activation: see `certify`.
        start: see `certify`.
        scale: see `certify`.
        hidden_scale: see `certify`.
        layer_steps: see `certify`.
        method: see `certify`.
        whiten: see `certify`.
        trained: see `certify`.
        freeze_bias: see `certify`.
        lift: see `certify`.
        merge_duplicates: see `certify`.
        labels: see `certify`.
        retry: see `certify`.
        random_state: see `certify`; also the seed of runs without a certificate.
        tol: stop when S is at most this.
        optimizer: another method than gradient descent with the certified step; nothing is proved about such a run.
        step_size: another step on S; nothing is proved about it.
        max_iter: stop after so many iterations (default: the certified number, 100,000 without a certificate).
        audit: prove something about the trained networks.
        audit_every: audit every so many iterations on the way; `runs[i]["first_provable"]` is the first iterate from which plain gradient
            descent is proved to converge.
        n_jobs: threads.
        on_decline: 'raise' `Declined`; or 'train' what is declined from a LeCun start by L-BFGS, without a certificate.
        progress: see `Progress`.

    Returns:
        Networks, certificate, history and audit. A run that was interrupted by Ctrl-C raises `KeyboardInterrupt`.

    Raises:
        Declined: a hypothesis is not met.
        DataError, UsageError, ResourceLimitError: bad input.
    """
    _known(on_decline, ("raise", "train"))
    keep: OnDecline = "raise" if on_decline == "raise" else "return"
    recipe = Recipe(labels, merge_duplicates, lift)
    certificate, native = _certify(recipe, X, y, _options(locals()), start, keep, progress)
    return _train(
        certificate,
        native,
        {
            "optimizer": optimizer,
            "step_size": None if step_size is None else float(step_size),
            "max_iter": None if max_iter is None else int(max_iter),
            "uncertified": on_decline == "train",
            "audit": bool(audit),
            "audit_every": None if audit_every is None else int(audit_every),
        },
        progress,
    )


def _train(
    certificate: Certificate,
    native: _gradcert.Certification,
    options: dict[str, Any],
    progress: Progress | None,
) -> Training:
    if options["max_iter"] is not None and options["max_iter"] < 0:
        raise UsageError("usage", "max_iter is not negative")
    trained = _gradcert.train(native, json.dumps(options), progress)
    runs = json.loads(trained.summary())
    own = trained.audit()
    audited = None
    if own is not None and certificate._data is not None:
        audited = _audit(own, certificate._data, certificate.recipe)
    return Training(
        certificate=certificate,
        model=Model(trained.model()),
        runs=tuple(runs),
        history=tuple(_history(trained.history(i)) for i in range(len(runs))),
        audit=audited,
    )


def _history(table: NDArray[np.float64]) -> History:
    iteration, *others = table.T
    return History(iteration.astype(np.int64), *(np.ascontiguousarray(column) for column in others))


def _as_model(model: Model | str | os.PathLike[str], activation: str | None) -> Model:
    if not isinstance(model, Model):
        return Model.load(model, activation)
    if activation is not None:
        raise UsageError("usage", "activation= is about the file of a state dict; a Model has its own")
    return model


def _own_lift(model: Model, lift: str | None) -> str | None:
    own = model.about["lift"]
    if own is not None and lift is not None:
        raise UsageError("usage", f"the model has its own lift, {own}: leave out lift")
    return own or lift


def audit(
    model: Model | str | os.PathLike[str],
    X: ArrayLike,
    y: ArrayLike,
    *,
    activation: str | None = None,
    coding: Literal["auto", "plus-minus-one", "one-hot"] = "auto",
    lift: str | None = None,
    merge_duplicates: bool = False,
    labels: bool | None = None,
    tol: float = 1e-20,
    n_jobs: int | None = -1,
    on_decline: OnDecline = "raise",
    progress: Progress | None = None,
) -> Audit:
    """Proves that an exactly interpolating network lies next to a trained one, and whether gradient descent goes there (T15, T16).

    Args:
        model: a model, or the file of one: of this program, a state dict in safetensors, ONNX.
        X: samples (n x d).
        y: targets: a number per output, or classes (coded as -1 and 1 for two; for more see `coding`).
        activation: of a state dict, as it is called where it was made.
        coding: targets of a network with one output per class; 'auto' is the one with the smaller residual.
        lift: random features the network reads; a model that has its own lift uses that.
        merge_duplicates: merge equal rows with equal targets.
        labels: numbers in y are classes.
        tol: level of S to which iterations of descent from the model are counted.
        n_jobs: threads; -1 for all processors.
        on_decline: 'raise' `Declined`, or 'return' an audit whose status is 'declined'.
        progress: see `Progress`.

    Raises:
        Declined: a hypothesis is not met, for instance the network is not trained to interpolation.
        DataError, ModelError, UsageError, ResourceLimitError: bad input.
    """
    _known(on_decline, ("raise", "return"))
    model = _as_model(model, activation)
    recipe = Recipe(labels, merge_duplicates, _own_lift(model, lift))
    own = data(X, y, recipe)
    native = _gradcert.audit(own, model._native, _tolerance(tol), coding, _threads(n_jobs), progress)
    if on_decline == "raise":
        native.require()
    return _audit(native, own, recipe)


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise UsageError("usage", f"{name}={value!r}: a positive number")
    return float(value)


def _tolerance(tol: float) -> float:
    return _positive("tol", tol)


def _audit(native: _gradcert.Audit, own: _gradcert.Data, recipe: Recipe) -> Audit:
    about = json.loads(native.summary())
    certified = all(p["status"] == "certified" for p in about["problems"])
    return Audit(
        problems=tuple(about["problems"]),
        seconds=about["seconds"],
        text=native.certificate() if certified else None,
        start=Model(native.model()),
        recipe=Recipe(recipe.labels, recipe.merge_duplicates, own.lift),
        _data=own,
    )


def polish(
    model: Model | str | os.PathLike[str],
    X: ArrayLike,
    y: ArrayLike,
    *,
    activation: str | None = None,
    coding: Literal["auto", "plus-minus-one", "one-hot"] = "auto",
    lift: str | None = None,
    merge_duplicates: bool = False,
    labels: bool | None = None,
    single: bool = False,
    max_iter: int = 200,
    n_jobs: int | None = -1,
    progress: Progress | None = None,
) -> Polished:
    """Moves a trained network, by Gauss-Newton steps, to a nearby one that interpolates up to the rounding of its weights.

    Args:
        model: see `audit`.
        X: samples (n x d).
        y: targets.
        activation: see `audit`.
        coding: see `audit`.
        lift: see `audit`.
        merge_duplicates: see `audit`.
        labels: see `audit`.
        single: round the result to float32.
        max_iter: most steps.
        n_jobs: threads.
        progress: see `Progress`.

    Raises:
        Declined: the tangent kernel is singular, or there are too few parameters.
        DataError, ModelError, UsageError, ResourceLimitError: bad input.
    """
    model = _as_model(model, activation)
    own = data(X, y, Recipe(labels, merge_duplicates, _own_lift(model, lift)))
    moved, reports = _gradcert.polish(own, model._native, int(max_iter), coding, single, _threads(n_jobs), progress)
    return Polished(Model(moved), tuple(json.loads(reports)))


def tangent_kernel(
    model: Model | str | os.PathLike[str],
    X: ArrayLike,
    *,
    activation: str | None = None,
    network: int = 0,
    bound: bool = True,
    n_jobs: int | None = -1,
) -> Kernel:
    """The tangent kernel (T6) `K_ij = <grad_w f(x_i), grad_w f(x_j)>` of a network with one output, all parameters trained.

    Args:
        model: see `audit`.
        X: samples (n x d), at least two.
        activation: see `audit`.
        network: which one, if there are several.
        bound: also prove a lower bound of the smallest eigenvalue.
        n_jobs: threads.

    Raises:
        DataError, ModelError, UsageError, ResourceLimitError: bad input.
    """
    model = _as_model(model, activation)
    # A kernel has no targets; these are equal where samples are.
    numbers = np.unique(samples(X), axis=0, return_inverse=True)[1].reshape(-1, 1).astype(np.float64)
    own = data(X, np.tile(numbers, (1, model.networks)), Recipe(lift=model.about["lift"]))
    matrix, lower = _gradcert.tangent_kernel(own, model._native, int(network), bool(bound), _threads(n_jobs))
    return Kernel(matrix, lower)


def limit_kernel(
    X: ArrayLike,
    kernel: str = "hinf",
    *,
    activation: str = "softplus",
    depth: int = 2,
    residual_scale: float = 0.5,
    channels: int = 1,
    patch: int = 3,
    normalize: bool = False,
    bound: bool = True,
    n_jobs: int | None = -1,
) -> Kernel:
    """The limit of a tangent kernel for wide networks (arXiv 1810.02054, 1811.03804), see `gradcert kernel`.

    For 'hinf' and 'hinf-joint' the lower bound is that of the exact kernel, for the others that of the matrix as computed.

    Args:
        X: samples (n x d).
        kernel: 'hinf', 'hinf-joint' (two layers of rectified linear units, the first or both trained), 'fc', 'resnet' or 'conv-resnet'.
        activation: of deep networks; 'softplus' is ln(1 + e^t) here, 'relu' is possible.
        depth: the hidden layers H of deep networks.
        residual_scale: c_res of residual networks, between 0 and 1; every layer is multiplied by c_res / H.
        channels: of images: features are channel after channel.
        patch: pixels that a unit of a convolutional network sees, odd.
        normalize: divide every sample by its norm.
        bound: also prove a lower bound of the smallest eigenvalue.
        n_jobs: threads.

    Raises:
        DataError, UsageError, ResourceLimitError: bad input.
    """
    own = samples(X)
    if normalize:
        norms = np.linalg.norm(own, axis=1, keepdims=True)
        own = np.divide(own, norms, out=np.zeros_like(own), where=norms > 0)
    if not (0 <= int(depth) <= 1000 and 0 <= int(channels) <= 10**6 and 0 <= int(patch) <= 10**6):
        raise UsageError("usage", "depth is in [1, 1000], channels and patch in [1, 10^6]")
    sizes = (int(depth), float(residual_scale), int(channels), int(patch))
    matrix, lower, error = _gradcert.limit_kernel(own, kernel, activation, *sizes, bool(bound), _threads(n_jobs))
    return Kernel(matrix, lower, error)


def relu_width(
    X: ArrayLike,
    y: ArrayLike,
    *,
    width: int | None = None,
    antisymmetric: bool = True,
    step_size: float | None = None,
    max_width: int = 1_000_000,
    resolution: float = 0.02,
    labels: bool | None = None,
    random_state: int = 0,
    tol: float = 1e-20,
    n_jobs: int | None = -1,
    on_decline: OnDecline = "raise",
    progress: Progress | None = None,
) -> Width:
    """Proves that gradient descent on the first layer of a two-layer ReLU network interpolates, or searches the smallest width (T14).

    Args:
        X: samples (n x d).
        y: one target per sample, or two classes.
        width: decide about this one; by default the smallest certified one is searched, by doubling and bisection.
        antisymmetric: every neuron twice, with opposite signs: all outputs of the start are 0 (an odd width is rounded up).
        step_size: on the mean loss S; by default the one with the fewest certified iterations.
        max_width: the search tries no larger one.
        resolution: the search ends when the certified width is larger by at most this share than one that is not.
        labels: numbers in y are classes.
        random_state: seed of the start.
        tol: the level of S (a mean) that counts as zero.
        n_jobs: threads; -1 for all processors.
        on_decline: 'raise' `Declined`, or 'return' a width whose status is 'declined'.
        progress: see `Progress`.

    Raises:
        Declined: a hypothesis is not met, or no width up to the largest is certified.
        DataError, UsageError, ResourceLimitError: bad input.
    """
    _known(on_decline, ("raise", "return"))
    if (width is not None and not 1 <= int(width) <= 10**8) or not 2 <= int(max_width) <= 10**8 or not resolution > 0:
        raise UsageError("usage", "width is in [1, 10^8], max_width in [2, 10^8], resolution positive")
    options = {
        "width": None if width is None else int(width),
        "antisymmetric": bool(antisymmetric),
        "seed": int(random_state),
        "tolerance": _tolerance(tol),
        "step_size": None if step_size is None else _positive("step_size", step_size),
        "max_width": int(max_width),
        "resolution": float(resolution),
        "threads": _threads(n_jobs),
    }
    recipe = Recipe(labels)
    own = data(X, y, recipe)
    about, files = _gradcert.relu_width(own, json.dumps(options), progress)
    found = json.loads(about)
    text, start = files if files is not None else (None, None)
    proof = Width((found,), found["seconds"], text, start, recipe, own)
    if on_decline == "raise" and not proof.certified:
        raise proof.declined()
    return proof


def criterion(
    function: str,
    start: Mapping[str, float],
    *,
    radius: float | None = None,
    max_boxes: int = 200_000,
    on_decline: OnDecline = "raise",
) -> Verdict:
    """Proves that gradient flow and descent on a formula reach a zero of it (T1, T1i, T2, T2').

    Args:
        function: a formula, such as '(x^2 + y^2 - 1)^2'.
        start: values of its variables.
        radius: of the ball around the start; by default the best one is searched.
        max_boxes: most boxes that are evaluated.
        on_decline: 'raise' `Declined`, or 'return' a verdict that is not certified.

    Raises:
        Declined: nothing is proved from this start.
        FormulaError: the formula or the start cannot be used.
    """
    _known(on_decline, ("raise", "return"))
    names, values = list(start), [float(v) for v in start.values()]
    about = json.loads(_gradcert.criterion(function, names, values, radius, int(max_boxes)))
    reasons = [(r["code"], r["message"]) for r in about["reasons"]]
    if on_decline == "raise" and about["status"] != "certified":
        raise Declined(reasons[0][0], reasons[0][1], reasons)
    return Verdict(about)


def inspect(
    X: ArrayLike,
    y: ArrayLike,
    *,
    lift: str | None = None,
    merge_duplicates: bool = False,
    labels: bool | None = None,
) -> dict[str, Any]:
    """What the data are and what can be certified on them: shape, proved smallest singular values, duplicates, constant columns.

    Args:
        X: samples (n x d).
        y: targets.
        lift: see `certify`.
        merge_duplicates: see `certify`.
        labels: see `certify`.

    Raises:
        DataError: the data cannot be used.
    """
    return json.loads(data(X, y, Recipe(labels, merge_duplicates, lift)).inspect())


def check(
    certificate: str | os.PathLike[str],
    X: ArrayLike,
    y: ArrayLike,
    *,
    start: str | os.PathLike[str] | None = None,
    lift: str | None = None,
    labels: bool | None = None,
) -> Check:
    """Lets the independent checker derive every claim of a certificate file again.

    Args:
        certificate: the file.
        X: the samples it speaks about.
        y: the targets.
        start: the parameters it refers to; by default those beside it, `NAME.start.safetensors`.
        lift: the lift, as printed.
        labels: numbers in y are classes.

    Raises:
        CertificateError: a claim is not confirmed, or the data are others.
    """
    path = Path(certificate)
    beside = path.with_suffix(".start.safetensors") if start is None else Path(start)
    content = path.read_bytes()
    model, neurons = None, None
    if start is not None or beside.exists():
        parameters = beside.read_bytes()
        try:
            model = _gradcert.Model.read(parameters, None)
        except ModelError:
            # The start of a width is no network of layers with biases.
            neurons = parameters
    lines = _gradcert.check(content, data(X, y, Recipe(labels, False, lift)), model, neurons)
    return Check(tuple((name, tuple(words)) for name, words in lines))


def load_bundled(name: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Samples and targets of a data set inside the package.

    Args:
        name: 'leukaemia', 'khan', 'khan-test' (the test part of khan) or 'coffee'.

    Raises:
        DataError: there is no such set.
    """
    x, numbers, labels, _ = _gradcert.bundled(name)
    return x, (np.asarray(labels) if numbers is None else numbers)
