"""The claim ``audit``: existence next to a trained network (T15), and descent from it with (T16)."""

from flint import arb

from . import centre as network
from . import descent, linear, row_space, two_layers
from .ball import Ball
from .errors import BadInput, require
from .relative import Kernel


class Steps:
    """kappa of the drifts: drift[j] / smin on (radii[j-1], radii[j]]."""

    def __init__(self, curvature, smin):
        self.radii = [arb(r) for r in curvature["radii"]]
        self.kappa = [arb(x) / smin for x in curvature["drift"]]

    @property
    def reach(self):
        return self.radii[-1]

    def at(self, s):
        return next(k for r, k in zip(self.radii, self.kappa) if s <= r)

    def integral(self, t):
        """Of 1 - kappa from 0 to t."""
        total, before = arb(0), arb(0)
        for r, k in zip(self.radii, self.kappa):
            end = r.min(t)
            total += (1 - k) * (end - before)
            before = end
            if t <= r:
                break
        return total


class Polynomial:
    """kappa(s) = sum of N_k s^(k-1) / (k-1)!."""

    def __init__(self, curvature):
        self.orders, self.reach = [arb(x) for x in curvature["orders"]], arb(curvature["radius"])

    def at(self, s):
        s = arb(s)
        return sum((n * s ** (k - 1) / arb(k - 1).gamma() / (k - 1) for k, n in enumerate(self.orders, 2)), arb(0))

    def integral(self, t):
        return t - sum((n * t**k / arb(k).gamma() / k for k, n in enumerate(self.orders, 2)), arb(0))


def check(centre, claim):
    setting = centre.setting
    if setting.positive is not None or setting.inputs != "raw":
        raise BadInput("audits are about given parameters on raw inputs")
    _start(centre, claim)
    kernel = Kernel(centre.kernel)
    correction = kernel.correction(centre.rho)
    require(arb(claim["correction"]) >= correction, "correction", f"proved is {float(correction):.6e}")
    smin = arb(claim["smin_start"])
    kappa = _curvature(centre, kernel, claim["curvature"], smin)
    distance = arb(claim["distance"])
    require(distance <= kappa.reach, "distance", "beyond the curvature")
    enough = arb(claim["correction"]) <= kappa.integral(distance)
    # A residual 0 needs no distance, where both sides are 0.
    require(claim["correction"] == 0 or enough, "distance", "the integral of 1 - kappa is below the correction")
    if claim["convergence"]["kind"] == "descent":
        _convergence(centre, claim, kappa, smin)


def _start(centre, claim):
    by_row = [m for m in centre.weights for _ in range(centre.setting.outputs)]
    require(arb(claim["residual"]) >= network.residual(centre), "residual", "below the norm of rho(w0)")
    require(linear.at_least(centre.kernel, claim["smin_start"], by_row), "smin_start", "not proved")
    require(linear.at_most(centre.kernel, claim["smax_start"], by_row), "smax_start", "not proved")


def _curvature(centre, kernel, curvature, smin):
    if curvature["kind"] == "drift":
        _drifts(centre, curvature)
        return Steps(curvature, smin)
    if not centre.setting.activation.smooth:
        raise BadInput("curvature: this activation admits drift alone")
    part = two_layers if curvature["orders_by"] == "two-layers" else row_space
    part.check(centre, kernel, curvature, smin)
    return Polynomial(curvature)


def _drifts(centre, curvature):
    radii, drift = curvature["radii"], curvature["drift"]
    if len(radii) != len(drift) or len(radii) * centre.setting.layers**2 * len(centre.weights) > descent.WORK:
        raise BadInput("curvature: lists of the same, not too large length are needed")
    if any(a >= b for a, b in zip(radii, radii[1:])) or any(a > b for a, b in zip(drift, drift[1:])):
        raise BadInput("curvature: radii must increase, drift must not decrease")
    smax = linear.norm(centre.inputs_gram, centre.weights)
    by_row = [m for m in centre.weights for _ in range(centre.setting.outputs)]
    start = linear.norm(centre.kernel, by_row)
    best = None
    for j in range(len(radii) - 1, -1, -1):
        here = Ball(centre, radii[j], smax, start).drift()
        best = here if best is None else best.min(here)
        require(arb(drift[j]) >= best, f"curvature.drift[{j}]", f"proved is {float(best):.6e}")


def _convergence(centre, claim, kappa, smin):
    inner = claim["convergence"]
    for name in ("residual", "smin_start", "smax_start"):
        if inner[name] != claim[name]:
            raise BadInput(f"convergence.{name}: not that of the audit")

    def relative(s):
        return smin * (1 - kappa.at(s)) if arb(s) <= kappa.reach else arb(0)

    descent.check(centre, inner, relative)
