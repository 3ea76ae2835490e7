"""Makes the certificates under data/ with the command line program: ``python make_golden.py path/to/gradcert``.

``tight-*.json`` are the same certificates with claims raised to what the second checker proves, up to 1e-9; the first
checker must accept them too.
"""

import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import tight
from gradcert_check import data

HERE = pathlib.Path(__file__).parent / "data"
DESCENT = {
    "plain": ("small.npz", "--width 6 --activation tanh"),
    "deep": ("small.npz", "--width 5 --depth 3"),
    "whitened": ("small.npz", "--width 6 --depth 3 --whiten"),
    "merged": ("repeated.npz", "--width 6 --merge-duplicates"),
    "classes": ("classes.csv", "--width 6"),
    "frozen": ("small.npz", "--width 6 --start abs-lecun --train first-layer"),
    "conditional": ("small.npz", "--width 6 --start conditional --train first-layer"),
    "lecun": ("small.npz", "--width 256 --start lecun --whiten --layer-steps auto"),
    "scaled": ("small.npz", "--width 6 --scale 60 --layer-steps auto --activation softsign"),
    "original": ("small.npz", "--width 4 --depth 3 --method paper"),
}
TIGHT = ("plain", "deep", "whitened", "frozen", "scaled", "original")
AUDITS = {
    "two-layers": ("wide.npz", "--width 20 --activation tanh"),
    "row-space": ("wide.npz", "--width 12 --depth 3 --activation tanh"),
    "drift": ("wide.npz", "--width 20 --activation softsign"),
}


def _samples():
    stream = np.random.default_rng(1)
    x, y = stream.standard_normal((8, 12)), stream.standard_normal(8)
    np.savez(HERE / "small.npz", X=x, y=y)
    np.savez(HERE / "repeated.npz", X=np.vstack([x, x[:3]]), y=np.concatenate([y, y[:3]]))
    unit = np.random.default_rng(7).standard_normal((3, 40))
    np.savez(HERE / "unit.npz", X=unit / np.linalg.norm(unit, axis=1)[:, None], y=np.array([0.9, -0.4, 0.7]))
    np.savez(HERE / "wide.npz", X=stream.standard_normal((10, 4)), y=stream.standard_normal(10))
    with open(HERE / "classes.csv", "w", newline="") as stream_out:
        table = csv.writer(stream_out, lineterminator="\n")
        table.writerow([f"f{k}" for k in range(10)] + ["label"])
        for i, row in enumerate(stream.standard_normal((9, 10))):
            table.writerow([repr(float(v)) for v in row] + ["xyz"[i % 3]])


def _run(program, *arguments):
    result = subprocess.run([program, *arguments], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(arguments)}: {result.stdout}{result.stderr}")


def _tight(program, name, source, tighten):
    raw = json.loads((HERE / f"{name}.json").read_text())
    start = HERE / f"{name}.start.safetensors"
    parameters = start.read_bytes() if start.exists() else None
    samples = data.read(str(HERE / source))
    out = HERE / f"tight-{name}.json"
    if start.exists():
        shutil.copy(start, HERE / f"tight-{name}.start.safetensors")
    if tighten is tight.descent_claim:
        raw = tighten(raw, samples, parameters)
        confirmed = raw
    else:
        # The first checker evaluates a small residual in doubles and bounds |J(w0)| in (T2) by another way: it cannot
        # confirm these to 1e-9.
        confirmed, raw = tighten(raw, samples, parameters, rest=False), tighten(raw, samples, parameters)
    out.write_text(json.dumps(confirmed))
    _run(program, "check", str(out), "--data", str(HERE / source))
    out.write_text(json.dumps(raw, indent=1) + "\n")


def _several_outputs(program, folder):
    """A network with three outputs, moved to interpolation by Gauss-Newton steps."""
    import mutations

    stream, widths = np.random.default_rng(5), [10, 16, 3]
    arrays = []
    for before, after in zip(widths, widths[1:]):
        arrays += [stream.standard_normal((after, before)) / np.sqrt(before), np.zeros(after)]
    model = folder / "model.safetensors"
    model.write_bytes(mutations._packed(arrays, widths))
    options = ["--model", str(model), "--activation", "tanh", "--polish", "--out", str(HERE / "outputs.json")]
    _run(program, "audit", "--data", str(HERE / "classes.csv"), *options)


def _width(program, folder):
    """A network three times as wide as the smallest certified one, so that few iterations are counted."""
    options = ["--width", "96", "--out", str(folder / "width")]
    _run(program, "width", "--data", str(HERE / "unit.npz"), *options)
    shutil.copy(folder / "width" / "certificate.json", HERE / "width.json")
    shutil.copy(folder / "width" / "start.safetensors", HERE / "width.start.safetensors")


def main(program):
    HERE.mkdir(exist_ok=True)
    _samples()
    for name, (source, options) in DESCENT.items():
        out = str(HERE / f"{name}.json")
        _run(program, "certify", "--data", str(HERE / source), "--out", out, *options.split())
        if name in TIGHT:
            _tight(program, name, source, tight.original_claim if name == "original" else tight.descent_claim)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, (source, options) in AUDITS.items():
            train = f"--start he --optimizer lbfgs --allow-uncertified {options}".split()
            _run(program, "train", "--data", str(HERE / source), "--out", str(folder / name), *train)
            shutil.copy(folder / name / "audit.json", HERE / f"{name}.json")
            shutil.copy(folder / name / "model.safetensors", HERE / f"{name}.start.safetensors")
            _tight(program, name, source, tight.audit_claim)
        _several_outputs(program, folder)
        _width(program, folder)


if __name__ == "__main__":
    main(sys.argv[1])
