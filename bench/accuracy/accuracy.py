"""Test accuracy, time to fit and training loss on the bundled sets, beside estimators of scikit-learn with their usual tuning.

Protocol: samples standardised by the training part; stratified 10-fold cross-validation, repeated with other folds, and the test part of
khan. Everything on one thread. Tuned estimators choose by 3-fold cross-validation within the training part; that is part of their time.

    python bench/accuracy/accuracy.py [--repeats 2] [--markdown docs/src/python-accuracy.md]
"""

from __future__ import annotations

import argparse
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

import gradcert


class KernelRidgeClassifier(KernelRidge):
    """Kernel ridge regression on targets -1 and 1; the largest output wins."""

    _estimator_type = "classifier"

    def fit(self, X, y):
        """Fits one column per class."""
        self.binarizer_ = LabelBinarizer(neg_label=-1)
        self.classes_ = np.unique(y)
        return super().fit(X, self.binarizer_.fit_transform(y))

    def predict(self, X):
        """The classes."""
        return self.binarizer_.inverse_transform(super().predict(X), threshold=0.0)

    def score(self, X, y):
        """Accuracy."""
        return float(np.mean(self.predict(X) == y))


def tuned(estimator, **grid):
    """An estimator that chooses from a grid within its training part."""
    return GridSearchCV(estimator, grid, cv=3)


def estimators():
    """Name and estimator, untuned MLPs first: they are what a user without tuning has."""
    mlp = {"hidden_layer_sizes": (32,), "random_state": 0, "max_iter": 200}
    return {
        "CertifiedClassifier": gradcert.CertifiedClassifier(hidden_layer_sizes=(32,)),
        "CertifiedClassifier, no audit": gradcert.CertifiedClassifier(hidden_layer_sizes=(32,), audit=False),
        "MLP, Adam": MLPClassifier(**mlp),
        "MLP, L-BFGS": MLPClassifier(solver="lbfgs", **mlp),
        "MLP, L-BFGS, tuned": tuned(MLPClassifier(solver="lbfgs", **mlp), alpha=[1e-4, 1e-1, 1e1]),
        "logistic regression, tuned": tuned(LogisticRegression(max_iter=1000), C=[1e-3, 1e-1, 1e1]),
        "ridge, tuned": RidgeClassifierCV(alphas=np.logspace(-2, 5, 8)),
        "kernel ridge (RBF), tuned": tuned(
            KernelRidgeClassifier(kernel="rbf"), alpha=[1e-3, 1e-1, 1e1], gamma=[None, 1e-4]
        ),
        "SVM (RBF), tuned": tuned(SVC(), C=[1.0, 1e1, 1e2], gamma=["scale", 1e-4]),
        "SVM (linear), tuned": tuned(OneVsRestClassifier(SVC(kernel="linear")), estimator__C=[1e-3, 1e-1, 1e1]),
    }


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a probability of which a share of n was seen."""
    z = 1.959964
    middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def training_loss(fitted) -> str:
    """The final training loss, where the estimator has one."""
    last = fitted[-1]
    last = getattr(last, "best_estimator_", last)
    if hasattr(last, "certificate_"):
        return f"{last.loss_:.0e}"
    return f"{last.loss_:.0e} (log)" if isinstance(last, MLPClassifier) else ""


def fit(estimator, X, y):
    """The fitted pipeline and its seconds."""
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(X, y)
    return pipeline, time.perf_counter() - begin


def cross_validation(estimator, X, y, repeats: int):
    """Mean accuracy, median seconds of a fit, total seconds, a training loss."""
    correct, seconds, loss = 0, [], ""
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=repeats, random_state=0)
    for train, test in folds.split(X, y):
        pipeline, spent = fit(estimator, X[train], y[train])
        correct += int(np.sum(pipeline.predict(X[test]) == y[test]))
        seconds.append(spent)
        loss = training_loss(pipeline)
    return correct / (repeats * len(y)), float(np.median(seconds)), float(np.sum(seconds)), loss


def table(name: str, repeats: int, skip: list[str]) -> tuple[list[str], dict[str, float]]:
    """One table in Markdown, and the total seconds of every estimator."""
    X, y = gradcert.load_bundled(name)
    test = gradcert.load_bundled("khan-test") if name == "khan" else None
    lines = [f"## {name}, {len(X)} samples, {X.shape[1]} features, {len(set(y))} classes", ""]
    lines += [
        "| estimator | accuracy | 95 % | test part | ms per fit | seconds in all | training loss |",
        "|---|---|---|---|---|---|---|",
    ]
    totals = {}
    for title, estimator in estimators().items():
        if title in skip:
            continue
        share, median, total, loss = cross_validation(estimator, X, y, repeats)
        totals[title] = total
        low, high = wilson(share, len(y))
        part = ""
        if test is not None:
            pipeline, _ = fit(estimator, X, y)
            part = f"{int(np.sum(pipeline.predict(test[0]) == test[1]))} of {len(test[1])}"
        cells = [title, f"{share:.3f}", f"{low:.3f} to {high:.3f}", part, f"{1e3 * median:.0f}", f"{total:.1f}", loss]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return [*lines, ""], totals


HEAD = """# Accuracy beside scikit-learn

Made by `make bench-accuracy` (`bench/accuracy/accuracy.py`), {where}.
Standardised samples, stratified 10-fold cross-validation, run {repeats} times with other folds, one thread. The intervals are
Wilson's 95 % intervals for so many samples as the set has: repeats are no new samples. Estimators called tuned choose by 3-fold
cross-validation within the training part, which is part of their time. The loss is the last one on a training part: S, a mean of
squared errors, of the certified networks; the logarithmic loss with penalty of MLPClassifier. All certified fits include the
certificate, and the audit but where it says so.

The sets are small: differences within the intervals are none. A certificate is about the training loss; nothing here follows from it.
"""


def main() -> None:
    """Prints the tables, and writes them if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--skip", nargs="*", default=[], metavar="ESTIMATOR")
    parser.add_argument("--sets", nargs="+", default=["leukaemia", "khan", "coffee"])
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    where = f"gradcert {gradcert.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}, {platform.machine()}"
    lines = [HEAD.format(where=where, repeats=arguments.repeats)]
    ratios = []
    with threadpool_limits(1):
        for name in arguments.sets:
            own, totals = table(name, arguments.repeats, arguments.skip)
            lines += own
            ratios.append((name, totals))
            if arguments.markdown:
                arguments.markdown.write_text("\n".join([*lines, *times(ratios)]) + "\n")


def times(ratios: list[tuple[str, dict[str, float]]]) -> list[str]:
    """The last table: total times beside ours."""
    lines = ["## Total time of cross-validation, as multiples of CertifiedClassifier's", ""]
    lines += ["| set | CertifiedClassifier, no audit | MLP, Adam | MLP, L-BFGS |", "|---|---|---|---|"]
    for name, totals in ratios:
        titles = ("CertifiedClassifier, no audit", "MLP, Adam", "MLP, L-BFGS")
        shares = [totals[t] / totals["CertifiedClassifier"] for t in titles]
        lines.append(f"| {name} | {' | '.join(f'{s:.2f}' for s in shares)} |")
    return lines


if __name__ == "__main__":
    main()
