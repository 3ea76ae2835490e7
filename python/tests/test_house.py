"""Stubs, codes and documentation say what the code does."""

import ast
import doctest
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import gradcert
from gradcert import _gradcert, exceptions, functions, onnx, plots, torch

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(inspect.getfile(gradcert)).with_name("_gradcert.pyi")
DOCS = ROOT / "docs" / "src"


def stub_parameters(function):
    arguments = function.args
    names = [a.arg for a in arguments.args if a.arg not in ("self", "cls")]
    defaults = [ast.literal_eval(d) for d in arguments.defaults]
    return names, defaults


def compiled_parameters(function):
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    return [p.name for p in parameters], [p.default for p in parameters if p.default is not p.empty]


def test_the_stub_is_the_module():
    tree = ast.parse(STUB.read_text())
    public = {n for n in dir(_gradcert) if not n.startswith("_") or n == "_panic"}
    stated = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert stated == public
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert stub_parameters(node) == compiled_parameters(getattr(_gradcert, node.name)), node.name
        elif isinstance(node, ast.ClassDef):
            own = getattr(_gradcert, node.name)
            methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
            assert set(methods) - {"__new__"} == {n for n in vars(own) if not n.startswith("_")}, node.name
            for name, method in methods.items():
                compiled = own if name == "__new__" else inspect.getattr_static(own, name)
                if not inspect.isgetsetdescriptor(compiled):
                    target = own if name == "__new__" else getattr(own, name)
                    assert stub_parameters(method) == compiled_parameters(target), f"{node.name}.{name}"


def test_every_decline_has_a_remedy_in_words_of_python():
    page = (DOCS / "answers.md").read_text()
    declines = page[: page.index("In a report only")]
    codes = set(re.findall(r"^\| `([a-z_0-9]+)` \|", declines, re.MULTILINE))
    assert codes and codes <= set(exceptions.REMEDIES)
    assert not any("--" in remedy for remedy in exceptions.REMEDIES.values())


def public_functions():
    for module in (functions, onnx, plots, torch):
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isfunction(item):
                yield f"{module.__name__}.{name}", item


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_every_argument_is_described(name, function):
    documented = re.findall(r"^        ?(\w+): ", inspect.getdoc(function) or "", re.MULTILINE)
    documented += re.findall(r"^    (\w+): ", inspect.getdoc(function) or "", re.MULTILINE)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not parameter.VAR_KEYWORD or parameter.name == "options":
            assert parameter.name in documented, f"{name}: {parameter.name}"


def test_the_reference_is_up_to_date():
    path = ROOT / "python" / "tools" / "reference.py"
    spec = importlib.util.spec_from_file_location("reference", path)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    assert reference.PAGE.read_text() == reference.render(), "run python/tools/reference.py"


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL)
    examples = "\n".join(block for block in blocks if ">>>" in block)
    page = doctest.DocTestParser().get_doctest(examples, {}, "python.md", "python.md", 0)
    assert page.examples
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(page)
    assert result.failed == 0
