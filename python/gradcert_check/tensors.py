"""Start parameters from a safetensors file, exactly: float64, float32, float16 and bfloat16 numbers are doubles."""

import json
import re
import struct

import numpy as np

from .data import in_range
from .errors import BadInput

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MAX_HEADER = 100 << 20


def _header(raw):
    if len(raw) < 8:
        raise BadInput("the parameter file is too short")
    (size,) = struct.unpack("<Q", raw[:8])
    if size > min(MAX_HEADER, len(raw) - 8):
        raise BadInput("the header of the parameter file is longer than the file")
    try:
        header = json.loads(raw[8 : 8 + size].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the header of the parameter file: {error}") from None
    if not isinstance(header, dict):
        raise BadInput("the header of the parameter file is no object")
    return header, raw[8 + size :]


def _tensor(name, entry, body):
    try:
        kind, shape = entry["dtype"], [int(k) for k in entry["shape"]]
        start, end = (int(k) for k in entry["data_offsets"])
        dtype = np.dtype(_TYPES[kind])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{name}: {type(error).__name__} {error}") from None
    size = 1
    for k in shape:
        size *= k
    if min(shape, default=1) < 1 or not 0 <= start <= end <= len(body) or end - start != size * dtype.itemsize:
        raise BadInput(f"{name}: shape and bytes do not fit")
    array = np.frombuffer(body[start:end], dtype=dtype)
    if kind == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    array = array.astype("<f8").reshape(shape)
    in_range(array, name)
    return array


def _order(name):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def read(raw):
    """All tensors by name."""
    header, body = _header(raw)
    return {name: _tensor(name, entry, body) for name, entry in header.items() if name != "__metadata__"}


def network(tensors, widths, problem):
    """[W_1, b_1, ..., W_L, b_L] of network number ``problem`` of the file; a missing bias is 0."""
    names = sorted((name[:-7] for name in tensors if name.endswith(".weight")), key=_order)
    layers = len(widths) - 1
    if len(names) % layers or not names:
        raise BadInput("the parameter file has another number of layers")
    if len(names) > layers:
        names = names[problem * layers : (problem + 1) * layers]
    if len(names) != layers:
        raise BadInput("the parameter file has no network for this problem")
    arrays = []
    for name, before, after in zip(names, widths, widths[1:]):
        weight, bias = tensors[name + ".weight"], tensors.get(name + ".bias", np.zeros(after))
        if weight.shape != (after, before) or bias.shape != (after,):
            raise BadInput(f"{name}: the shapes are not those of the network")
        arrays += [weight, bias]
    return arrays
