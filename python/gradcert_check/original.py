"""The claim ``descent-original``: (T7), (T8) with the step (T2)."""

from flint import arb

from . import centre as network
from . import linear
from .ball import Ball
from .errors import BadInput, require


def check(centre, claim):
    setting = centre.setting
    _hypotheses(setting)
    entries = [arb(a) for a in setting.positive["hidden"]]
    output, radius = arb(setting.positive["output"]), arb(claim["radius"])
    require(radius < output, "radius", "not below the entries of the last layer")
    for a in entries:
        require(2 * radius <= a, "radius", "more than half an entry of a hidden layer")
    residual, smin = arb(claim["residual"]), arb(claim["smin_inputs"])
    require(residual >= network.residual(centre), "residual", "below the norm of rho(w0)")
    proved = linear.at_least(centre.inputs_gram, smin, centre.weights) or _unit(centre, smin)
    require(proved, "smin_inputs", "not proved")
    alpha, eps = arb(claim["alpha"]), arb(claim["epsilon"])
    require(alpha <= _alpha(centre, radius, smin), "alpha", "more than (T8) gives")
    require(eps < 1, "epsilon", "not below 1")
    criterion = 4 * residual**2 / centre.total < (1 - eps) ** 2 * radius**2 * alpha
    require(criterion, "epsilon", "4 S(w0) is not below (1 - epsilon)^2 radius^2 alpha")
    _partials(centre, claim, radius, residual)
    _step(centre, claim, alpha, eps, radius)


def _unit(centre, smin):
    """Unit vectors without multiplicities have the singular value 1 exactly."""
    return centre.setting.inputs != "raw" and smin <= 1 and all(m >= 1 for m in centre.weights)


def _hypotheses(setting):
    if setting.positive is None or not setting.activation.rising or not setting.activation.zero:
        raise BadInput("the original theorem needs the positive start, sigma(0) = 0 and sigma' > 0")
    if not setting.activation.smooth:
        raise BadInput("the original theorem needs a twice differentiable activation")
    if any(d != 1 for d in setting.d_weights[1:]) or any(d not in (0, 1) for d in setting.d_biases[1:]):
        raise BadInput("the original theorem is about plain descent: factors 1")


def _alpha(centre, r, smin):
    """(T8) with m_1 = r times the largest row norm of [X, 1]."""
    setting, f = centre.setting, centre.setting.activation
    widths, layers = setting.widths, setting.layers
    entries = [None, None] + [arb(a) for a in setting.positive["hidden"]]
    if setting.inputs == "raw":
        rows = linear.rows_of(linear.from_doubles(setting.merged.inputs))
        m = r * network.max_of(linear.length(row + [arb(1)]) for row in rows)
    else:
        m = r
    bracket = arb(setting.positive["output"]) - r
    for l in range(1, layers):
        if l > 1:
            m = (entries[l] + r) * widths[l - 1] * abs(f.low(0, m)).max(abs(f.low(0, -m))) + r
            bracket = bracket * (entries[l] - r) * widths[l]
        bracket = bracket * f.low(1, m).min(f.low(1, -m))
    return arb(4) / centre.total * smin**2 * widths[1] * bracket**2


def _partials(centre, claim, radius, residual):
    """L1, L2 from the norms of gradient and Hessian on B(w0, 2 r)."""
    smax = linear.norm(centre.inputs_gram, centre.weights)
    start = linear.norm(centre.kernel, centre.weights)
    ball = Ball(centre, 2 * radius, smax, start)
    norm, lipschitz = ball.norm(ball.drift()), ball.lipschitz()
    reach = residual + 2 * radius * norm
    first = 2 * norm * reach / centre.total
    second = 2 * (norm**2 + reach * lipschitz) / centre.total
    require(arb(claim["first_partials"]) >= first, "first_partials", f"proved is {float(first):.6e}")
    require(arb(claim["second_partials"]) >= second, "second_partials", f"proved is {float(second):.6e}")


def _parameters(setting):
    weights = sum(a * b for a, b in zip(setting.widths, setting.widths[1:]))
    return weights + sum(d for d, factor in zip(setting.widths[1:], setting.d_biases[1:]) if factor != 0)


def _step(centre, claim, alpha, eps, radius):
    step, p = arb(claim["step_size"]), _parameters(centre.setting)
    enough = step * arb(claim["first_partials"]) * arb(p).sqrt() <= radius
    require(enough, "step_size", "above r / (L1 sqrt p)")
    require(step * arb(claim["second_partials"]) * p <= 2 * eps, "step_size", "above 2 eps / (L2 p)")
    rate = arb(claim["rate"])
    require(rate <= 1 and rate <= (1 - eps) * alpha * step, "rate", "above (1 - eps) alpha eta")
    loss = arb(claim["residual"]) ** 2 / centre.total
    k, tolerance = claim["iterations"], arb(claim["tolerance"])
    reached = loss <= tolerance or loss * (-rate * k).exp() <= tolerance
    reached = reached or (rate < 1 and loss * (k * (-rate).log1p()).exp() <= tolerance)
    reached = reached or (claim["rate"] == 1.0 and k >= 1)
    require(bool(reached), "iterations", "too few for the tolerance")
