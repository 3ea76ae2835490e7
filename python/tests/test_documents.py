"""Notebooks and examples run. The notebooks' code cells are run in order in one namespace, without a Jupyter kernel."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

PYTHON = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((PYTHON / "notebooks").glob("*.ipynb"))


def test_there_are_four():
    assert len(NOTEBOOKS) == 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(path.read_text())
    assert notebook["nbformat"] == 4
    namespace = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        assert cell["outputs"] == [], "outputs are not kept"
        exec(compile("".join(cell["source"]), f"{path.name}, cell {number}", "exec"), namespace)
    plt.close("all")


@pytest.mark.parametrize(("example", "line"), [("sweep_joblib", "width 800"), ("sweep_dask", "mean accuracy")])
def test_examples_run(example, line):
    done = subprocess.run(
        [sys.executable, str(PYTHON / "examples" / f"{example}.py")],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert line in done.stdout
