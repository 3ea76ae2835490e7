"""From bytes and samples to verdicts."""

from functools import partial

from flint import ctx

from . import activation, audit, descent, hashes, original, problems, schema, tensors, width
from . import centre as network
from .errors import BadInput, NotProved, require

PRECISIONS = (128, 256, 512)
MAX_ENTRIES = 1 << 28


def _setting(file, item, samples, start, number):
    widths, claim = item["network"]["widths"], item["claim"]
    y = problems.targets(samples.targets, item)
    merged = problems.merge(samples.inputs, y, file["data"]["merge_duplicates"])
    is_audit = claim["kind"] == "audit"
    if widths[-1] != 1 and not is_audit:
        raise BadInput("several outputs are for audits")
    if sum(a * b for a, b in zip(widths, widths[1:])) > MAX_ENTRIES:
        raise BadInput("the network is too large")
    reads = item["network"]["inputs"]
    first = samples.inputs.shape[1] if reads == "raw" else len(merged.multiplicities)
    require(widths[0] == first, "network.widths", f"the samples have {first} coordinates")
    biases = item["metric"]["biases"]
    if reads != "raw" and biases[0] != 0:
        raise BadInput("metric.biases: whitened inputs have no first bias")
    if not any(item["metric"]["weights"]) and not any(biases):
        raise BadInput("metric: nothing moves")
    setting = network.Setting(
        widths=widths,
        activation=activation.parse(item["network"]["activation"], is_audit),
        inputs=reads,
        d_weights=[None] + item["metric"]["weights"],
        d_biases=[None] + biases,
        merged=merged,
    )
    if item["start"]["kind"] == "positive":
        setting.positive = item["start"]
        if not setting.activation.zero:
            raise BadInput("the positive start needs sigma(0) = 0")
    else:
        _read_start(setting, item, start, number)
    return setting


def _read_start(setting, item, start, number):
    if start is None:
        raise BadInput("the certificate speaks about given start parameters: --start FILE is needed")
    arrays = tensors.network(start, setting.widths, number)
    if setting.inputs != "raw" and arrays[1].any():
        raise BadInput("whitened inputs have no first bias: it must be 0")
    found = hashes.parameters(setting.widths, arrays)
    require(found == item["start"]["sha256"], "start.sha256", "other start parameters")
    setting.arrays, setting.biases = [None] + arrays[0::2], [None] + arrays[1::2]


def _certificate(file, item, samples, start, number):
    if item["claim"]["kind"] == "width":
        if file["data"]["merge_duplicates"]:
            raise BadInput("a width is about samples that are not merged")
        y = problems.targets(samples.targets, item)
        width.check(item, samples.inputs, y.ravel(), start)
        return
    setting = _setting(file, item, samples, start, number)
    if setting.inputs != "raw":
        network.prove_rank(setting)
    at_start = network.at_positive_start if setting.positive else network.at_tensors
    kind = item["claim"]["kind"]
    if kind == "descent":
        descent.check(at_start(setting), item["claim"])
    elif kind == "descent-original":
        original.check(at_start(setting), item["claim"])
    else:
        audit.check(at_start(setting), item["claim"])


def _with_enough_bits(job):
    """What is not proved with few bits may be with more: the tests of definiteness look into cancellation."""
    for bits in PRECISIONS:
        ctx.prec = bits
        try:
            return job()
        except NotProved as error:
            if bits == PRECISIONS[-1] or not error.field.startswith(("smin", "smax", "network.inputs")):
                raise
    return None


def check_bytes(raw, samples, start=None):
    """Check the bytes of a certificate against samples and the bytes of a parameter file.

    Returns the list of problems proved; raises BadInput or NotProved.
    """
    file = schema.read(raw)
    n, d = samples.inputs.shape
    require((file["data"]["samples"], file["data"]["features"]) == (n, d), "data", f"the data are {n} x {d}")
    require(hashes.inputs(samples.inputs) == file["data"]["inputs_sha256"], "data.inputs_sha256", "other inputs")
    arrays = tensors.read(start) if start is not None else None
    proved = []
    for number, item in enumerate(file["certificates"]):
        _with_enough_bits(partial(_certificate, file, item, samples, arrays, number))
        proved.append(item["problem"])
    return proved
