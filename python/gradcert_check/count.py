"""Counts of iterations: (T5) step by step, with (T5s) where the certificate says so.

Single steps run in doubles; every operation is followed by an inflation larger than its rounding, so that the numbers
stay upper bounds. Constants come from balls, rounded outwards.
"""

import math

import numpy as np
from flint import arb

from . import linear
from .errors import NotProved
from .linear import rows_of

SINGLE_STEPS, SPECTRAL_WORK = 2_000_000, 2 * 10**11
_UP = 1 + 4e-16
_FALL = 1e-4


def up(x):
    """A double at least the ball."""
    return math.nextafter(float(arb(x).upper()), math.inf)


def down(x):
    return math.nextafter(float(arb(x).lower()), -math.inf)


class Factor:
    """q(u) of (T5) in doubles: 1 - gain(u) with gains rounded down."""

    def __init__(self, step):
        b, t1, c = step.b, step.t1, step.c
        self.lam = up(c * step.lipschitz / 2)
        self.far, self.t1 = up(abs(1 - b).max(abs(1 - t1))), up(t1)
        self.b = down(b)
        self.limit = down((2 - b - t1) / (1 - b) / 2) if b < 1 else -1.0
        self.steady = down(c * step.psi[-1] ** 2 * step.theta)
        self.loss = up(c * step.psi[-1] * step.norm) if step.form == "second" else 0.0

    def at(self, u):
        lam = self.lam * u * _UP
        q = (self.far + lam * self.t1 * _UP) * _UP
        q = min(q, (1 - (self.steady - self.loss * lam * _UP) * (1 - 4e-16)) * _UP)
        if lam <= self.limit:
            q = min(q, (1 - self.b * (1 - lam) * (1 - 1e-15)) * _UP)
        return q


class Spectrum:
    """K' = U diag(lam) U^T near K(w0) with orthogonal U, and rho(w0) in its basis."""

    def __init__(self, centre):
        outputs = centre.setting.outputs
        root = [arb(m).sqrt() for m in centre.weights for _ in range(outputs)]
        n = len(root)
        kernel = linear.from_rows([[x * a * b for x, b in zip(row, root)] for row, a in zip(centre.kernel, root)])
        scale = float(max(abs(float(x.mid())) for x in kernel.entries())) or 1.0
        floats = np.array([float(x.mid()) / scale for x in kernel.entries()]).reshape(n, n)
        basis = linear.from_doubles(np.linalg.eigh((floats + floats.T) / 2)[1])
        unit = linear.from_doubles(np.eye(n))
        for _ in range(2):
            # Newton's iteration for the orthogonal polar factor.
            defect = (unit - basis.transpose() * basis) / 2
            basis = (basis + basis * defect).mid()
        defect = unit - basis.transpose() * basis
        self.skew = _frobenius(defect)
        if not self.skew < 0.5:
            raise NotProved("envelope", "no basis is proved to be nearly orthogonal")
        rotated = rows_of(basis.transpose() * kernel * basis)
        self.values = [rotated[i][i].mid() for i in range(n)]
        rest = linear.shifted(rotated, self.values)
        # With U the polar factor, |U - B| <= |B^T B - I|; so |K - U D U^T| is at most |B^T K B - D| / smin(B)^2 and
        # what D moves between B^-T and U.
        inverse = 1 / (1 - self.skew)
        largest = max((abs(v) for v in self.values), key=float)
        self.defect = (_frobenius(linear.from_rows(rest)) + 4 * self.skew * largest) * inverse
        rho = linear.from_rows([[x * a] for x, a in zip(centre.rho, root)])
        self.coefficients = (basis.transpose() * rho).entries()
        self.stray = self.skew * linear.length(rho.entries())


def _frobenius(matrix):
    return linear.length(matrix.entries())


class Envelope:
    """a_k + e_k of (T5s) as upper bounds in doubles."""

    def __init__(self, claim, step, spectrum):
        c = step.c
        drift = arb(claim["jacobian_drift"]) * (step.norm + arb(claim["smax_start"]))
        self.push = up(c * (drift + spectrum.defect))
        factors = [abs(1 - c * v) for v in spectrum.values]
        self.slowest = max(up(f) for f in factors)
        self.squares = np.array([up(f * f) for f in factors])
        self.parts = np.array([up(x * x) for x in spectrum.coefficients])
        self.stray, self.e = up(spectrum.stray), 0.0
        self.inflation = 1 + (len(factors) + 8) * 2.3e-16
        # One rounding a step, and what falls below the normal numbers.
        self.grow, self.lost = 1 + 2.3e-16, len(factors) * 2.3e-308

    def advance(self, u):
        """The bound of |rho_{k+1}| from the bound u of |rho_k|."""
        self.parts = self.parts * self.squares * self.grow * self.grow
        self.e = (self.slowest * self.e * _UP + self.push * u * _UP) * _UP
        self.stray = self.stray * self.slowest * _UP
        total = float(self.parts.sum()) * self.inflation + self.lost
        return (math.sqrt(total) * _UP + self.stray + self.e) * (1 + 1e-15)


def check(centre, claim, step):
    """u_k reaches sqrt(n tolerance) within the claimed iterations."""
    target = down((arb(claim["tolerance"]) * centre.total).sqrt())
    limit, q, u = claim["iterations"], Factor(step), claim["residual"]
    envelope = None
    if claim["envelope"] == "spectral":
        envelope = Envelope(claim, step, Spectrum(centre))
    k, size = 0, len(centre.kernel)
    while u > target and k < min(limit, SINGLE_STEPS):
        if envelope is not None and size * k > SPECTRAL_WORK:
            envelope = None
        following = min(u, q.at(u) * u * _UP)
        if envelope is not None:
            following = min(following, envelope.advance(u))
        if following >= u and envelope is None:
            break
        u, k = following, k + 1
    _long(limit, k, u, target, q)


def _long(limit, k, u, target, q):
    """Blocks in which the bound falls by about 1e-4, the factor frozen at their beginning (it does not increase)."""
    while u > target:
        factor = q.at(u)
        fall = -math.log(factor) if factor < 1 else 0.0
        if fall <= 0.0 or k >= limit:
            raise NotProved("iterations", f"the bound is still {u:.3e} > {target:.3e} after {k}")
        steps = max(1, min(limit - k, int(_FALL / fall)))
        # ln(factor^steps), the logarithm rounded up.
        u, k = u * up((arb(factor).log() * steps).exp()) * _UP, k + steps
