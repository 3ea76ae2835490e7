"""Writes the reference of the package, docs/src/python-reference.md, from its docstrings: `python tools/reference.py`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from gradcert import estimators, exceptions, functions, onnx, plots, results, torch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "src" / "python-reference.md"
HEAD = """# Python: reference

Made from the docstrings by `python/tools/reference.py`; a test demands that it is up to date. The [manual](python.md) has examples.
"""


def text(item: object) -> str:
    """The docstring: its lists of arguments as lists."""
    lines = (inspect.getdoc(item) or "").splitlines()
    out: list[str] = []
    inside = False
    for line in lines:
        section = re.fullmatch(r"(Args|Returns|Raises|Attributes):", line)
        if section:
            out += [f"*{section[1]}*", ""]
            inside = True
        elif not line.strip():
            out.append("")
        elif inside and re.match(r" {4}\S", line):
            out.append(re.sub(r"^ {4}([\w ,]+): ", r"- `\1`: ", line))
        elif inside and re.match(r" {8}", line):
            out.append("  " + line.strip())
        else:
            inside = False
            out.append(line)
    return "\n".join(out).strip()


def signature(item: object) -> str:
    """Names and defaults, without types (those are in the stubs)."""
    parts, keyword = [], False
    for p in inspect.signature(item).parameters.values():  # pyright: ignore[reportArgumentType]
        if p.name == "self":
            continue
        if p.kind is p.KEYWORD_ONLY and not keyword:
            keyword = True
            parts.append("*")
        name = {p.VAR_KEYWORD: "**", p.VAR_POSITIONAL: "*"}.get(p.kind, "") + p.name
        parts.append(name if p.default is p.empty else f"{name}={p.default!r}")
    return f"({', '.join(parts)})"


def members(owner: type) -> list[str]:
    """Public methods and properties, those of private bases too."""
    out = []
    for name in sorted(n for n in dir(owner) if not n.startswith("_")):
        item = inspect.getattr_static(owner, name)
        ours = (getattr(item, "fget", item) or item).__class__.__name__ == "function" or isinstance(
            item, classmethod | staticmethod
        )
        module = getattr(getattr(item, "fget", getattr(item, "__func__", item)), "__module__", "")
        if not ours or not str(module).startswith("gradcert"):
            continue
        if isinstance(item, property):
            out.append(f"- `.{name}`: {(inspect.getdoc(item) or '').splitlines()[0]}")
        else:
            bound = getattr(owner, name)
            out.append(f"- `.{name}{signature(bound)}`: {(inspect.getdoc(bound) or '').splitlines()[0]}")
    return out


def section(title: str, module: object, prefix: str) -> list[str]:
    """All public names of a module."""
    out = [f"## {title}", ""]
    for name in module.__all__:  # pyright: ignore[reportAttributeAccessIssue]
        item = getattr(module, name)
        if inspect.isclass(item):
            call = signature(item) if module in (estimators, torch) else ""
            out += [f"### `{prefix}{name}{call}`", "", text(item), "", *members(item), ""]
        else:
            out += [f"### `{prefix}{name}{signature(item)}`", "", text(item), ""]
    return out


def errors() -> list[str]:
    """One line per exception."""
    out = ["## Exceptions", ""]
    for name in exceptions.__all__:
        item = getattr(exceptions, name)
        bases = ", ".join(b.__name__ for b in item.__bases__)
        out.append(f"- `{name}` ({bases}): {(inspect.getdoc(item) or '').splitlines()[0]}")
    return [*out, ""]


def render() -> str:
    """The page."""
    parts = [
        HEAD,
        *section("Functions", functions, "gradcert."),
        *section("Results", results, "gradcert."),
        *section("Estimators", estimators, "gradcert."),
        *section("Modules of PyTorch", torch, "gradcert.torch."),
        *section("ONNX", onnx, "gradcert.onnx."),
        *section("Pictures", plots, "gradcert.plots."),
        *errors(),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(render())
