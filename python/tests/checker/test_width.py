"""Certificates of widths (T14): claims of more, other starts and other data are rejected."""

import copy
import json

import numpy as np
import pytest
from gradcert_check import BadInput, NotProved, check_bytes, hexfloat
from gradcert_check.data import Samples
from test_certificates import golden

# Changed by these factors they would say more: the maker rounds some generously, and counts whole iterations.
FACTORS = {"rate": 1.01, "smin": 1.01, "decay": 1.01, "radius": 0.99, "residual": 0.99, "spread": 0.5, "tolerance": 0.2}


def holds(file, samples, start):
    try:
        return check_bytes(json.dumps(file).encode(), samples, start) == ["target"]
    except (BadInput, NotProved):
        return False


def times(text, factor):
    return hexfloat.spell(float.fromhex(text) * factor)


def claims_of_more(claim):
    for name, factor in FACTORS.items():
        if isinstance(claim[name], str):
            yield name, {name: times(claim[name], factor)}
            continue
        for j, text in enumerate(claim[name]):
            # On the first cell no pattern can change, and any spread is true.
            if (name, j) != ("spread", 0):
                changed = [times(text, factor) if i == j else other for i, other in enumerate(claim[name])]
                yield f"{name}[{j}]", {name: changed}
    yield "iterations", {"iterations": claim["iterations"] - 1}
    yield "all iterations", {"iterations": 0}
    yield "step", {"step_size": times(claim["step_size"], 3.0)}
    yield "last clock", {"clocks": [*claim["clocks"][:-1], times(claim["clocks"][-1], 2.0)]}
    yield "fewer clocks", {name: claim[name][:-1] for name in ("clocks", "decay", "spread")}


def test_claims_of_more_are_rejected():
    file, samples, start = golden("width")
    assert holds(file, samples, start)
    claim = file["certificates"][0]["claim"]
    changes = list(claims_of_more(claim))
    assert len(changes) > 20
    for name, change in changes:
        more = copy.deepcopy(file)
        more["certificates"][0]["claim"].update(change)
        assert not holds(more, samples, start), name


def test_other_starts_data_and_networks_are_rejected():
    file, samples, start = golden("width")
    flipped = bytearray(start)
    flipped[-3] ^= 1
    assert not holds(file, samples, bytes(flipped)) and not holds(file, samples, None)
    for x, y in ((samples.inputs * 1.01, samples.targets), (samples.inputs, [2.0 * t for t in samples.targets])):
        assert not holds(file, Samples(x, y), start)
    item = file["certificates"][0]
    for change in (
        {"metric": {"weights": ["0x1p+0", "0x1p+0"], "biases": ["0x0p+0", "0x0p+0"]}},
        {"network": {**item["network"], "activation": "tanh"}},
        {"network": {**item["network"], "inputs": "whitened"}},
        {"network": {**item["network"], "widths": [40, 95, 1]}},
    ):
        other = copy.deepcopy(file)
        other["certificates"][0].update(change)
        assert not holds(other, samples, start)


@pytest.mark.parametrize("field", ["clocks", "decay", "spread"])
def test_lists_of_other_lengths(field):
    file, samples, start = golden("width")
    file["certificates"][0]["claim"][field].pop()
    with pytest.raises(BadInput):
        check_bytes(json.dumps(file).encode(), samples, start)


def test_patterns_follow_from_margins():
    """Two orthogonal samples: an inactive one is not moved by itself, an active one is used up by its own square."""
    from flint import arb
    from gradcert_check.width import _neuron

    one, zero = arb(1), arb(0)
    cells = _neuron([arb(0.5), arb(-0.01)], [[one, zero], [zero, one]], [arb(0.4), arb(0.6)], one)
    assert cells == [([True, False], [True, False]), ([False, False], [True, False])]
    assert _neuron([zero, arb(1)], [[one, zero], [zero, one]], [arb(1e-9)], one) == [([False, True], [True, True])]
