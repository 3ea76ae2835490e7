"""Pictures against those kept in `pictures/`; GRADCERT_NEW_PICTURES=1 draws them anew."""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

import gradcert
from gradcert import plots

PICTURES = Path(__file__).with_name("pictures")


@pytest.fixture(scope="module")
def training():
    random = np.random.default_rng(0)
    X, y = random.standard_normal((12, 20)), random.standard_normal(12)
    return gradcert.train(X, y, whiten=False, audit_every=20, n_jobs=1)


def kernel():
    random = np.random.default_rng(1)
    layers = [random.standard_normal((6, 4)), random.standard_normal((1, 6))]
    model = gradcert.Model.from_layers(layers, [np.zeros(6), np.zeros(1)], "tanh")
    return gradcert.tangent_kernel(model, random.standard_normal((10, 4)), n_jobs=1)


DRAWN = {
    "loss": lambda training, ax: plots.loss(training, ax=ax),
    "spectrum": lambda training, ax: plots.spectrum(kernel(), ax=ax),
    "waterfall": lambda training, ax: plots.waterfall(training, ax=ax),
    "movement": lambda training, ax: plots.movement(training, ax=ax),
    "provable-moment": lambda training, ax: plots.provable_moment(training, ax=ax),
    "criterion-map": lambda training, ax: plots.criterion_map(
        "(x^2 + y^2 - 1)^2", {"x": (-2.0, 2.0), "y": (-2.0, 2.0)}, cells=16, ax=ax
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_pictures(name, training, tmp_path):
    with plt.style.context("default"):
        figure, ax = plt.subplots(figsize=(5, 3.5), dpi=60, layout="constrained")
        assert DRAWN[name](training, ax) is ax
        new = tmp_path / f"{name}.png"
        figure.savefig(new, metadata={"Software": None})
        plt.close(figure)
    kept = PICTURES / f"{name}.png"
    if os.environ.get("GRADCERT_NEW_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        kept.write_bytes(new.read_bytes())
    assert compare_images(str(kept), str(new), tol=6) is None


def test_new_axes_are_made_and_what_cannot_be_drawn_is_refused(training):
    assert plots.loss(training).get_xlabel() == "iteration"
    plt.close("all")
    bare = gradcert.train(np.eye(3), np.arange(3.0), audit=False)
    for draw in (lambda: plots.provable_moment(bare), lambda: plots.criterion_map("x^2", {"x": (0, 1)})):
        with pytest.raises(gradcert.UsageError):
            draw()
    plt.close("all")


def test_fitted_estimators_are_drawn_too():
    regressor = gradcert.CertifiedRegressor().fit(np.eye(4), np.arange(4.0))
    for draw in (plots.loss, plots.movement, plots.waterfall):
        assert draw(regressor) is not None
    plt.close("all")
