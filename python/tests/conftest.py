"""Data the tests share."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import gradcert

matplotlib.use("Agg")

ROOT = Path(__file__).resolve().parents[2]
#: Files made by PyTorch and ONNX exporters, with what those programs compute.
MODELS = ROOT / "crates" / "gradcert" / "tests" / "models"


@pytest.fixture(scope="session")
def leukaemia():
    X, y = gradcert.load_bundled("leukaemia")
    return np.ascontiguousarray(X[:, :3051]), y


@pytest.fixture(scope="session")
def small():
    random = np.random.default_rng(0)
    return random.standard_normal((12, 20)), random.standard_normal(12)


@pytest.fixture(scope="session")
def expected():
    return json.loads((MODELS / "expected.json").read_text())["expected"]


@pytest.fixture(scope="session")
def models():
    return MODELS
