"""Changes of a certificate that claim more: the mutations of the first checker, over real certificates.

A mutant is (name, file, samples, start): what is given to the checker.
"""

import copy
import json
import struct

import numpy as np
from gradcert_check import activation, hashes, hexfloat, tensors
from gradcert_check.data import Samples

FACTORS = (1 + 1e-8, 1 + 1e-7, 1 + 1e-6, 1 + 1e-4, 1.01, 2.0, 1e6)
AUDIT_FACTORS = (1 + 1e-8, 1 + 1e-6, 1 + 1e-4, 1.01, 2.0, 1e6)


def value(text):
    return float.fromhex(text)


def scaled(text, factor):
    return hexfloat.spell(value(text) * factor)


def _change(file, where, change):
    """A copy whose part ``where`` (a function of the file) was changed; None if nothing has."""
    changed = copy.deepcopy(file)
    change(where(changed))
    return None if changed == file else changed


def _claim(file):
    return file["certificates"][0]["claim"]


def _scale(key, factor):
    def change(claim):
        claim[key] = scaled(claim[key], factor)

    return change


def _scale_first(key, count, factor):
    def change(claim):
        claim[key][:count] = [scaled(x, factor) for x in claim[key][:count]]

    return change


def _set(key, x):
    def change(claim):
        claim[key] = x

    return change


def _indices(count, few):
    return range(count) if not few else sorted({0, count // 2, count - 1})


def descent_changes(claim, samples, few=False):
    """(name, change) of a claim ``descent``."""
    for factor in FACTORS:
        for key in ("smin_inputs", "smin_start", "theta", "rate"):
            yield f"{key} x {factor}", _scale(key, factor)
        for key in ("smax_inputs", "smax_start", "residual", "jacobian_norm", "jacobian_lipschitz", "jacobian_drift"):
            yield f"{key} / {factor}", _scale(key, 1 / factor)
        for j in _indices(len(claim["psi"]), few):

            def one(c, j=j, factor=factor):
                c["psi"][j] = scaled(c["psi"][j], factor)

            yield f"psi[{j}] x {factor}", one
            yield f"psi[..={j}] x {factor}", _scale_first("psi", j + 1, factor)
    yield from _radii_changes(claim, few)
    yield from _step_changes(claim, samples)


def _radii_changes(claim, few):
    for j in _indices(len(claim["radii"]) - 1, few):

        def farther(c, j=j):
            c["radii"][j] = hexfloat.spell((value(c["radii"][j]) + value(c["radii"][j + 1])) / 2)

        def without(c, j=j):
            del c["radii"][j], c["psi"][j + 1]

        def order(c, j=j):
            c["radii"][j], c["radii"][j + 1] = c["radii"][j + 1], c["radii"][j]

        yield f"radii[{j}]", farther
        yield f"without radius {j}", without
        yield f"order {j}", order


def _step_changes(claim, samples):
    for factor in (10.0, 1e3, 1e6):
        small = 0.5 * value(claim["residual"]) / (value(claim["psi"][0]) * value(claim["radius"])) / factor

        def radius(c, small=small):
            c["radii"] = [scaled(r, small) for r in c["radii"]]
            c["radius"] = c["radii"][-1]

        yield f"radius x {small}", radius
        yield f"step / {factor}", _scale("step_size", 1 / factor)
        yield f"step x {factor}", _scale("step_size", 2 * factor)
        yield f"tolerance / {factor}", _scale("tolerance", factor**-4)
    beyond = 2.1 * 0.5 * samples / (value(claim["step_size"]) * value(claim["jacobian_norm"]) ** 2)
    yield "step just beyond 2 / |J|^2", _scale("step_size", beyond)
    yield "radius alone", _scale("radius", 0.999)
    k = claim["iterations"]
    for fewer in {1, 2, k // 10 + 1, k // 2 + 1, k}:
        yield f"{fewer} iterations fewer", _set("iterations", max(0, k - fewer))
    for bad in (0.0, -1.0, 1.7976931348623157e308, 1e-300):
        for key in ("step_size", "tolerance", "theta", "radius"):
            yield f"{key} = {bad}", _set(key, hexfloat.spell(bad))
        yield f"psi = {bad}", lambda c, bad=bad: c["psi"].__setitem__(0, hexfloat.spell(bad))
    for rate in (1.5, 1.0, -0.5):
        yield f"rate {rate}", _set("rate", hexfloat.spell(rate))
    yield "huge count", _set("iterations", 2**64 - 1)
    yield "psi missing", lambda c: c["psi"].pop()
    yield "no radii", lambda c: (c["psi"].clear(), c["radii"].clear())


def original_changes(claim):
    """(name, change) of a claim ``descent-original``."""
    for factor in FACTORS:
        for key in ("smin_inputs", "alpha", "rate", "step_size"):
            yield f"{key} x {factor}", _scale(key, factor)
        for key in ("residual", "first_partials", "second_partials"):
            yield f"{key} / {factor}", _scale(key, 1 / factor)
    for k in {1, claim["iterations"] // 10 + 1, claim["iterations"]}:
        yield f"{k} iterations fewer", _set("iterations", claim["iterations"] - k)
    yield "tolerance / 10", _scale("tolerance", 0.1)
    for bad in (0.0, -1.0, 1.0, 2.0):
        yield f"epsilon = {bad}", _set("epsilon", hexfloat.spell(bad))
    for factor in (1e-3, 4.0, 1e6):
        yield f"radius x {factor}", _scale("radius", factor)
    for key in ("alpha", "step_size", "residual", "first_partials"):
        yield f"{key} negative", _set(key, "-0x1p+0")


def audit_changes(claim, few=False):
    """(name, change) of a claim ``audit``."""

    def repeat(a):
        for key in ("residual", "smin_start", "smax_start"):
            if a["convergence"]["kind"] == "descent":
                a["convergence"][key] = a[key]

    for factor in AUDIT_FACTORS:
        for key, power in (
            ("residual", -1),
            ("smax_start", -1),
            ("correction", -1),
            ("distance", -1),
            ("smin_start", 1),
        ):
            change = _scale(key, factor**power)
            yield f"{key} ^ {power} {factor}", change
            yield f"{key} ^ {power} {factor}, repeated", lambda a, change=change: (change(a), repeat(a))
        yield from _curvature_changes(claim, factor, few)
        if claim["convergence"]["kind"] == "descent":

            def psi(a, factor=factor):
                a["convergence"]["psi"] = [scaled(x, factor) for x in a["convergence"]["psi"]]

            yield f"psi x {factor}", psi
            yield f"rate x {factor}", lambda a, f=factor: _scale("rate", f)(a["convergence"])
    yield "distance 0", _set("distance", "0x0p+0")
    yield "distance beyond the curvature", _scale("distance", 2.0**40)
    yield "smin 0", _set("smin_start", "0x0p+0")
    yield "negative", _scale("correction", -1.0)
    if claim["curvature"]["kind"] == "taylor":
        yield "an order less", lambda a: a["curvature"]["orders"].pop(-2)
        yield "no orders", lambda a: a["curvature"]["orders"].clear()
        yield (
            "seven orders",
            lambda a: a["curvature"]["orders"].extend(["0x1p+300"] * (7 - len(a["curvature"]["orders"]))),
        )
    else:
        yield "no cells", lambda a: (a["curvature"]["radii"].clear(), a["curvature"]["drift"].clear())
        yield "more drifts than radii", lambda a: a["curvature"]["drift"].append("0x1p+300")


def _curvature_changes(claim, factor, few):
    key = "orders" if claim["curvature"]["kind"] == "taylor" else "drift"
    for j in range(len(claim["curvature"][key])):

        def smaller(a, j=j):
            a["curvature"][key][j] = scaled(a["curvature"][key][j], 1 / factor)

        yield f"curvature {j} / {factor}", smaller
        if key == "drift" and factor > 1.005:

            def farther(a, j=j):
                radii = a["curvature"]["radii"]
                radii[j:] = [scaled(r, factor) for r in radii[j:]]

            yield f"radius {j} x {factor}", farther
    if key == "orders" and factor > 1.005:
        yield f"radius x {factor}", lambda a: _scale("radius", factor)(a["curvature"])


def claim_mutants(file, samples, start, few=False):
    claim = _claim(file)
    kind = claim["kind"]
    if kind == "descent":
        changes = descent_changes(claim, file["data"]["samples"], few)
    else:
        changes = original_changes(claim) if kind == "descent-original" else audit_changes(claim, few)
    for name, change in changes:
        changed = _change(file, _claim, change)
        if changed is not None:
            yield name, changed, samples, start


def _metric_changes(first):
    for l in range(len(first["metric"]["weights"])):
        for factor in (1 + 1e-6, 1.5, 1e3):
            # Beyond the first layer a factor hardly matters; by 1e-6 the numbers stay provable, hence true.
            kept = factor if l == 0 else max(factor, 1.5)
            yield f"metric W {l} x {kept}", lambda c, l=l, k=kept: _rescale(c["metric"]["weights"], l, k)
            yield f"metric b {l} x {factor}", lambda c, l=l, k=max(factor, 1.5): _rescale(c["metric"]["biases"], l, k)
        yield f"metric {l} negative", lambda c, l=l: c["metric"]["weights"].__setitem__(l, "-0x1p+0")
    yield "metric too short", lambda c: c["metric"]["weights"].pop()


def _rescale(items, k, factor):
    items[k] = scaled(items[k], factor)


def _start_changes(first):
    if first["start"]["kind"] != "positive":
        yield "other tensors", lambda c: c["start"].update(sha256="0" * 64)
        yield "positive", lambda c: c.update(start={"kind": "positive", "hidden": [], "output": "0x1p+0"})
        return
    for factor in (0.5, 0.999, 1 - 1e-6, 1 + 1e-6, 1.001, 2.0, 1e3, -1.0, 0.0):
        yield f"output x {factor}", lambda c, f=factor: c["start"].update(output=scaled(c["start"]["output"], f))
        for l in range(len(first["start"]["hidden"])):
            yield f"hidden {l} x {factor}", lambda c, l=l, f=factor: _rescale(c["start"]["hidden"], l, f)
    yield "hidden missing", lambda c: c["start"]["hidden"].append("0x1p+0")
    yield "tensors", lambda c: c.update(start={"kind": "tensors", "sha256": "0" * 64})


def _network_changes(first):
    for l in range(len(first["network"]["widths"])):
        for w in (0, 1, 2, 3, 7, 1000, 2**64 - 1):
            yield f"width {l} = {w}", lambda c, l=l, w=w: c["network"]["widths"].__setitem__(l, w)
    yield "a layer more", lambda c: c["network"]["widths"].insert(1, 3)
    yield "a layer less", lambda c: c["network"]["widths"].pop(1)
    yield "problem", lambda c: c.update(problem=c["problem"] + "x")
    yield "targets", lambda c: c.update(targets_sha256=hashes.targets(np.zeros(5)))
    names = (
        "relu",
        "",
        "smooth-leaky-relu:0.11",
        "smooth-leaky-relu:0.09",
        "tanh",
        "softplus",
        "identity",
        "silu",
        "logistic",
    )
    for name in names:
        if _slope(name) != _slope(first["network"]["activation"]):
            yield f"activation {name!r}", lambda c, name=name: c["network"].update(activation=name)


def _slope(name):
    """Another activation with the same slope at 0 may satisfy the same bounds, so it is not an attack."""
    from flint import arb

    try:
        return float(activation.parse(name, True).low(1, arb(0)))
    except Exception:
        return None


def setting_mutants(file, samples, start):
    """Changes outside the claim."""
    first = file["certificates"][0]
    for name, change in (*_network_changes(first), *_metric_changes(first), *_start_changes(first)):
        changed = _change(file, lambda f: f["certificates"][0], change)
        if changed is not None:
            yield name, changed, samples, start
    of_file = {
        "format": lambda f: f.update(format="gradcert-certificatex"),
        "version": lambda f: f.update(version=2),
        "samples + 1": lambda f: f["data"].update(samples=f["data"]["samples"] + 1),
        "samples 0": lambda f: f["data"].update(samples=0),
        "features + 1": lambda f: f["data"].update(features=f["data"]["features"] + 1),
        "features huge": lambda f: f["data"].update(features=2**64 - 1),
        "hash of the inputs": lambda f: f["data"].update(inputs_sha256="g" + f["data"]["inputs_sha256"][1:]),
        "no certificate": lambda f: f["certificates"].clear(),
        "twice": lambda f: f["certificates"].append(copy.deepcopy(f["certificates"][0])),
    }
    for name, change in of_file.items():
        yield name, _change(file, lambda f: f, change), samples, start


def _rehash(file, samples):
    """Hashed anew, so that only the mathematics can object."""
    changed = copy.deepcopy(file)
    changed["data"]["inputs_sha256"] = hashes.inputs(samples.inputs)
    changed["certificates"][0]["targets_sha256"] = hashes.targets(np.array(samples.targets, dtype=float))
    return changed


def data_mutants(file, samples, start):
    """Changes of numeric data."""
    x, y = samples.inputs, np.array(samples.targets, dtype=float)
    first = file["certificates"][0]
    moved, repeated = x.copy(), x.copy()
    moved[0] *= 1.5
    repeated[-1] = repeated[0]
    same, other = y.copy(), y.copy()
    same[-1], other[-1] = y[0], -y[0]
    variants = [
        ("targets much larger", x, 3 * y),
        ("sample repeated", repeated, same),
        ("contradiction", repeated, other),
    ]
    if first["start"]["kind"] == "positive":
        variants.append(("targets larger", x, y * (1 + 1e-6)))
    if first["network"]["inputs"] == "raw":
        variants += [("inputs larger", x * (1 + 1e-5), y), ("inputs smaller", x * (1 - 1e-5), y), ("moved", moved, y)]
    if first["claim"]["kind"] == "audit":
        variants += [("targets + 0.1", x, y + 0.1), ("inputs x 1.01", 1.01 * x, y)]
    for name, inputs, targets in variants:
        changed = Samples(inputs, targets.tolist())
        yield name, _rehash(file, changed), changed, start


def _packed(arrays, widths):
    header, body = {}, b""
    for l in range(len(widths) - 1):
        for name, array in (("weight", arrays[2 * l]), ("bias", arrays[2 * l + 1])):
            raw = np.ascontiguousarray(array, dtype="<f8").tobytes()
            header[f"{l}.{name}"] = {
                "dtype": "F64",
                "shape": list(array.shape),
                "data_offsets": [len(body), len(body) + len(raw)],
            }
            body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def parameter_mutants(file, samples, start):
    """Other start parameters, hashed anew; for raw inputs."""
    first = file["certificates"][0]
    widths = first["network"]["widths"]
    noise = np.random.default_rng(3)

    def arrays():
        return [a.copy() for a in tensors.network(tensors.read(start), widths, 0)]

    variants = []
    for size in (1e-2, 0.3):
        variants.append((f"noise {size}", [a + size * noise.uniform(-1, 1, a.shape) for a in arrays()]))
    rows = arrays()
    rows[0][[0, 1]] = rows[0][[1, 0]]
    variants.append(("rows exchanged", rows))
    for name, changed in variants:
        other = copy.deepcopy(file)
        other["certificates"][0]["start"]["sha256"] = hashes.parameters(widths, changed)
        yield name, other, samples, _packed(changed, widths)
    unhashed = arrays()
    unhashed[0][0, 0] += 1e-3
    yield "unhashed parameters", file, samples, _packed(unhashed, widths)
