"""A sweep over seeds and widths with joblib: threads (calls release the GIL) or processes, with progress on standard error.

python examples/sweep_joblib.py [threads|processes]
"""

from __future__ import annotations

import sys

import numpy as np
from joblib import Parallel, delayed

import gradcert


def run(width: int, seed: int) -> tuple[int, int, bool, int | None]:
    """Certify one drawn start: width, seed, whether it is certified, and how many iterations suffice."""
    random = np.random.default_rng(0)
    X, y = random.standard_normal((12, 20)), random.standard_normal(12)
    certificate = gradcert.certify(
        X,
        y,
        hidden_layer_sizes=(width,),
        activation="tanh",
        start="lecun",
        random_state=seed,
        tol=1e-10,
        n_jobs=1,
        on_decline="return",
    )
    return width, seed, certificate.certified, certificate.certified_iterations


def main(prefer: str = "threads") -> None:
    """Prints one line per width."""
    tasks = [(width, seed) for width in (50, 200, 800) for seed in range(2)]
    workers = Parallel(n_jobs=2, prefer=prefer, return_as="generator_unordered")
    results = []
    for k, result in enumerate(workers(delayed(run)(*task) for task in tasks), 1):
        print(f"{k} of {len(tasks)} runs", end="\r", file=sys.stderr)
        results.append(result)
    for width in sorted({r[0] for r in results}):
        own = [r for r in results if r[0] == width]
        print(f"width {width}: {sum(r[2] for r in own)} of {len(own)} starts certified")


if __name__ == "__main__":
    main(*sys.argv[1:])
