"""Samples and targets, exactly as doubles: .npz (X, y), a pair X.npy,y.npy, .csv/.tsv with a header (also .gz)."""

import csv
import gzip
import io
import re
from dataclasses import dataclass

import numpy as np

from .errors import BadInput
from .hexfloat import LARGEST, SMALLEST

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass
class Samples:
    """inputs: n x d doubles; targets: n numbers or n labels (text)."""

    inputs: np.ndarray
    targets: list


def _doubles(array, name):
    """Every accepted number is a double already, so nothing rounds."""
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return array.astype("<f8")
    if array.dtype.kind in "iub":
        exact = array.astype("<f8")
        if array.dtype.itemsize <= 4 or (np.abs(exact) < 2.0**53).all():
            return exact
    raise BadInput(f"{name}: numbers of type {array.dtype} are not read")


def _load(stream):
    return np.load(stream, allow_pickle=False)


def _arrays(path):
    try:
        if path.endswith(".npz"):
            with _load(path) as archive:
                return archive["X"], archive["y"]
        first, second = path.split(",")
        return _load(first), _load(second)
    except (ValueError, KeyError, EOFError, OSError, SyntaxError, MemoryError) as error:
        raise BadInput(f"{path}: {error}") from None
    except Exception as error:  # zipfile and zlib raise classes of their own
        raise BadInput(f"{path}: {type(error).__name__}: {error}") from None


def _from_arrays(path):
    x, y = _arrays(path)
    if x.ndim != 2 or y.ndim not in (1, 2) or y.shape[0] != x.shape[0] or (y.ndim == 2 and y.shape[1] != 1):
        raise BadInput(f"X of shape {x.shape} and y of shape {y.shape} do not fit")
    y = y.reshape(-1)
    if y.dtype.kind in "US":
        return Samples(_doubles(x, "X"), [str(v) for v in y])
    return Samples(_doubles(x, "X"), [float(v) for v in _doubles(y, "y")])


def _column(name, header):
    if name is None:
        return len(header) - 1
    if name in header:
        return header.index(name)
    if name.isdigit() and int(name) < len(header):
        return int(name)
    raise BadInput(f"no column {name!r}")


def _rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    try:
        with opener(path, "rb") as stream:
            text = stream.read().decode("utf-8-sig")
    except (OSError, EOFError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from None
    except Exception as error:  # zlib has a class of its own
        raise BadInput(f"{path}: {error}") from None
    tabs = path.removesuffix(".gz").endswith(".tsv")
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter="\t" if tabs else ",") if row]
    except csv.Error as error:
        raise BadInput(f"{path}: {error}") from None
    if not rows:
        raise BadInput(f"{path}: empty")
    return rows


def _number(cell, path):
    cell = cell.strip()
    if not _NUMBER.fullmatch(cell):
        raise BadInput(f"{path}: {cell[:40]!r} is no number")
    return float(cell)


def _from_table(path, target, ignore, no_header):
    rows = _rows(path)
    header = [str(k) for k in range(len(rows[0]))] if no_header else [cell.strip() for cell in rows.pop(0)]
    if not rows or any(len(row) != len(header) for row in rows):
        raise BadInput(f"{path}: rows of different lengths, or none")
    at = _column(target, header)
    left_out = {at} | {_column(name, header) for name in ignore}
    kept = [k for k in range(len(header)) if k not in left_out]
    inputs = np.array([[_number(row[k], path) for k in kept] for row in rows], dtype="<f8")
    labels = [row[at].strip() for row in rows]
    if all(_NUMBER.fullmatch(label) for label in labels):
        return Samples(inputs, [float(label) for label in labels])
    return Samples(inputs, labels)


def read(path, target=None, ignore=(), no_header=False):
    """The samples of a file; BadInput where it has no meaning or numbers leave the range of the format."""
    arrays = path.endswith(".npz") or path.count(",") == 1 and path.endswith(".npy")
    table = path.removesuffix(".gz").endswith((".csv", ".tsv"))
    if not arrays and not table:
        raise BadInput(f"{path}: only .npz, X.npy,y.npy, .csv and .tsv (also .gz) are read")
    samples = _from_arrays(path) if arrays else _from_table(path, target, ignore, no_header)
    in_range(samples.inputs, "inputs")
    if samples.inputs.size == 0:
        raise BadInput("no samples or no features")
    return samples


def in_range(array, name):
    size = np.abs(np.asarray(array, dtype=float))
    if not (np.isfinite(size).all() and ((size == 0) | ((size >= SMALLEST) & (size <= LARGEST))).all()):
        raise BadInput(f"{name}: numbers must be 0 or between 1e-100 and 1e100 up to sign")
