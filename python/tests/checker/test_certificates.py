"""Certificates of every kind are accepted; every claim of more is rejected."""

import json
import pathlib

import mutations
import pytest
from gradcert_check import BadInput, NotProved, check_bytes, data

HERE = pathlib.Path(__file__).parent / "data"
SOURCES = {"merged": "repeated.npz", "width": "unit.npz", "classes": "classes.csv", "outputs": "classes.csv"}
SOURCES.update(
    {f"{tight}{name}": "wide.npz" for name in ("two-layers", "row-space", "drift") for tight in ("", "tight-")}
)
NAMES = sorted(path.stem for path in HERE.glob("*.json"))
TIGHT = [name for name in NAMES if name.startswith("tight-")]


def golden(name):
    """(file with one certificate, samples, bytes of the parameters or None)."""
    file = json.loads((HERE / f"{name}.json").read_text())
    start = HERE / f"{name}.start.safetensors"
    samples = data.read(str(HERE / SOURCES.get(name, "small.npz")))
    return file, samples, start.read_bytes() if start.exists() else None


def accepted(file, samples, start):
    try:
        return check_bytes(json.dumps(file).encode(), samples, start)
    except (BadInput, NotProved):
        return []


@pytest.mark.parametrize("name", NAMES)
def test_valid_certificates_are_accepted(name):
    file, samples, start = golden(name)
    proved = check_bytes(json.dumps(file).encode(), samples, start)
    assert proved == [c["problem"] for c in file["certificates"]]


def test_every_kind_is_among_them():
    claims = [c["claim"] for name in NAMES for c in golden(name)[0]["certificates"]]
    assert {c["kind"] for c in claims} == {"descent", "descent-original", "audit", "width"}
    descents = [c for c in claims if c["kind"] == "descent"]
    assert {c["form"] for c in descents} == {"first", "second"}
    curvatures = [c["curvature"] for c in claims if c["kind"] == "audit"]
    assert {c.get("orders_by", c["kind"]) for c in curvatures} == {"drift", "two-layers", "row-space"}


def survivors(name, few, slack):
    """Names of accepted mutants, without changes by at most ``slack``, and the number of mutants."""
    file, samples, start = golden(name)
    file["certificates"] = file["certificates"][:1]
    suites = [mutations.claim_mutants(file, samples, start, few), mutations.setting_mutants(file, samples, start)]
    if not isinstance(samples.targets[0], str):
        suites.append(mutations.data_mutants(file, samples, start))
    if start is not None and file["certificates"][0]["network"]["inputs"] == "raw":
        suites.append(mutations.parameter_mutants(file, samples, start))
    left, tried = [], 0
    small = tuple(f" {f}" for f in mutations.FACTORS if f - 1 <= slack)
    for suite in suites:
        for title, changed, other, parameters in suite:
            if title.removesuffix(", repeated").endswith(small):
                continue
            tried += 1
            if accepted(changed, other, parameters):
                left.append(title)
    return left, tried


# Claims of more that are true all the same, each with the reason.
_LATER = "a factor of the last layer, whose part of the kernel is below the slack: 1 / A^2 of the whole"
_FLAT = "psi is the same number at every radius (T7+)"
TRUE = {
    "tight-whitened": {f"metric {g} 2 x {f}": _LATER for g in "Wb" for f in (1.000001, 1.5)},
    "tight-frozen": {word.format(j): _FLAT for word in ("radii[{}]", "without radius {}") for j in range(500)},
    "tight-two-layers": {"an order less": "the stated sixth order is above the bound of the fifth"},
}


def attack(name, few, slack=0.0):
    left, tried = survivors(name, few, slack)
    print(f"{name}: {tried} mutants, {len(left)} survivors")
    assert tried > 100
    assert [title for title in left if title not in TRUE.get(name, {})] == []


def test_some_certificates_that_claim_more_are_rejected():
    attack("tight-scaled", few=True)


@pytest.mark.parametrize("name", ["tight-drift", "tight-original"])
def test_audits_and_original_claims_of_more_are_rejected(name):
    attack(name, few=True)


@pytest.mark.long
@pytest.mark.parametrize("name", TIGHT)
def test_tight_certificates_that_claim_more_are_rejected(name):
    attack(name, few=name in ("tight-frozen", "tight-plain"))


@pytest.mark.long
@pytest.mark.parametrize("name", ["classes", "lecun"])
def test_certificates_that_claim_more_are_rejected(name):
    """The program leaves a slack of up to 1e-6 in what it states."""
    attack(name, few=True, slack=2e-6)


@pytest.mark.parametrize("name", ["plain", "deep", "whitened"])
def test_weaker_claims_are_accepted(name):
    file, samples, start = golden(name)
    weaken = {
        "iterations": lambda x: 2 * x,
        "rate": lambda x: mutations.scaled(x, 0.5),
        "tolerance": lambda x: mutations.scaled(x, 10.0),
        "theta": lambda x: mutations.scaled(x, 1 - 1e-9),
        "smax_start": lambda x: mutations.scaled(x, 1 + 1e-12),
        "psi": lambda x: [mutations.scaled(x[0], 1 - 1e-12)] + x[1:],
        "jacobian_drift": lambda x: mutations.scaled(x, 1 + 1e-12),
    }
    for key, change in weaken.items():
        changed = json.loads(json.dumps(file))
        claim = changed["certificates"][0]["claim"]
        claim[key] = change(claim[key])
        assert accepted(changed, samples, start), key
