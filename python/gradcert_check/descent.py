"""The claim ``descent``: singular values, psi, the bounds of the ball, (T4), (T5) and (T5s)."""

from flint import arb

from . import centre as network
from . import count, linear, multiplicative
from .ball import Ball
from .errors import BadInput, require

WORK = 2**31


def structure(claim, layers, merged):
    """Lists that belong together; BadInput otherwise."""
    radii, psi = claim["radii"], claim["psi"]
    if len(radii) != len(psi) or len(radii) * layers**2 * merged > WORK:
        raise BadInput("radii and psi: lists of the same, not too large length are needed")
    if any(a >= b for a, b in zip(radii, radii[1:])) or any(a < b for a, b in zip(psi, psi[1:])):
        raise BadInput("radii must increase and psi must not")
    if claim["radius"] != radii[-1]:
        raise BadInput("radius is not the last of radii")
    if claim["rate"] > 1.0:
        raise BadInput("rate is above 1")


def check(centre, claim, relative=None):
    """``relative``: a function of the radius that is one more psi (T16), in audits."""
    setting = centre.setting
    structure(claim, setting.layers, len(centre.weights))
    _singular_values(centre, claim)
    ball = _psi(centre, claim, relative)
    _ball_bounds(claim, ball)
    theta_and_convergence(centre, claim)


def _singular_values(centre, claim):
    by_row = [m for m in centre.weights for _ in range(centre.setting.outputs)]
    require(arb(claim["residual"]) >= network.residual(centre), "residual", "below the norm of rho(w0)")
    for name, rows, weights in (
        ("inputs", centre.inputs_gram, centre.weights),
        ("start", centre.kernel, by_row),
    ):
        low, high = claim[f"smin_{name}"], claim[f"smax_{name}"]
        enough = low == 0 or _exactly(rows, weights, low) or linear.at_least(rows, low, weights)
        require(enough, f"smin_{name}", "not proved")
        enough = _exactly(rows, weights, high) or linear.at_most(rows, high, weights)
        require(enough, f"smax_{name}", "not proved")


def _exactly(rows, weights, s):
    """Is the matrix s^2 times the unit matrix (whitened inputs)? Equality has no room for elimination."""
    if any(m != 1 for m in weights):
        return False
    square = arb(s) ** 2
    return all(x == (square if i == j else 0) for i, row in enumerate(rows) for j, x in enumerate(row))


def _psi(centre, claim, relative):
    """psi[j] by the best of the statements on the ball of radii[j] or a larger one; the last ball."""
    best, floor = arb(0), multiplicative.frozen_floor(centre.setting)
    last, x_max = None, network.max_of(centre.x_norm)
    for j in range(len(claim["radii"]) - 1, -1, -1):
        s, wanted = claim["radii"][j], arb(claim["psi"][j])
        ball = Ball(centre, s, claim["smax_inputs"], claim["smax_start"])
        last = last or ball
        if best >= wanted:
            continue
        for bound in _bounds(centre, claim, s, ball, floor, x_max, relative):
            best = best.max(bound)
            if best >= wanted:
                break
        require(best >= wanted, f"psi[{j}]", f"proved is {float(best):.6e}, claimed {float(wanted):.6e}")
    return last


def _bounds(centre, claim, s, ball, floor, x_max, relative):
    """The bounds one by one, the cheap ones first."""
    setting, smin = centre.setting, arb(claim["smin_inputs"])
    if floor is not None:
        yield floor * smin
    if relative is not None:
        yield relative(s)
    if setting.outputs == 1:
        yield ball.first_layer() * smin
    if multiplicative.applies(setting):
        yield multiplicative.fraction(setting, x_max, s) * centre.g_norm[1][0] * smin
    yield arb(claim["smin_start"]) - ball.drift()


def _ball_bounds(claim, ball):
    drift = ball.drift()
    require(arb(claim["jacobian_drift"]) >= drift, "jacobian_drift", f"proved is {float(drift):.6e}")
    norm = ball.norm(drift)
    require(arb(claim["jacobian_norm"]) >= norm, "jacobian_norm", f"proved is {float(norm):.6e}")
    bound = ball.lipschitz()
    require(arb(claim["jacobian_lipschitz"]) >= bound, "jacobian_lipschitz", f"proved is {float(bound):.6e}")


class Step:
    """The numbers of (T4): c, t0, t1, lam at the residual, all from stated numbers."""

    def __init__(self, claim, samples):
        self.c = 2 * arb(claim["step_size"]) / samples
        self.psi = [arb(x) for x in claim["psi"]]
        self.norm, self.lipschitz = arb(claim["jacobian_norm"]), arb(claim["jacobian_lipschitz"])
        self.t0, self.t1 = self.c * self.psi[0] ** 2, self.c * self.norm**2
        self.b = self.c * self.psi[-1] ** 2
        self.lam = self.c * self.lipschitz * arb(claim["residual"]) / 2
        self.theta, self.form = arb(claim["theta"]), claim["form"]


def _theta_second(step):
    """thL of the step lemma."""
    t0, t1 = step.t0, step.t1
    if t1 <= 1:
        return arb(1)
    middle, edge = (t1 * (2 - t0 - t1) / (1 - t0 * t1)), (2 - t1) / (t0 * t1).sqrt()
    if t1 * (1 + t0) <= 2:
        return middle.sqrt().min(arb(1))
    if t1 * (1 + t0) >= 2:
        return edge
    return middle.sqrt().min(edge)


def _theta_first(step):
    """thA; its second proviso is checked with the stated theta, which is at most thA."""
    t0, lam, top = step.t0, step.lam, step.t1.max(arb(1))
    rest = 2 - t0 - top - 2 * lam
    require(rest > 0, "theta", "2 - t0 - T - 2 lam is not positive")
    require(lam * top + step.theta * (t0 * top).sqrt() <= 1, "theta", "lam T + theta sqrt(t0 T) exceeds 1")
    return (top * rest / (1 - t0 * top)).sqrt()


def theta_and_convergence(centre, claim):
    """(T4) with psi as a step function, then rate and count."""
    step = Step(claim, centre.total)
    require(step.t1 < 2, "step_size", "c |J|^2 is not below 2")
    require(step.t0 <= step.t1, "psi", "a lower bound of smin(J) above the bound of |J|")
    top = _theta_first(step) if step.form == "first" else _theta_second(step)
    require(step.theta <= top, "theta", f"at most {float(top.mid()):.6e} is proved")
    widths = [arb(b) - arb(a) for a, b in zip([0.0] + claim["radii"], claim["radii"])]
    total = arb(0)
    for psi, width in zip(step.psi, widths):
        gain = step.theta * psi
        if step.form == "second":
            gain = gain - step.lam * step.norm
            require(gain >= 0, "form", "the integrand of the second form becomes negative")
        total += gain * width
    residual = arb(claim["residual"])
    require(residual < total, "radius", f"the integral {float(total.mid()):.6e} does not exceed the residual")
    best = factor(step, step.lam)
    require(best < 1, "rate", "no factor below 1")
    require(claim["rate"] == 0 or 1 - arb(claim["rate"]) >= best**2, "rate", "not proved")
    count.check(centre, claim, step)


def factor(step, lam):
    """The smallest factor q of (T5) at lam."""
    b, t1, c = step.b, step.t1, step.c
    result = abs(1 - b).max(abs(1 - t1)) + lam * t1
    if b < 1 and 2 * lam * (1 - b) <= 2 - b - t1:
        result = result.min(1 - b * (1 - lam))
    gain = step.theta * step.psi[-1]
    if step.form == "second":
        gain = gain - lam * step.norm
    return result.min(1 - c * step.psi[-1] * gain)
