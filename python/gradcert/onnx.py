"""Audits of ONNX models. The file is read by the library itself: the package onnx is needed only by who has a model in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import ArrayLike

from gradcert import _gradcert, functions
from gradcert.results import Audit, Model, Polished

__all__ = ["Proto", "audit", "load", "polish"]


class Proto(Protocol):
    """A model in memory: `onnx.ModelProto`."""

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes of the file."""
        ...


def load(model: str | os.PathLike[str] | bytes | Proto) -> Model:
    """Reads an ONNX model that is a chain of fully connected layers.

    Args:
        model: the file, its bytes, or an `onnx.ModelProto`.

    Raises:
        ModelError: another graph, operator or number format, an activation that is not supported.
    """
    if isinstance(model, str | os.PathLike):
        content = Path(model).read_bytes()
    else:
        content = model if isinstance(model, bytes) else model.SerializeToString()
    return Model(_gradcert.Model.read(content, None))


def audit(model: str | os.PathLike[str] | bytes | Proto, X: ArrayLike, y: ArrayLike, **options: Any) -> Audit:
    """`gradcert.audit` of an ONNX model.

    Args:
        model: see `load`.
        X: samples (n x d).
        y: targets.
        options: those of `gradcert.audit`.
    """
    return functions.audit(load(model), X, y, **options)


def polish(model: str | os.PathLike[str] | bytes | Proto, X: ArrayLike, y: ArrayLike, **options: Any) -> Polished:
    """`gradcert.polish` of an ONNX model; the result can be saved as a state dict.

    Args:
        model: see `load`.
        X: samples (n x d).
        y: targets.
        options: those of `gradcert.polish`.
    """
    return functions.polish(load(model), X, y, **options)
