"""Options of networks, as the extension reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import numpy as np

from gradcert.exceptions import UsageError
from gradcert.results import Model


def _net(
    hidden_layer_sizes: int | Sequence[int],
    activation: str,
    start: str | Model,
    scale: str | float,
    hidden_scale: str | float,
    layer_steps: str | None,
    method: str,
    whiten: bool,
    trained: str,
    freeze_bias: bool,
    retry: int,
    random_state: int,
    tol: float,
    n_jobs: int | None,
) -> str:
    sizes = [hidden_layer_sizes] if isinstance(hidden_layer_sizes, int | np.integer) else list(hidden_layer_sizes)
    for name, value in (("scale", scale), ("hidden_scale", hidden_scale), ("tol", tol)):
        if not isinstance(value, str) and not np.isfinite(value):
            raise UsageError("usage", f"{name}={value!r}: a finite number")
    if any(int(w) < 1 for w in sizes) or int(retry) < 1 or not 0 <= int(random_state) < 2**64:
        raise UsageError("usage", "hidden_layer_sizes and retry are at least 1, random_state is in [0, 2^64)")
    return json.dumps(
        {
            "hidden_layer_sizes": [int(w) for w in sizes],
            "activation": activation,
            "start": "positive" if isinstance(start, Model) else start,
            "scale": scale if isinstance(scale, str) else float(scale),
            "hidden_scale": hidden_scale if isinstance(hidden_scale, str) else float(hidden_scale),
            "layer_steps": layer_steps or "default",
            "method": method,
            "whiten": bool(whiten),
            "train": trained,
            "freeze_bias": bool(freeze_bias),
            "retry": int(retry),
            "random_state": int(random_state),
            "tol": float(tol),
            "threads": _threads(n_jobs),
        }
    )


def _threads(n_jobs: int | None) -> int | None:
    """As joblib counts: `None` is one thread, -1 all processors, -2 all but one."""
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise UsageError("usage", "n_jobs is not 0")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
