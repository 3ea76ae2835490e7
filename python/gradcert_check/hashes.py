"""SHA-256 of a tag, sizes and doubles, as the format defines it."""

import hashlib

import numpy as np


def _digest(tag, sizes, arrays):
    state = hashlib.sha256(tag.encode("ascii"))
    state.update(np.asarray(sizes, dtype="<u8").tobytes())
    for array in arrays:
        # Adding +0 turns -0 into +0 and changes nothing else.
        state.update((np.asarray(array, dtype="<f8") + 0.0).astype("<f8").tobytes())
    return state.hexdigest()


def inputs(x):
    """x: samples times features."""
    return _digest("gradcert inputs", x.shape, [x])


def targets(y):
    return _digest("gradcert targets", [y.size], [y])


def parameters(widths, arrays):
    """arrays: W_1, b_1, ..., W_L, b_L (b_1 = 0 on whitened inputs)."""
    return _digest("gradcert parameters", widths, arrays)
