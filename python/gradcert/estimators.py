"""Networks with a guarantee as estimators of scikit-learn."""

from __future__ import annotations

import numbers
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from gradcert import _gradcert, functions
from gradcert._data import Recipe
from gradcert.exceptions import UncertifiedWarning, UsageError
from gradcert.results import Audit, Certificate, History, Model, Training

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CertifiedClassifier", "CertifiedRegressor"]

# Without annotations; its defaults are no types.
_validated: Any = validate_data


#: How often another automatic lift is tried: Fourier features of ever smaller scale.
FINER_LIFTS = 8


def _fourier(X: NDArray[np.float64], seed: int) -> str:
    return f"fourier:{2 * len(X)}:{seed}"


def _finer(lift: str) -> str:
    """The same features with a quarter of the scale: those of few dimensions are nearly dependent at the median distance."""
    kind, count, seed, scale, *inputs = lift.split(":")
    return ":".join([kind, count, seed, repr(float(scale) / 4), *inputs])


class _Certified(BaseEstimator):
    """What classifier and regressor share: parameters, training, attributes."""

    _labels: bool

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        activation: str = "smooth-leaky-relu:0.1",
        *,
        start: str = "positive",
        scale: str | float = "auto",
        hidden_scale: str | float = "auto",
        whiten: bool = True,
        layer_steps: str | None = None,
        freeze_bias: bool = False,
        lift: str | None = "auto",
        merge_duplicates: bool = True,
        random_state: Any = 0,
        tol: float = 1e-20,
        max_iter: int | None = None,
        on_decline: str = "raise",
        audit: bool = True,
        n_jobs: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.start = start
        self.scale = scale
        self.hidden_scale = hidden_scale
        self.whiten = whiten
        self.layer_steps = layer_steps
        self.freeze_bias = freeze_bias
        self.lift = lift
        self.merge_duplicates = merge_duplicates
        self.random_state = random_state
        self.tol = tol
        self.max_iter = max_iter
        self.on_decline = on_decline
        self.audit = audit
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _progress(self) -> functions.Progress | None:
        if not self.verbose:
            return None

        def tell(what: str, step: int, size: float | None) -> None:
            print(f"{type(self).__name__}: {what}, {step}" + ("" if size is None else f", {size:.3e}"))

        return tell

    def _first_lift(self, X: NDArray[np.float64], seed: int) -> str | None:
        if self.lift != "auto":
            return self.lift
        many = len(X) > X.shape[1] + 1 and len(np.unique(X, axis=0)) > X.shape[1] + 1
        return _fourier(X, seed) if many else None

    def _certify(self, X: NDArray[np.float64], y: ArrayLike, seed: int) -> tuple[Certificate, _gradcert.Certification]:
        options = functions._net(
            self.hidden_layer_sizes,
            self.activation,
            self.start,
            self.scale,
            self.hidden_scale,
            self.layer_steps,
            "sharp",
            self.whiten,
            "all",
            self.freeze_bias,
            1,
            seed,
            self.tol,
            self.n_jobs,
        )

        def attempt(lift: str | None) -> tuple[Certificate, _gradcert.Certification]:
            recipe = Recipe(self._labels, self.merge_duplicates, lift)
            return functions._certify(recipe, X, y, options, self.start, "return", self._progress())

        found = attempt(self._first_lift(X, seed))
        for _ in range(FINER_LIFTS):
            if self.lift != "auto" or "dependent_inputs" not in dict(found[0].reasons):
                break
            used = found[0].recipe.lift
            found = attempt(_fourier(X, seed) if used is None else _finer(used))
        return found

    def _fit(self, X: NDArray[np.float64], y: ArrayLike) -> Training:
        if self.on_decline not in ("raise", "train"):
            raise UsageError("usage", f"on_decline={self.on_decline!r}: choose 'raise' or 'train'")
        certificate, native = self._certify(X, y, self._seed())
        if not certificate.certified:
            declined = certificate.declined()
            if self.on_decline == "raise":
                raise declined
            warnings.warn(f"trained without a certificate: {declined}", UncertifiedWarning, stacklevel=3)
        options = {
            "optimizer": None,
            "step_size": None,
            "max_iter": None if self.max_iter is None else int(self.max_iter),
            "uncertified": not certificate.certified,
            "audit": bool(self.audit),
            "audit_every": None,
        }
        training = functions._train(certificate, native, options, self._progress())
        self._keep(training)
        return training

    def _keep(self, training: Training) -> None:
        self.certificate_: Certificate = training.certificate
        self.audit_: Audit | None = training.audit
        self.model_: Model = training.model
        self.history_: tuple[History, ...] = training.history
        self.n_iter_ = max(1, training.iterations)
        self.certified_iterations_ = training.certificate.certified_iterations
        self.loss_ = training.final_loss
        longest = max(training.history, key=lambda h: h.iteration[-1])
        self.loss_curve_ = longest.loss
        coefs = [[w.T for w in self.model_.weights(i)] for i in range(self.model_.networks)]
        intercepts = [self.model_.biases(i) for i in range(self.model_.networks)]
        self.coefs_ = coefs[0] if len(coefs) == 1 else coefs
        self.intercepts_ = intercepts[0] if len(intercepts) == 1 else intercepts

    def _outputs(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self.model_.outputs(_validated(self, X, reset=False, dtype=np.float64))


_PARAMETERS = """

    Parameters are those of `gradcert.certify`, but for these:

    Args:
        whiten: on by default: the condition number of the samples plays no part any more.
        lift: 'auto' is no lift where the samples are independent, and 'fourier' with twice as many random features as samples where they
            are not, as with more samples than features (with ever finer features until those are
            independent); 'fourier', 'tanh', 'relu', 'KIND:D:SEED:SCALE', or None.
        merge_duplicates: on by default: equal samples with equal targets count once, with a multiplicity.
        random_state: seed of a drawn start, of an automatic lift, and of runs without a certificate.
        max_iter: stop after so many iterations; by default the certified number.
        on_decline: 'raise' `Declined` where there is no certificate, or 'train' without one, with an `UncertifiedWarning`.
        audit: also prove something about the trained network.
        n_jobs: threads, as joblib counts them.
        verbose: print what is being done.

    Attributes:
        certificate_: what was proved before training; see `gradcert.Certificate`.
        audit_: what is proved about the trained network; None if not asked for or the run diverged.
        certified_iterations_: the certified number of iterations, of the slowest output; None without a certificate.
        n_iter_: iterations done, of the longest run.
        loss_: final loss S, the mean of squared errors, of the worst output.
        loss_curve_: S at the recorded iterations of the longest run; `history_` has them all.
        history_: one `gradcert.History` per output.
        coefs_, intercepts_: weights (inputs x outputs) and biases per layer; a list of such lists if there are several networks.
        model_: the networks as a `gradcert.Model`.
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.

    Errors: `Declined`, and those of `gradcert.certify`, all of which are also `ValueError`, `MemoryError` or `RuntimeError`.
    """


class CertifiedClassifier(ClassifierMixin, _Certified):
    __doc__ = (
        """Classes by networks that provably interpolate their training data: one network per class against the rest, one for two."""
        + _PARAMETERS
    )

    _labels = True

    def fit(self, X: ArrayLike, y: ArrayLike) -> CertifiedClassifier:
        """Certifies, trains and audits.

        Args:
            X: samples (n x d), dense.
            y: classes (n).
        """
        X, y = _validated(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"there is only one class, {self.classes_[0]!r}: a classifier needs at least two")
        self._fit(np.asarray(X), y)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Outputs of the networks: n x k, for two classes n numbers that are positive for the second one."""
        outputs = self._outputs(X)
        return outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of every sample."""
        outputs = self._outputs(X)
        if len(self.classes_) == 2:
            return self.classes_[(outputs[:, 0] > 0).astype(int)]
        return self.classes_[np.argmax(outputs, axis=1)]


class CertifiedRegressor(RegressorMixin, _Certified):
    __doc__ = (
        """Numbers by networks that provably interpolate their training data: one network per output.""" + _PARAMETERS
    )

    _labels = False

    def fit(self, X: ArrayLike, y: ArrayLike) -> CertifiedRegressor:
        """Certifies, trains and audits.

        Args:
            X: samples (n x d), dense.
            y: targets (n or n x k).
        """
        X, y = _validated(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = np.asarray(y, dtype=np.float64)
        self._flat = y.ndim == 1
        self._fit(np.asarray(X), y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """The output for every sample, of the shape of the targets."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._flat else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
