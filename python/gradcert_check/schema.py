"""The structure of a certificate file: fields, types, sizes. No field is optional, none may be unknown or repeated."""

import json
import re

from . import hexfloat
from .errors import BadInput

MAX_BYTES = 64 << 20
MAX_LAYERS, MAX_CERTIFICATES, MAX_CELLS, MAX_SIZE, MAX_STEPS = 64, 4096, 4096, 10**9, 10**15
_HASH = re.compile(r"[0-9a-f]{64}")


def _pairs(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadInput("a field is repeated")
    return result


def _constant(word):
    raise BadInput(f"{word} is no number of the format")


def load(raw):
    """The JSON value of the bytes of a file."""
    if len(raw) > MAX_BYTES:
        raise BadInput("the certificate is larger than 64 MiB")
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON in UTF-8: {error}") from None


def text(value, where):
    if not isinstance(value, str):
        raise BadInput(f"{where}: not a text")
    return value


def choice(*words):
    def read(value, where):
        if not isinstance(value, str) or value not in words:
            raise BadInput(f"{where}: none of {', '.join(words)}")
        return value

    return read


def count(low, high):
    def read(value, where):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadInput(f"{where}: not a count from {low} to {high}")
        return value

    return read


def flag(value, where):
    if not isinstance(value, bool):
        raise BadInput(f"{where}: neither true nor false")
    return value


def sha256(value, where):
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise BadInput(f"{where}: not 64 lower-case hexadecimal digits")
    return value


def many(read, low, high):
    def read_list(value, where):
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise BadInput(f"{where}: not a list of {low} to {high} items")
        return [read(item, f"{where}[{i}]") for i, item in enumerate(value)]

    return read_list


def record(fields):
    def read(value, where):
        if not isinstance(value, dict):
            raise BadInput(f"{where}: not an object")
        if set(value) != set(fields):
            odd = sorted(set(value) ^ set(fields))
            raise BadInput(f"{where}: unknown or missing fields {', '.join(odd)[:200]}")
        return {name: part(value[name], f"{where}.{name}") for name, part in fields.items()}

    return read


def tagged(kinds):
    """An object whose ``kind`` says which other fields it has."""

    def read(value, where):
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise BadInput(f"{where}: unknown kind")
        return record({"kind": text, **kinds[kind]})(value, where)

    return read


_positive, _non_negative = hexfloat.positive, hexfloat.non_negative
_cells = many(_positive, 1, MAX_CELLS)
_steps = count(0, MAX_STEPS)

DESCENT = {
    "step_size": _positive,
    "radius": _positive,
    "tolerance": _positive,
    "iterations": _steps,
    "rate": _non_negative,
    "form": choice("first", "second"),
    "envelope": choice("contraction", "spectral"),
    "theta": _positive,
    "residual": _positive,
    "smin_inputs": _non_negative,
    "smax_inputs": _positive,
    "smin_start": _non_negative,
    "smax_start": _positive,
    "radii": _cells,
    "psi": _cells,
    "jacobian_norm": _positive,
    "jacobian_lipschitz": _non_negative,
    "jacobian_drift": _non_negative,
}

ORIGINAL = {
    "step_size": _positive,
    "radius": _positive,
    "tolerance": _positive,
    "iterations": _steps,
    "rate": _positive,
    "residual": _positive,
    "smin_inputs": _positive,
    "alpha": _positive,
    "epsilon": _positive,
    "first_partials": _positive,
    "second_partials": _positive,
}

AUDIT = {
    "residual": _non_negative,
    "smin_start": _positive,
    "smax_start": _positive,
    "correction": _non_negative,
    "distance": _non_negative,
    "curvature": tagged(
        {
            "drift": {"radii": _cells, "drift": many(_non_negative, 1, MAX_CELLS)},
            "taylor": {
                "orders_by": choice("two-layers", "row-space"),
                "radius": _positive,
                "orders": many(_non_negative, 1, 5),
            },
        }
    ),
    "convergence": tagged({"none": {}, "descent": DESCENT}),
}

WIDTH = {
    "step_size": _positive,
    "radius": _positive,
    "tolerance": _positive,
    "iterations": _steps,
    "rate": _non_negative,
    "residual": _non_negative,
    "smin": _non_negative,
    "clocks": _cells,
    "decay": _cells,
    "spread": many(_non_negative, 1, MAX_CELLS),
}

CLAIM = tagged({"descent": DESCENT, "descent-original": ORIGINAL, "audit": AUDIT, "width": WIDTH})

CERTIFICATE = {
    "problem": text,
    "targets_sha256": sha256,
    "network": record(
        {
            "widths": many(count(1, MAX_SIZE), 3, MAX_LAYERS + 1),
            "activation": text,
            "inputs": choice("raw", "whitened", "whitened-with-bias"),
        }
    ),
    "start": tagged(
        {
            "positive": {"hidden": many(_positive, 0, MAX_LAYERS), "output": _positive},
            "tensors": {"sha256": sha256},
        }
    ),
    "metric": record({"weights": many(_non_negative, 2, MAX_LAYERS), "biases": many(_non_negative, 2, MAX_LAYERS)}),
    "claim": CLAIM,
    "assumptions": many(text, 0, MAX_CERTIFICATES),
    "limits": many(text, 0, MAX_CERTIFICATES),
}

FILE = record(
    {
        "format": choice("gradcert-certificate"),
        "version": count(1, 1),
        "producer": text,
        "data": record(
            {
                "samples": count(1, MAX_SIZE),
                "features": count(1, MAX_SIZE),
                "inputs_sha256": sha256,
                "merge_duplicates": flag,
            }
        ),
        "certificates": many(record(CERTIFICATE), 1, MAX_CERTIFICATES),
    }
)


def read(raw):
    """The file as nested dictionaries with checked types; BadInput otherwise."""
    value = FILE(load(raw), "certificate")
    problems = [c["problem"] for c in value["certificates"]]
    if len(set(problems)) != len(problems):
        raise BadInput("two certificates are about the same problem")
    for item in value["certificates"]:
        layers = len(item["network"]["widths"]) - 1
        if len(item["metric"]["weights"]) != layers or len(item["metric"]["biases"]) != layers:
            raise BadInput("metric: one factor for each layer is needed")
        if item["start"]["kind"] == "positive" and len(item["start"]["hidden"]) != layers - 2:
            raise BadInput("start.hidden: one entry for each layer between the first and the last is needed")
    return value
