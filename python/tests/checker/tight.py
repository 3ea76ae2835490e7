"""Certificates that claim nearly all that the second checker proves: then any claim of more must be rejected."""

import copy
import json

from flint import arb, ctx
from gradcert_check import (
    NotProved,
    audit,
    check_bytes,
    descent,
    hexfloat,
    linear,
    multiplicative,
    original,
    row_space,
    schema,
    tensors,
    third_order,
    two_layers,
    verify,
)
from gradcert_check import centre as network
from gradcert_check.ball import Ball
from gradcert_check.relative import Kernel

SLACK, KERNEL_SLACK = 1e-9, 1e-6


def _below(x):
    return hexfloat.spell(float(x.lower()) * (1 - SLACK))


def _above(x):
    return hexfloat.spell(float(x.upper()) * (1 + SLACK))


def _numbers(raw):
    return schema.read(json.dumps(raw).encode())


def _centre(file, samples, start):
    numbers = _numbers(file)
    arrays = tensors.read(start) if start is not None else None
    setting = verify._setting(numbers, numbers["certificates"][0], samples, arrays, 0)
    return network.at_positive_start(setting) if setting.positive else network.at_tensors(setting)


def descent_claim(file, samples, start):
    """The same certificate with bounds of the ball, psi, theta, rate and count as tight as they are proved."""
    ctx.prec = 128
    file = copy.deepcopy(file)
    claim = file["certificates"][0]["claim"]
    centre = _centre(file, samples, start)
    stated = _numbers(file)["certificates"][0]["claim"]
    floor = multiplicative.frozen_floor(centre.setting)
    x_max, best = network.max_of(centre.x_norm), arb(0)
    for j in range(len(stated["radii"]) - 1, -1, -1):
        ball = Ball(centre, stated["radii"][j], stated["smax_inputs"], stated["smax_start"])
        for bound in descent._bounds(centre, stated, stated["radii"][j], ball, floor, x_max, None):
            best = best.max(bound)
        claim["psi"][j] = _below(best)
        if j == len(stated["radii"]) - 1:
            drift = ball.drift()
            claim["jacobian_drift"], claim["jacobian_norm"] = _above(drift), _above(ball.norm(drift))
            claim["jacobian_lipschitz"] = _above(ball.lipschitz())
    _theta(claim, file, centre)
    _fewest(file, samples, start)
    return file


def _theta(claim, file, centre):
    step = descent.Step(_numbers(file)["certificates"][0]["claim"], centre.total)
    top = descent._theta_first(step) if step.form == "first" else descent._theta_second(step)
    claim["theta"] = _below(top)
    step = descent.Step(_numbers(file)["certificates"][0]["claim"], centre.total)
    claim["rate"] = _below(1 - descent.factor(step, step.lam) ** 2)


def _fewest(file, samples, start):
    claim = file["certificates"][0]["claim"]
    low, high = 0, claim["iterations"]
    while low < high:
        claim["iterations"] = (low + high) // 2
        try:
            check_bytes(json.dumps(file).encode(), samples, start)
            high = claim["iterations"]
        except NotProved as error:
            if error.field != "iterations":
                raise
            low = claim["iterations"] + 1
    claim["iterations"] = high


def audit_claim(file, samples, start, rest=True):
    """The same audit with curvature, distance and (``rest``) residual and correction as tight as they are proved."""
    ctx.prec = 128
    file = copy.deepcopy(file)
    claim = file["certificates"][0]["claim"]
    centre = _centre(file, samples, start)
    kernel = Kernel(centre.kernel)
    if rest:
        claim["residual"] = _above(network.residual(centre))
        claim["correction"] = _kernel_above(kernel.correction(centre.rho), rest)
    if claim["convergence"]["kind"] == "descent":
        claim["convergence"]["residual"] = claim["residual"]
    _curvature(centre, kernel, claim, rest)
    claim["distance"] = _distance(_numbers(file)["certificates"][0]["claim"])
    return file


def _kernel_above(x, rest):
    """What is measured by the kernel needs the slack that the format asks for, if two programs are to agree."""
    return hexfloat.spell(float(x.upper()) * (1 + (SLACK if rest else KERNEL_SLACK)))


def _curvature(centre, kernel, claim, rest):
    curvature = claim["curvature"]
    if curvature["kind"] == "drift":
        smax, start = linear.norm(centre.inputs_gram, centre.weights), linear.norm(centre.kernel, centre.weights)
        radii = [float.fromhex(r) for r in curvature["radii"]]
        curvature["drift"] = [_above(Ball(centre, r, smax, start).drift()) for r in radii]
        return
    smin, radius = arb(float.fromhex(claim["smin_start"])), arb(float.fromhex(curvature["radius"]))
    if curvature["orders_by"] == "row-space":
        second = linear.root(kernel.largest(row_space.gamma(centre)))
        curvature["orders"] = [_kernel_above(second, rest), _above(third_order.bound(centre, radius) / smin)]
        return
    forms, top = two_layers.TwoLayers(centre, kernel), len(curvature["orders"]) + 1
    lower = [forms.together(k).min(forms.one_by_one(k)) for k in range(2, top)]
    curvature["orders"] = [_kernel_above(x, rest) for x in lower] + [_above(forms.last(top, smin, radius))]


def _distance(claim):
    """The smallest distance, to rounding, whose integral of 1 - kappa reaches the correction."""
    smin, correction = arb(claim["smin_start"]), claim["correction"]
    steps = claim["curvature"]["kind"] == "drift"
    kappa = audit.Steps(claim["curvature"], smin) if steps else audit.Polynomial(claim["curvature"])
    low, high = correction, float(kappa.reach.mid())
    for _ in range(200):
        middle = (low + high) / 2
        if kappa.integral(arb(middle)) >= arb(correction):
            high = middle
        else:
            low = middle
    return hexfloat.spell(high * (1 + SLACK))


def original_claim(file, samples, start, rest=True):
    """The same claim of the original theorem with alpha, step, rate, count and (``rest``) L1, L2 as tight as proved."""
    ctx.prec = 128
    file = copy.deepcopy(file)
    claim = file["certificates"][0]["claim"]
    centre = _centre(file, samples, start)
    radius, eps, smin, residual = (
        arb(float.fromhex(claim[k])) for k in ("radius", "epsilon", "smin_inputs", "residual")
    )
    claim["alpha"] = _below(original._alpha(centre, radius, smin))
    if rest:
        _partials(claim, centre, radius, residual)
    p = original._parameters(centre.setting)
    first, second = (arb(float.fromhex(claim[k])) for k in ("first_partials", "second_partials"))
    claim["step_size"] = _below((radius / (first * arb(p).sqrt())).min(2 * eps / (second * p)))
    alpha, step = (arb(float.fromhex(claim[k])) for k in ("alpha", "step_size"))
    claim["rate"] = _below((1 - eps) * alpha * step)
    _fewest(file, samples, start)
    return file


def _partials(claim, centre, radius, residual):
    smax, norm = (linear.norm(rows, centre.weights) for rows in (centre.inputs_gram, centre.kernel))
    ball = Ball(centre, 2 * radius, smax, norm)
    norm, lipschitz = ball.norm(ball.drift()), ball.lipschitz()
    reach = residual + 2 * radius * norm
    claim["first_partials"] = _above(2 * norm * reach / centre.total)
    claim["second_partials"] = _above(2 * (norm**2 + reach * lipschitz) / centre.total)
