"""Hostile input: an exit code 1 or 4, one line of explanation, never a traceback."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

import pytest
from gradcert_check import BadInput, NotProved, check_bytes, data
from gradcert_check.__main__ import main

HERE = pathlib.Path(__file__).parent / "data"
PLAIN = (HERE / "plain.json").read_bytes()
SMALL = str(HERE / "small.npz")


def rejected(raw, samples):
    with pytest.raises((BadInput, NotProved)):
        check_bytes(raw, samples)


@pytest.fixture(scope="module")
def samples():
    return data.read(SMALL)


def _paths(value, at=()):
    items = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from _paths(inner, (*at, key))


def _with(path, value=None, remove=False, add=False):
    whole = json.loads(PLAIN)
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    if remove:
        del parent[path[-1]]
    elif add:
        parent["unknown"] = 1
    else:
        parent[path[-1]] = value
    return json.dumps(whole).encode(), isinstance(parent, dict)


FREE = ({"producer"}, {"assumptions"}, {"limits"})
PATHS = list(_paths(json.loads(PLAIN)))


@pytest.mark.parametrize("wrong", [None, -1, 1e300, [0], 2**64 - 1, {"kind": []}], ids=repr)
def test_wrong_types(samples, wrong):
    for path in PATHS:
        rejected(_with(path, wrong)[0], samples)


def test_missing_unknown_and_word(samples):
    for path in PATHS:
        raw, is_record = _with(path, add=True) if not isinstance(path[-1], int) else (b"", False)
        if is_record:
            rejected(raw, samples)
            rejected(_with(path, remove=True)[0], samples)
        if not any({str(key) for key in path} & free for free in FREE):
            rejected(_with(path, "nan")[0], samples)


def test_truncated_at_every_byte_of_the_compact_text(samples):
    text = json.dumps(json.loads(PLAIN), separators=(",", ":")).encode()
    for end in range(len(text)):
        rejected(text[:end], samples)
    rejected(text + b" 1", samples)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
        PLAIN.replace(b'"version": 1', b'"version": 2'),
        PLAIN.replace(b'"version": 1', b'"version": 1, "version": 1'),
        PLAIN.replace(b'"version": 1', b'"version": 1.0'),
        PLAIN.replace(b'"version": 1', b'"version": true'),
        PLAIN.replace(b'"version": 1', b'"version": NaN'),
        PLAIN.replace(b'"version": 1', b'"version": Infinity'),
        PLAIN.replace(b'"iterations": ', b'"iterations": 99999999999999999999999999'),
        PLAIN.replace(b'"kind": "descent"', b'"kind": "relu-width"'),
    ],
)
def test_files_that_are_none(samples, raw):
    with pytest.raises(BadInput):
        check_bytes(raw, samples)


def test_other_spellings_of_numbers(samples):
    """One spelling a number: the same number otherwise spelled is refused."""
    claim = json.loads(PLAIN)["certificates"][0]["claim"]
    text = claim["theta"]
    mantissa, exponent = text.split("p")
    for other in (
        text.upper(),
        f"{mantissa}0p{exponent}",
        f"+{text}",
        f"{mantissa}p{exponent[0]}0{exponent[1:]}",
        " " + text,
    ):
        with pytest.raises(BadInput):
            check_bytes(_with(("certificates", 0, "claim", "theta"), other)[0], samples)


def test_random_bytes_raise_nothing_else(samples):
    stream = random.Random(99)
    for _ in range(150):
        changed = bytearray(PLAIN)
        for _ in range(stream.randint(1, 3)):
            changed[stream.randrange(len(changed))] = stream.randrange(256)
        try:
            check_bytes(bytes(changed), samples)
        except (BadInput, NotProved):
            pass


def _exit(*arguments):
    return main([*map(str, arguments), "--json"])


def test_exit_codes(tmp_path, capsys):
    plain = HERE / "plain.json"
    assert _exit(plain, SMALL) == 0
    assert _exit(plain, HERE / "wide.npz") == 1
    assert _exit(plain, tmp_path / "none.npz") == 4
    assert _exit(tmp_path / "none.json", SMALL) == 4
    assert _exit(SMALL, SMALL) == 4
    for k, raw in enumerate((b"", b"PK\x03\x04 no archive", b"\x93NUMPY" + b"\xff" * 200)):
        broken = tmp_path / f"broken{k}.npz"
        broken.write_bytes(raw)
        assert _exit(plain, broken) == 4
    table = tmp_path / "t.csv"
    for text in ("", "a,b\n", "a,b\n1\n", "a,b\nx,1\n", "a,b\nnan,1\n", "a,b\n1e999,1\n", "a,b\n1,\n"):
        table.write_text(text)
        assert _exit(plain, table) in (1, 4)
    lines = capsys.readouterr().out.splitlines()
    assert all(set(json.loads(line)) == {"status", "problems", "field", "message", "seconds"} for line in lines)
    with pytest.raises(SystemExit) as error:
        main([])
    assert error.value.code == 2


def test_start_files(tmp_path):
    """A missing, broken or other parameter file."""
    for name in ("drift.json", "drift.start.safetensors"):
        shutil.copy(HERE / name, tmp_path / name)
    certificate, start = tmp_path / "drift.json", tmp_path / "drift.start.safetensors"
    raw = start.read_bytes()
    assert _exit(certificate, HERE / "wide.npz") == 0
    hostile = [b"", raw[:7], raw[:50], raw[:-1], b"\xff" * 8 + raw[8:], raw[:8] + b"[" * (len(raw) - 8)]
    hostile += [raw.replace(b"F64", b"I64"), raw.replace(b"data_offsets", b"data_offsetx")]
    for changed in hostile:
        start.write_bytes(changed)
        assert _exit(certificate, HERE / "wide.npz") == 4
    start.write_bytes(raw[:-8] + b"\0" * 8)
    assert _exit(certificate, HERE / "wide.npz") == 1
    start.unlink()
    assert _exit(certificate, HERE / "wide.npz") == 4


def test_as_a_program():
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    command = [sys.executable, "-m", "gradcert_check", str(HERE / "plain.json"), SMALL]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0 and result.stdout.startswith("valid: target")
    command[-1] = str(HERE / "wide.npz")
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 1 and result.stderr.startswith("invalid: ") and "Traceback" not in result.stderr
