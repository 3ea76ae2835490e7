"""Writes the Gaussian sets of `make bench-tight`: X^T = standard_normal((d, n)), y = standard_normal(n), seed 0.

    python bench/gaussian.py        (needs numpy)
"""

from pathlib import Path

import numpy as np

for n, d in ((20, 50), (50, 200)):
    rng = np.random.default_rng(0)
    X = np.ascontiguousarray(rng.standard_normal((d, n)).T)
    np.savez_compressed(Path(__file__).parent / "data" / f"gaussian-{n}x{d}.npz", X=X, y=rng.standard_normal(n))
