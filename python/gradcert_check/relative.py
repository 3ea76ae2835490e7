"""Sizes measured by the tangent kernel K: K^-1/2 A K^-1/2 and rho^T K^-1 rho.

Multiplicities cancel in both, so the matrices are those without weights.
"""

import numpy as np
from flint import arb

from . import linear
from .errors import NotProved
from .linear import rows_of


class Kernel:
    def __init__(self, rows):
        self.rows = rows
        floats = np.array([[float(x.mid()) for x in row] for row in rows])
        self.scale = float(np.abs(floats).max())
        self.whiten = np.linalg.inv(_square_root(floats / self.scale)).T

    def correction(self, rho):
        """|J^+ rho|."""
        column = linear.from_rows([[x] for x in rho])
        try:
            solved = linear.from_rows(self.rows).solve(column).entries()
        except ZeroDivisionError:
            raise NotProved("smin_start", "the kernel is not proved to be invertible") from None
        return linear.root(sum((a * b for a, b in zip(rho, solved)), arb(0)))

    def largest(self, a):
        """Upper bound t of lmax(K^-1/2 A K^-1/2), by t K - A > 0."""
        if all(x.is_zero() for row in a for x in row):
            return arb(0)
        floats = np.array([[float(x.mid()) for x in row] for row in a])
        top = float(np.abs(floats).max())
        # A whitening R of K/scale found in doubles; the proof below does not depend on it.
        guess = np.linalg.eigvalsh(self.whiten @ (floats / top) @ self.whiten.T)[-1]
        guess = arb(float(guess)) * arb(top) / arb(self.scale)
        for slack in (1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-4, 1e-2, 1.0):
            bound = guess * (1 + arb(slack))
            difference = [[bound * x - y for x, y in zip(p, q)] for p, q in zip(self.rows, a)]
            if linear.positive(difference):
                return bound
        raise NotProved("curvature", "no bound by the kernel is proved")


def _square_root(floats):
    values, vectors = np.linalg.eigh((floats + floats.T) / 2)
    floor = max(values[-1], 1e-300) * 1e-16
    return (vectors * np.sqrt(np.maximum(values, floor))).T


def factor(rows):
    """Q with Q K Q^T = I for every member: the inverse of the Cholesky factor, row by row in balls."""
    n = len(rows)
    lower = [[arb(0)] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = rows[i][j]
            for p, q in zip(lower[i][:j], lower[j][:j]):
                rest = rest - p * q
            if i == j and not rest > 0:
                raise NotProved("smin_start", "the kernel is not proved to be positive definite")
            lower[i][j] = rest.sqrt() if i == j else rest / lower[j][j]
    unit = linear.from_doubles(np.eye(n))
    return linear.from_rows(lower).solve(unit)


def gram_of(matrix):
    return rows_of(linear.gram(matrix))
