"""Matrices of balls: positive definiteness by exact elimination, norms and smallest singular values from it.

``positive(A)`` is a proof when it says True: elimination in balls finds every pivot certainly positive, hence A =
L D L^T with D > 0 for every member of the enclosure. Where a pivot's
ball contains 0 the caller may try again with more bits.
"""

import numpy as np
from flint import arb, arb_mat

_BASE = 40


def from_doubles(array):
    array = np.atleast_2d(np.asarray(array, dtype=float))
    return arb_mat(array.shape[0], array.shape[1], array.ravel().tolist())


def rows_of(matrix):
    """The entries row by row."""
    width = matrix.ncols()
    entries = matrix.entries()
    return [entries[k * width : (k + 1) * width] for k in range(matrix.nrows())]


def from_rows(rows):
    return arb_mat(len(rows), len(rows[0]), [x for row in rows for x in row])


def gram(matrix):
    return matrix * matrix.transpose()


def _eliminate(rows):
    """Elimination of a small matrix; only the lower triangle is read."""
    rows = [list(row) for row in rows]
    for k, pivot_row in enumerate(rows):
        pivot = pivot_row[k]
        if not pivot > 0:
            return False
        column = [rows[i][k] for i in range(k + 1, len(rows))]
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / pivot
            row = rows[i]
            for j in range(k + 1, i + 1):
                row[j] = row[j] - factor * column[j - k - 1]
    return True


def positive(rows):
    """Is the symmetric matrix certainly positive definite? By halves: the first block, then its Schur complement."""
    n = len(rows)
    if n <= _BASE:
        return _eliminate(rows)
    half = n // 2
    first = [row[:half] for row in rows[:half]]
    if not positive(first):
        return False
    below = from_rows([row[:half] for row in rows[half:]])
    try:
        solved = from_rows(first).solve(below.transpose())
    except ZeroDivisionError:
        return False
    change = rows_of(below * solved)
    rest = [[a - b for a, b in zip(row[half:], minus)] for row, minus in zip(rows[half:], change)]
    return positive(rest)


def shifted(rows, diagonal):
    """A - diag."""
    result = [list(row) for row in rows]
    for k, shift in enumerate(diagonal):
        result[k][k] = result[k][k] - shift
    return result


def negated(rows):
    return [[-x for x in row] for row in rows]


def at_least(rows, s, weights=None):
    """Is smin >= s, where rows is the Gram matrix of unweighted rows: A - s^2 diag(1/m) > 0?"""
    square = arb(s) ** 2
    return positive(shifted(rows, [square / m for m in weights or [1] * len(rows)]))


def at_most(rows, s, weights=None):
    """Is smax <= s, in the same sense?"""
    square = arb(s) ** 2
    return positive(negated(shifted(rows, [square / m for m in weights or [1] * len(rows)])))


def _float_largest(rows, weights):
    scale = np.sqrt(np.array([float(m) for m in weights]))
    floats = np.array([[float(x.mid()) for x in row] for row in rows]) * scale[:, None] * scale[None, :]
    top = np.abs(floats).max()
    return 0.0 if top == 0 else float(top * np.linalg.eigvalsh(floats / top)[-1])


def norm(rows, weights=None):
    """An upper bound of smax of diag(sqrt m) B from the Gram matrix B B^T, proved; within 1e-11 of it."""
    weights = weights or [1] * len(rows)
    if all(x.is_zero() for row in rows for x in row):
        return arb(0)
    guess = arb(_float_largest(rows, weights))
    for slack in (1e-12, 1e-11, 1e-9, 1e-6, 1e-2):
        bound = (guess * (1 + arb(slack))).sqrt()
        if at_most(rows, bound, weights):
            return bound
    # The trace bounds the largest eigenvalue without any proof by elimination.
    return root(sum((m * row[k] for k, (row, m) in enumerate(zip(rows, weights))), arb(0)))


def norm_of(rows):
    """An upper bound of the spectral norm of a small rectangular matrix."""
    return norm(rows_of(gram(from_rows(rows))))


def root(x):
    """The square root of a number known to be non-negative, whose ball may reach below 0."""
    if x.lower() > 0 or x.is_zero():
        return x.sqrt()
    return arb(0).union(x.upper().max(arb(0)).sqrt())


def length(values):
    """The Euclidean norm."""
    return root(sum((x * x for x in values), arb(0)))
