"""Certificates that claim nearly all that the second checker proves: then any claim of more must be rejected."""

import copy
import json

from flint import arb, ctx

from gradcert_check import NotProved, check_bytes, descent, hexfloat, verify
from gradcert_check import centre as network
from gradcert_check import multiplicative, schema, tensors
from gradcert_check.ball import Ball

SLACK = 1e-9


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
