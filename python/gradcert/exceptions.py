"""What ends a call: errors (bad input), declines (an unmet hypothesis) and bugs are three different things."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BugError",
    "CertificateError",
    "DataError",
    "Declined",
    "Error",
    "FormulaError",
    "ModelError",
    "ResourceLimitError",
    "UncertifiedWarning",
    "UsageError",
]

#: What helps against each decline, in the words of this package.
REMEDIES: dict[str, str] = {
    "dependent_inputs": (
        "the samples must be independent: look at inspect(X, y); merge_duplicates=True; do not freeze_bias; with more samples "
        "than features lift='fourier'; for nearly dependent rows whiten=True"
    ),
    "duplicate_rows": "merge_duplicates=True: the same trajectory",
    "activation": "another activation; the default 'smooth-leaky-relu:0.1' allows the smallest scales",
    "scale_too_small": "a larger scale, or scale='auto'; layer_steps='auto'; with method='paper': method='sharp'",
    "too_slow": "whiten=True removes the condition number of the inputs; a larger tol; layer_steps='auto'",
    "singular_kernel": "more parameters than samples, distinct inputs, another start or random_state",
    "residual_too_large": "of a trained network: polish it first, or train on; otherwise a wider network or start='positive'",
    "too_few_parameters": "a wider network",
    "step_too_small": "layer_steps='auto'; a wider network",
    "width_too_small": "a larger width, or none to search one; a smaller step_size; a larger tol",
    "step_too_large": "a smaller step_size, or none to have it chosen",
    "first_bias": "set the biases of the first layer of the start to 0, or whiten=False",
    "method": "layer_steps='equal' and train='all', or method='sharp'",
    "slope_floor": "activation='smooth-leaky-relu:C' or 'identity'",
    "no_event": "smaller targets, larger inputs, whiten=True",
    "no_box": "scale=A for the box A, 2A",
    "options": "at least one hidden layer, positive widths and positive entries",
    "shapes": "one target per sample, at least one sample and one feature",
    "not_finite": "finite samples and targets",
    "tolerance": "a positive tol",
    "metric": "finite factors that are not negative",
    "start_shape": "a start with one output per network that reads these samples",
    "threads": "fewer threads",
    "resource_limit": "fewer samples, or a narrower network",
    "diverged": "a smaller step_size, or none for the certified one",
    "criterion_fails": "start closer to a minimum",
    "stationary_start": "start elsewhere",
    "negative_value": "a function that is >= 0; start closer to a minimum",
    "sign_unproved": "write the function as a sum of squares",
    "zero_unproved": "isolated minima with coordinates that are doubles; at most as many squares as variables",
    "undefined_in_ball": "start closer to a minimum",
    "work_limit": "a larger max_boxes; start closer to a minimum",
}


class Error(Exception):
    """Every exception of this package; `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class DataError(Error, ValueError):
    """Samples or targets that cannot be used."""


class ModelError(Error, ValueError):
    """A model that cannot be read, or does not fit the data."""


class FormulaError(Error, ValueError):
    """A formula or its start that cannot be used."""


class UsageError(Error, ValueError):
    """Options that make no sense, or contradict each other."""


class ResourceLimitError(Error, MemoryError):
    """More memory or work than is allowed, or numbers beyond the doubles."""


class CertificateError(Error, ValueError):
    """A certificate of which a claim is not confirmed."""


class BugError(Error, RuntimeError):
    """A bug of this package: please report it."""


class Declined(Error):
    """Nothing is proved, since a hypothesis is not met: an answer, no error of the data.

    Attributes:
        codes: one stable name per unmet hypothesis.
        reasons: pairs of such a name and what failed, with numbers.
        remedy: what helps.
    """

    def __init__(self, code: str, message: str, reasons: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(code, message)
        self.reasons: tuple[tuple[str, str], ...] = tuple((str(c), str(m)) for c, m in reasons) or ((code, message),)

    @property
    def codes(self) -> tuple[str, ...]:
        """The names of the unmet hypotheses."""
        return tuple(code for code, _ in self.reasons)

    @property
    def remedy(self) -> str:
        """What helps, one line per code."""
        return "\n".join(f"{code}: {REMEDIES[code]}" for code in self.codes if code in REMEDIES)

    def __str__(self) -> str:
        lines = "\n".join(f"{code}: {message}" for code, message in self.reasons)
        return f"{lines}\nremedy: {self.remedy}" if self.remedy else lines

    def __reduce__(self) -> tuple[type[Declined], tuple[str, str, tuple[tuple[str, str], ...]]]:
        return (Declined, (self.code, self.message, self.reasons))


class UncertifiedWarning(UserWarning):
    """A network was trained although nothing is proved about its training."""
