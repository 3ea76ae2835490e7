"""Pictures with Matplotlib. Every function draws into the axes given, or new ones, and returns them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradcert import _gradcert
from gradcert.exceptions import UsageError
from gradcert.results import Certificate, History, Kernel, Training

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["criterion_map", "loss", "movement", "provable_moment", "spectrum", "waterfall"]


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def _history(run: Any, problem: int) -> History:
    return (run.history if isinstance(run, Training) else run.history_)[problem]


def _certificate(run: Any) -> Certificate:
    return run if isinstance(run, Certificate) else getattr(run, "certificate", None) or run.certificate_


def loss(run: Any, problem: int = 0, ax: Axes | None = None) -> Axes:
    """The loss S of a run against its certified envelope.

    Args:
        run: a `gradcert.Training`, or a fitted estimator.
        problem: which output.
        ax: where to draw.
    """
    ax, history = _axes(ax), _history(run, problem)
    ax.semilogy(history.iteration, np.maximum(history.loss, np.finfo(float).tiny), label="loss S")
    if np.any(np.isfinite(history.envelope)):
        ax.semilogy(history.iteration, history.envelope, "--", label="certified upper bound")
    ax.set(xlabel="iteration", ylabel="S, the mean squared error")
    ax.legend()
    return ax


def spectrum(kernel: Kernel | NDArray[np.float64], ax: Axes | None = None) -> Axes:
    """Eigenvalues of a kernel, and the proved lower bound of the smallest.

    Args:
        kernel: what `gradcert.tangent_kernel` returns, or a symmetric matrix.
        ax: where to draw.
    """
    ax = _axes(ax)
    matrix = kernel.matrix if isinstance(kernel, Kernel) else kernel
    values = np.linalg.eigvalsh(matrix)[::-1]
    ax.semilogy(np.arange(1, len(values) + 1), np.where(values > 0, values, np.nan), ".", label="eigenvalues (floats)")
    lower = kernel.lmin_lower if isinstance(kernel, Kernel) else None
    if lower is not None and lower > 0:
        ax.axhline(lower, linestyle="--", color="C1", label="proved lower bound of the smallest")
    ax.set(xlabel="number", ylabel="eigenvalue")
    ax.legend()
    return ax


def waterfall(certificate: Any, problem: int = 0, ax: Axes | None = None) -> Axes:
    """What becomes of the smallest singular value of the Jacobian between the start and the edge of the certified ball.

    Args:
        certificate: a certificate by our own bounds, a training or a fitted estimator.
        problem: which output.
        ax: where to draw.
    """
    ax = _axes(ax)
    about = _certificate(certificate).problems[problem]
    if about.get("waterfall") is None:
        raise UsageError("usage", "there is no certificate by the sharp bounds to draw")
    begin, end = float(about["smin_start_lower"]), float(about["waterfall"]["psi_certified"])
    bars = [("at the start", 0.0, begin), ("lost on the ball", end, begin - end), ("left everywhere", 0.0, end)]
    for row, (name, left, width) in enumerate(bars):
        ax.barh(row, width, left=left, color=f"C{row}")
        ax.text(left + width / 2, row, f"{width:.3g}", ha="center", va="center")
        bars[row] = (name, left, width)
    ax.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    ax.invert_yaxis()
    ax.set(xlabel="lower bound of the smallest singular value of J", title=f"radius {about['radius']:.3g}")
    return ax


def movement(run: Any, problem: int = 0, ax: Axes | None = None) -> Axes:
    """How far the parameters go, beside the certified radius.

    Args:
        run: a `gradcert.Training`, or a fitted estimator.
        problem: which output.
        ax: where to draw.
    """
    ax, history = _axes(ax), _history(run, problem)
    ax.plot(history.iteration, history.path, label="length of the path")
    ax.plot(history.iteration, history.distance, label="distance from the start")
    radius = _certificate(run).problems[problem]["radius"]
    if radius is not None:
        ax.axhline(radius, linestyle="--", color="C3", label="certified radius")
    ax.set(xlabel="iteration", ylabel="distance in the metric of the certificate")
    ax.legend()
    return ax


def provable_moment(training: Training, problem: int = 0, ax: Axes | None = None) -> Axes:
    """The loss, and the audited iterates: from the first green one on plain gradient descent is proved to converge.

    Args:
        training: a run of `gradcert.train` with `audit_every`.
        problem: which output.
        ax: where to draw.
    """
    ax = loss(training, problem, ax)
    moments = training.runs[problem]["moments"]
    if not moments:
        raise UsageError("usage", "no iterate was audited: train with audit_every")
    for proved, colour, name in ((False, "C3", "audited: nothing proved"), (True, "C2", "audited: convergence proved")):
        own = [m for m in moments if (m["remaining"] is not None) is proved]
        ax.plot([m["iteration"] for m in own], [m["loss"] for m in own], "o", color=colour, label=name)
    first = training.runs[problem]["first_provable"]
    if first is not None:
        ax.axvline(first, color="C2", linewidth=0.8)
    ax.legend()
    return ax


def criterion_map(
    function: str,
    window: Mapping[str, tuple[float, float]],
    cells: int = 48,
    ax: Axes | None = None,
) -> Axes:
    """From which starts in the plane gradient flow on a formula is proved to converge to a zero.

    Args:
        function: a formula of two variables.
        window: both variables with their range.
        cells: so many in each direction, tried at their centres.
        ax: where to draw.
    """
    if len(window) != 2:
        raise UsageError("usage", "a map has two variables")
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    ax = _axes(ax)
    (low, high), (bottom, top) = window.values()
    middles = (np.arange(cells) + 0.5) / cells
    x, y = low + (high - low) * middles, bottom + (top - bottom) * middles
    starts = np.stack([g.ravel() for g in np.meshgrid(x, y)], axis=1)
    values, kinds = _gradcert.criterion_map(function, list(window), starts, None)
    names = ("nothing proved", "by the integral criterion", "by the original criterion")
    colours = ["#f0f0f0", "#9ecae1", "#3182bd"]
    norm = BoundaryNorm([-0.5, 0.5, 1.5, 2.5], 3)
    ax.pcolormesh(x, y, kinds.reshape(cells, cells), cmap=ListedColormap(colours), norm=norm)
    ax.contour(x, y, values.reshape(cells, cells), levels=8, colors="black", linewidths=0.5)
    ax.set(xlabel=next(iter(window)), ylabel=list(window)[1], title=f"f = {function}")
    ax.legend(handles=[Patch(color=c, label=n) for c, n in zip(colours, names, strict=True)], loc="upper right")
    return ax
