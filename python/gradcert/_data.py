"""From arrays of any kind to those the extension reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcert import _gradcert
from gradcert.exceptions import DataError, UsageError

__all__ = ["Recipe", "class_names", "data", "samples", "targets"]


def _refuse_sparse(x: Any, what: str) -> None:
    if hasattr(x, "tocsr") or type(x).__module__.startswith("scipy.sparse"):
        raise DataError("sparse", f"{what} is sparse; dense arrays are needed: give {what}.toarray()")


def _numbers(x: ArrayLike, what: str) -> NDArray[np.float64]:
    _refuse_sparse(x, what)
    array = np.asarray(x)
    if np.iscomplexobj(array):
        raise DataError("complex", f"{what} is complex; real numbers are needed. Complex data not supported")
    if array.dtype.kind in "mMSUV":
        raise DataError("non_numeric", f"{what} has the type {array.dtype}; numbers are needed")
    if array.dtype.kind in "iu" and array.size and max(abs(int(array.min())), abs(int(array.max()))) > 2**53:
        raise DataError("inexact", f"{what} holds integers that no double equals; certificates speak about doubles")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise DataError(
            "inexact", f"{what} has the type {array.dtype}; certificates speak about doubles: round it first"
        )
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("non_numeric", f"{what} is not an array of numbers: {error}") from error


def samples(x: ArrayLike) -> NDArray[np.float64]:
    """Samples (n x d) as doubles: float64 arrays of any strides as they are, others converted where that is exact."""
    array = _numbers(x, "X")
    if array.ndim != 2:
        raise DataError(
            "shape", f"X has {array.ndim} dimensions; one row per sample and one column per feature are needed"
        )
    return array


def class_names(classes: NDArray[Any]) -> list[str]:
    """Names of classes as the command line prints them: whole numbers without a point."""

    def name(value: Any) -> str:
        if isinstance(value, float | np.floating) and float(value).is_integer() and abs(float(value)) < 2**53:
            return str(int(value))
        return str(value)

    return [name(c) for c in classes]


def targets(y: ArrayLike, labels: bool | None) -> tuple[NDArray[np.float64], None] | tuple[None, NDArray[Any]]:
    """Targets as numbers (n x k), or as classes (n); `labels=None` reads numbers as numbers and everything else as classes."""
    _refuse_sparse(y, "y")
    array = np.asarray(y)
    if labels is None:
        labels = array.dtype.kind in "OSUb"
    if labels:
        if array.ndim != 1:
            raise DataError("shape", f"classes come as one per sample; y has {array.ndim} dimensions")
        return None, array
    numbers = _numbers(array, "y")
    if numbers.ndim not in (1, 2):
        raise DataError("shape", f"y has {numbers.ndim} dimensions; one row per sample is needed")
    return (numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers), None


@dataclass(frozen=True)
class Recipe:
    """How samples and targets are read, so that a certificate can be checked against the same arrays later."""

    labels: bool | None = None
    merge_duplicates: bool = False
    lift: str | None = None


def lift_plan(lift: str | None, rows: int) -> str | None:
    """A lift with its number of features: twice the samples unless given."""
    if lift is None or ":" in lift:
        return lift
    if lift not in ("fourier", "tanh", "relu"):
        raise UsageError(
            "usage", f"lift={lift!r}: choose None, 'fourier', 'tanh', 'relu' or KIND:FEATURES[:SEED[:SCALE]]"
        )
    return f"{lift}:{2 * rows}"


def data(X: ArrayLike, y: ArrayLike, recipe: Recipe) -> _gradcert.Data:
    """Samples with targets, checked by the library."""
    x = samples(X)
    numbers, classes = targets(y, recipe.labels)
    plan = lift_plan(recipe.lift, x.shape[0])
    if numbers is not None:
        if len(numbers) != len(x):
            raise DataError("shape", f"{len(numbers)} targets for {len(x)} samples")
        return _gradcert.Data(x, y=numbers, merge_duplicates=recipe.merge_duplicates, lift=plan)
    try:
        names, index = np.unique(np.asarray(classes), return_inverse=True)
    except TypeError as error:
        raise DataError("mixed_classes", f"the classes cannot be compared with each other: {error}") from error
    return _gradcert.Data(
        x,
        classes=class_names(names),
        index=np.asarray(index, dtype=np.int64).reshape(-1),
        merge_duplicates=recipe.merge_duplicates,
        lift=plan,
    )
