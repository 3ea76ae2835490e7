"""Which targets a certificate may be about, and equal samples (T13)."""

from dataclasses import dataclass

import numpy as np

from . import hashes
from .errors import BadInput, NotProved


def _class_name(label):
    if isinstance(label, str):
        return label
    return str(int(label)) if label == int(label) and abs(label) < 2.0**53 else repr(label)


def _classes(labels):
    """The classes in order, by value if all are numbers, else by code point, and each sample's class."""
    order = sorted(set(labels))
    index = {label: k for k, label in enumerate(order)}
    return [_class_name(label) for label in order], np.array([index[label] for label in labels])


def _one_output(labels, problem):
    if problem == "target" and not isinstance(labels[0], str):
        return [np.array(labels, dtype=float)]
    names, at = _classes(labels)
    if len(names) == 2 and problem == f"{names[1]} versus {names[0]}":
        return [np.where(at == 1, 1.0, -1.0)]
    if len(names) > 2 and problem.endswith(" versus rest") and problem.removesuffix(" versus rest") in names:
        return [np.where(at == names.index(problem.removesuffix(" versus rest")), 1.0, -1.0)]
    raise NotProved("problem", f"the data have no problem {problem[:80]!r}")


def _several_outputs(labels, outputs, problem):
    names, at = _classes(labels)
    if len(names) != outputs:
        raise NotProved("network.widths", f"{outputs} outputs, but {len(names)} classes")
    codings = {"all classes as +1 and -1": 0, "all classes as 1 and 0": 1}
    if problem not in codings:
        raise NotProved("problem", f"the data have no problem {problem[:80]!r}")
    one_hot = (at[:, None] == np.arange(outputs)[None, :]).astype(float)
    return [[2.0 * one_hot - 1.0, one_hot][codings[problem]]]


def targets(labels, certificate):
    """The targets with the hash of the certificate: n, or n x d_L."""
    outputs = certificate["network"]["widths"][-1]
    if outputs == 1:
        candidates = _one_output(labels, certificate["problem"])
    else:
        candidates = _several_outputs(labels, outputs, certificate["problem"])
    for y in candidates:
        if hashes.targets(y) == certificate["targets_sha256"]:
            return y.reshape(len(labels), outputs)
    raise NotProved("targets_sha256", "the certificate is about other targets")


@dataclass
class Merged:
    """inputs: merged samples x d, targets: merged samples x d_L, multiplicities, and n, the number of all samples."""

    inputs: np.ndarray
    targets: np.ndarray
    multiplicities: list
    samples: int


def merge(inputs, y, wanted):
    """Equal rows become one, by first occurrence; different targets of equal rows are an error."""
    n = inputs.shape[0]
    if not wanted:
        return Merged(inputs, y, [1] * n, n)
    first, counts = {}, []
    for i in range(n):
        key = (inputs[i] + 0.0).tobytes()
        k = first.setdefault(key, len(counts))
        if k == len(counts):
            counts.append([i, 0])
        elif not np.array_equal(y[i], y[counts[k][0]]):
            raise BadInput("equal rows have different targets: no function interpolates them")
        counts[k][1] += 1
    rows = [i for i, _ in counts]
    return Merged(inputs[rows], y[rows], [m for _, m in counts], n)
