"""The same sweep on a Dask cluster: a local one here, any other by its scheduler's address; and cross-validation on it through joblib.

python examples/sweep_dask.py [ADDRESS]
"""

from __future__ import annotations

import sys

import joblib
from dask.distributed import Client, LocalCluster, as_completed
from sklearn.model_selection import cross_val_score

import gradcert
from sweep_joblib import run


def main(address: str | None = None) -> None:
    """Prints one line per finished run, and the accuracies of a cross-validation."""
    cluster = None if address else LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with Client(address or cluster) as client:
        tasks = [(width, seed) for width in (50, 800) for seed in range(2)]
        futures = [client.submit(run, *task) for task in tasks]
        for k, future in enumerate(as_completed(futures), 1):
            width, seed, certified, _ = future.result()
            print(f"{k} of {len(tasks)}: width {width}, seed {seed}: {'certified' if certified else 'declined'}")
        X, y = gradcert.load_bundled("leukaemia")
        with joblib.parallel_backend("dask"):
            scores = cross_val_score(gradcert.CertifiedClassifier(), X[:, :1000], y, cv=4, n_jobs=2)
        print(f"4-fold cross-validation: mean accuracy {scores.mean():.3f}")
    if cluster is not None:
        cluster.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
