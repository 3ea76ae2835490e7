"""What calls return: proofs that can be read, saved and checked, networks, and runs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcert import _gradcert
from gradcert._data import Recipe, data, samples
from gradcert.exceptions import Declined

__all__ = ["Audit", "Certificate", "Check", "History", "Kernel", "Model", "Polished", "Training", "Verdict", "Width"]

Proof = TypeVar("Proof", bound="_Proof")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _rounded(value: float | None, up: bool, digits: int = 4) -> str:
    """A bound in few digits that is still one: rounded up or down as decimals, exactly."""
    if value is None:
        return "none"
    context = Context(prec=digits, rounding=ROUND_CEILING if up else ROUND_FLOOR)
    return f"{context.create_decimal(Decimal(value)):g}"


def _down(value: float | None) -> str:
    return _rounded(value, up=False)


def _up(value: float | None) -> str:
    return _rounded(value, up=True)


@dataclass(frozen=True)
class Check:
    """What the independent checker has confirmed: per problem, in words."""

    problems: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        return "valid\n" + "\n".join(
            "\n".join([name, *(f"  {line}" for line in lines)]) for name, lines in self.problems
        )


class Model:
    """One or several networks with the same inputs: `z_l = W_l h_(l-1) + b_l`, `h_l = sigma(z_l)`, the last `z_L` the outputs."""

    def __init__(self, native: _gradcert.Model) -> None:
        self._native = native
        self.about: dict[str, Any] = json.loads(native.describe())

    @classmethod
    def from_layers(
        cls,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike | None],
        activation: str,
        *,
        elsewhere: bool = False,
    ) -> Model:
        """A network of weights (outputs x inputs) and biases, `None` for a layer without.

        Args:
            weights: two layers or more; float32, float16 and float64 are doubles exactly.
            biases: as many.
            activation: a name of this package; with `elsewhere` as it is called in PyTorch and Keras ('sigmoid' is
                1/(1 + e^-t), 'softplus' ln(1 + e^t)).
            elsewhere: see `activation`.

        Raises:
            ModelError: shapes that do not fit, parameters that are not finite, an activation that is not supported.
        """
        double = [np.asarray(w, dtype=np.float64) for w in weights]
        shifts = [None if b is None else np.asarray(b, dtype=np.float64).reshape(-1) for b in biases]
        return cls(_gradcert.Model.from_layers(double, shifts, activation, elsewhere))

    @classmethod
    def load(cls, path: str | os.PathLike[str], activation: str | None = None) -> Model:
        """Reads a model of this program, a state dict in safetensors (with `activation`), or ONNX.

        Raises:
            ModelError: anything that is not a chain of fully connected layers with a supported activation.
            OSError: a file that cannot be read.
        """
        return cls(_gradcert.Model.read(Path(path).read_bytes(), activation))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as the command line does, so that `gradcert predict` and `gradcert audit` read it."""
        _write(Path(path), self._native.to_bytes())

    def save_state_dict(self, path: str | os.PathLike[str], *, single: bool = False) -> None:
        """Writes one network as a plain state dict in safetensors, in float32 with `single`."""
        _write(Path(path), self._native.state_dict(single))

    def outputs(self, X: ArrayLike) -> NDArray[np.float64]:
        """Outputs (n x k) for samples (n x d), in plain floats; a lift of the model is applied first."""
        return self._native.outputs(samples(X))

    def weights(self, network: int = 0) -> list[NDArray[np.float64]]:
        """`W_1, ..., W_L` of one network, each outputs x inputs."""
        return self._native.weights(network)

    def biases(self, network: int = 0) -> list[NDArray[np.float64]]:
        """`b_1, ..., b_L` of one network."""
        return self._native.biases(network)

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return int(self.about["networks"])

    @property
    def widths(self) -> list[int]:
        """`d_0, ..., d_L` of the first network."""
        return list(self.about["widths"])

    @property
    def activation(self) -> str:
        """The activation, by its name in this package."""
        return str(self.about["activation"])

    def __repr__(self) -> str:
        chain = "-".join(map(str, self.widths))
        several = f"{self.networks} networks " if self.networks > 1 else ""
        return f"<gradcert.Model {several}{chain} {self.activation}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._native.to_bytes() == other._native.to_bytes()

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __getstate__(self) -> dict[str, Any]:
        return {"bytes": self._native.to_bytes()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(_gradcert.Model.read(state["bytes"], None))


@dataclass(repr=False)
class _Proof:
    """Claims about one or several problems, and the file that states them."""

    problems: tuple[dict[str, Any], ...]
    seconds: float = field(compare=False)
    text: str | None
    start: Model | bytes | None
    recipe: Recipe
    _data: _gradcert.Data | None = field(default=None, compare=False)

    @property
    def status(self) -> str:
        """'certified' if every problem is, otherwise 'declined'."""
        return "certified" if self.certified else "declined"

    @property
    def certified(self) -> bool:
        """Whether everything is proved."""
        return all(p["status"] == "certified" for p in self.problems)

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Why something is not proved: pairs of a code and a message, each code once."""
        found = {r["code"]: r["message"] for p in reversed(self.problems) for r in reversed(p["reasons"])}
        return tuple(found.items())

    def declined(self) -> Declined:
        """The exception that says why there is no proof."""
        reasons = self.reasons
        return Declined(reasons[0][0], "\n".join(f"{c}: {m}" for c, m in reasons), reasons)

    def _worst(self, key: str) -> Any:
        """The largest value over all problems, `None` where one has none."""
        values = [p[key] for p in self.problems]
        return None if any(v is None for v in values) else max(values)

    def _least(self, key: str) -> Any:
        values = [p[key] for p in self.problems]
        return None if any(v is None for v in values) else min(values)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the certificate file, and the parameters it refers to beside it (`NAME.start.safetensors`).

        Raises:
            Declined: there is nothing to save.
        """
        if self.text is None:
            raise self.declined()
        path = Path(path)
        _write(path, self.text.encode())
        beside = path.with_suffix(".start.safetensors")
        if isinstance(self.start, Model):
            self.start.save(beside)
        elif self.start is not None:
            _write(beside, self.start)

    def check(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> Check:
        """Lets the independent checker derive every claim again, from the samples and targets given or those it was made with.

        Raises:
            Declined: there is no certificate.
            CertificateError: a claim is not confirmed, or the data are not those the certificate speaks about.
        """
        if self.text is None:
            raise self.declined()
        if (X is None) != (y is None):
            raise TypeError("check() takes both X and y, or none of them")
        own = self._data if X is None or y is None else data(X, y, self.recipe)
        if own is None:
            raise TypeError("the data are not kept in a pickled certificate: check(X, y)")
        model = self.start._native if isinstance(self.start, Model) else None
        lines = _gradcert.check(self.text.encode(), own, model, self.start if isinstance(self.start, bytes) else None)
        return Check(tuple((name, tuple(words)) for name, words in lines))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_data": None}

    def _headline(self) -> str:
        return f"<gradcert.{type(self).__name__}: {self.status}, {len(self.problems)} problem(s)"


@dataclass(repr=False)
class Certificate(_Proof):
    """A proof, made before training, that gradient descent with the step stated reaches the tolerance.

    The loss is S, the mean over samples of squared errors; the step is the one on S. The claim is about exact arithmetic.
    """

    @property
    def step_size(self) -> float | None:
        """The step of the slowest problem, on the mean loss S."""
        return None if self.certified_iterations is None else self._slowest()["step_size"]

    @property
    def certified_iterations(self) -> int | None:
        """Every run reaches the tolerance within so many iterations."""
        return self._worst("certified_iterations")

    @property
    def rate(self) -> float | None:
        """Every iteration multiplies S by at most `1 - rate`."""
        return self._least("rate")

    @property
    def radius(self) -> float | None:
        """Every run stays within this distance of its start, in the coordinates of the certificate."""
        return self._worst("radius")

    def _slowest(self) -> dict[str, Any]:
        return max(self.problems, key=lambda p: p["certified_iterations"] or 0)

    def __repr__(self) -> str:
        lines = [self._headline()]
        for p in self.problems:
            if p["status"] != "certified":
                lines += [f"  {p['problem']}: declined ({', '.join(r['code'] for r in p['reasons'])})"]
                continue
            chain = "-".join(map(str, p["widths"]))
            lines += [
                f"  {p['problem']}: {p['theorem']}; {chain} {p['activation']}",
                f"    S <= {p['tolerance']:g} within {p['certified_iterations']} iterations of step "
                f"{p['step_size']:.4g}, each multiplies S by at most 1 - {_down(p['rate'])}",
            ]
        return "\n".join(lines) + ">"


@dataclass(repr=False)
class Audit(_Proof):
    """A proof about a trained network: one that interpolates exactly lies next to it, and whether descent goes there."""

    @property
    def distance(self) -> float | None:
        """An exactly interpolating network lies within this Euclidean distance in parameters, for every problem."""
        return self._worst("distance")

    @property
    def convergence(self) -> bool:
        """Whether it is proved for every problem that gradient descent from here converges linearly to such a network."""
        return all(bool(p["convergence"]) for p in self.problems)

    @property
    def step_size(self) -> float | None:
        """A step, on the mean loss S, with which descent is proved to converge for every problem."""
        return self._least("step_size")

    def __repr__(self) -> str:
        lines = [self._headline()]
        for p in self.problems:
            if p["status"] != "certified":
                lines += [f"  {p['problem']}: declined ({', '.join(r['code'] for r in p['reasons'])})"]
                continue
            descent = "descent converges to it" if p["convergence"] else "that descent converges to it is not proved"
            lines += [
                f"  {p['problem']}: {p['theorem']}; a network with loss 0 at most {_up(p['distance'])} away; {descent}"
            ]
        return "\n".join(lines) + ">"


@dataclass(repr=False)
class Width(_Proof):
    """A proof about gradient descent on the first layer of a two-layer ReLU network of some width, from a drawn start (T14)."""

    @property
    def width(self) -> int | None:
        """The certified width: the one asked for, or the smallest that was found."""
        return self.problems[0]["width"] if self.certified else None

    @property
    def step_size(self) -> float | None:
        """The step, on the mean loss S."""
        return self.problems[0]["step_size"]

    @property
    def certified_iterations(self) -> int | None:
        """The tolerance is reached within so many iterations."""
        return self.problems[0]["certified_iterations"]

    def __repr__(self) -> str:
        p = self.problems[0]
        if not self.certified:
            return f"{self._headline()}: {', '.join(code for code, _ in self.reasons)}>"
        return (
            f"{self._headline()}\n  {p['problem']}: T14; width {p['width']}; S <= {p['tolerance']:g} within "
            f"{p['certified_iterations']} iterations of step {p['step_size']:.4g}, each multiplies S by at most "
            f"1 - {_down(p['rate'])}>"
        )


@dataclass(frozen=True)
class History:
    """The recorded iterations of one run: all at first, then about 200 per factor of e.

    Attributes:
        iteration: k.
        loss: S(w_k), the mean of squared errors, in the coordinates of training.
        envelope: the certified upper bound of it, NaN without a certificate.
        path: length of the path so far, in the metric.
        distance: distance from the start, in the metric.
        kernel_movement: `|K_k - K_0|_F / |K_0|_F`, NaN where it was not computed.
    """

    iteration: NDArray[np.int64]
    loss: NDArray[np.float64]
    envelope: NDArray[np.float64]
    path: NDArray[np.float64]
    distance: NDArray[np.float64]
    kernel_movement: NDArray[np.float64]


@dataclass
class Training:
    """Trained networks with everything that is known about how they were trained.

    Attributes:
        certificate: what was proved before; its status says whether it is a proof.
        model: the networks, on samples as they are.
        runs: per problem `iterations`, `final_loss` (in the coordinates of training), `folded_loss` (of the model on the samples),
            `stop`, `certified` (is the certificate about this run?), `optimizer`, `step_size`, `moments` (audits on the way).
        history: per problem.
        audit: of the trained networks; `None` if not asked for, or a run diverged.
    """

    certificate: Certificate
    model: Model
    runs: tuple[dict[str, Any], ...]
    history: tuple[History, ...]
    audit: Audit | None

    @property
    def certified(self) -> bool:
        """Whether there is a certificate about every run."""
        return all(r["certified"] for r in self.runs)

    @property
    def iterations(self) -> int:
        """Iterations of the longest run."""
        return max(int(r["iterations"]) for r in self.runs)

    @property
    def final_loss(self) -> float:
        """The largest final loss S; infinite if a run diverged."""
        return max(float("inf") if r["final_loss"] is None else float(r["final_loss"]) for r in self.runs)


@dataclass(frozen=True)
class Polished:
    """A network moved to a nearby one that interpolates up to rounding. Plain floats: audit it to have a proof.

    Attributes:
        model: the network.
        reports: per network `steps`, `residual_before`, `residual_after` (`|rho|`, not a mean), `parameter_change`,
            `prediction_change`.
    """

    model: Model
    reports: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Kernel:
    """A kernel matrix.

    Attributes:
        matrix: n x n, plain floats, of the distinct samples if duplicates were merged.
        lmin_lower: a proved lower bound of the smallest eigenvalue of the exact kernel; `None` if not asked for or not found.
        error_estimate: of an entry of a limit kernel without a closed form, by a coarser computation; `None` otherwise.
    """

    matrix: NDArray[np.float64]
    lmin_lower: float | None
    error_estimate: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the criterion proves about a formula.

    Attributes:
        about: every number, with the keys of `gradcert criterion --json`.
    """

    about: dict[str, Any]

    @property
    def certified(self) -> bool:
        """Whether convergence to a zero is proved."""
        return self.about["status"] == "certified"

    @property
    def certified_by(self) -> list[str]:
        """The methods that certify: flow-paper, flow-integral, descent-paper, descent-sharp."""
        return list(self.about["certified_by"])

    @property
    def step_size(self) -> float | None:
        """The certified step with the best rate."""
        return self.about["step_size"]

    @property
    def rate(self) -> float | None:
        """Each step multiplies the function by at most `1 - rate`."""
        return self.about["rate"]

    @property
    def radius(self) -> float | None:
        """Nothing leaves the ball of this radius around the start."""
        return self.about["radius"]
