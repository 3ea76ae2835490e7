"""Provable training of neural networks: certificates that gradient descent interpolates the data.

The functions need NumPy alone. `CertifiedClassifier` and `CertifiedRegressor` need scikit-learn, `gradcert.plots` Matplotlib,
`gradcert.torch` modules of PyTorch; `gradcert.onnx` reads files without the package onnx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcert._gradcert import __version__
from gradcert.exceptions import (
    BugError,
    CertificateError,
    DataError,
    Declined,
    Error,
    FormulaError,
    ModelError,
    ResourceLimitError,
    UncertifiedWarning,
    UsageError,
)
from gradcert.functions import (
    audit,
    certify,
    check,
    criterion,
    inspect,
    limit_kernel,
    load_bundled,
    polish,
    relu_width,
    tangent_kernel,
    train,
)
from gradcert.results import Audit, Certificate, Check, History, Kernel, Model, Polished, Training, Verdict, Width

if TYPE_CHECKING:
    from gradcert.estimators import CertifiedClassifier, CertifiedRegressor

__all__ = [
    "Audit",
    "BugError",
    "Certificate",
    "CertificateError",
    "CertifiedClassifier",
    "CertifiedRegressor",
    "Check",
    "DataError",
    "Declined",
    "Error",
    "FormulaError",
    "History",
    "Kernel",
    "Model",
    "ModelError",
    "Polished",
    "ResourceLimitError",
    "Training",
    "UncertifiedWarning",
    "UsageError",
    "Verdict",
    "Width",
    "__version__",
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


def __getattr__(name: str) -> Any:
    """The estimators, which need scikit-learn, when they are asked for."""
    if name in ("CertifiedClassifier", "CertifiedRegressor"):
        from gradcert import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'gradcert' has no attribute {name!r}")
