"""Settings out of files and texts of many formats: parsed, never executed, never trusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tbdiag.model.run import Scalar

if TYPE_CHECKING:
    import ast

Settings = dict[str, Scalar]

_MOST_NODES = 5000
_MOST_LINES = 4000
_LONGEST_NAME = 200
_LONGEST_VALUE = 500
_LONGEST_YAML = 1 << 20  # YAML is read slowly
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_PAIR = re.compile(r"\s*['\"]?([A-Za-z_][\w .\-/]{0,80}?)['\"]?\s*[:=]\s*(.*?)\s*,?\s*")


def flatten(tree: object) -> Settings:
    """A nested mapping as ``outer.inner`` names and plain values; lists of plain values as text.

    Looks at a bounded number of nodes, since aliases make a small YAML file a huge or endless tree.
    """
    found: Settings = {}
    pending: list[tuple[str, object]] = [("", tree)]
    for _ in range(_MOST_NODES):
        if not pending:
            break
        name, node = pending.pop()
        items: Iterable[tuple[object, object]] | None = None
        if isinstance(node, Mapping):
            items = node.items()
        elif isinstance(node, list | tuple) and any(isinstance(i, Mapping) for i in node[:100]):
            items = enumerate(node)
        if items is not None and len(name) < _LONGEST_NAME:
            inner = [(f"{name}.{key}" if name else str(key), value) for key, value in items]
            pending.extend((key[:_LONGEST_NAME], value) for key, value in reversed(inner))
        elif items is None and name:
            found[name] = plain(node)
    return found


def plain(value: object) -> Scalar:
    """A value as a plain one; text that is a number (``1e-3``, which YAML leaves as text) as that."""
    if isinstance(value, str):
        return _word(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else float("inf") if value > 0 else float("-inf")
    if isinstance(value, float):
        return value
    if isinstance(value, list | tuple):
        items = [_container(item) or str(plain(item)) for item in value[:50]]
        return _short("[" + ", ".join(items) + "]")
    return _container(value) or _short(str(value))


def _container(value: object) -> str:
    """A stand-in for what may be endless inside, empty for a plain value."""
    if isinstance(value, list | tuple | set):
        return "[…]"
    return "{…}" if isinstance(value, Mapping) else ""


def _word(text: str) -> Scalar:
    word = text.strip()
    if len(word) < 40 and _NUMBER.fullmatch(word):
        number = float(word)
        if re.fullmatch(r"[-+]?\d+", word) and abs(number) < 2**53:
            return int(word)
        return number if math.isfinite(number) else _short(text)
    return {"true": True, "false": False, "none": None, "null": None}.get(
        word.lower(), _short(text)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _guarded(parse: Callable[[str], object], text: str) -> object:
    """What ``parse`` makes of ``text``, or None where it cannot."""
    import yaml

    try:
        return parse(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError, yaml.YAMLError):
        return None


def from_json(text: str) -> Settings:
    """The settings of a JSON object; none where the text is not one."""
    return flatten(_guarded(json.loads, text))


def from_toml(text: str) -> Settings:
    """The settings of a TOML document; none where the text is not one."""
    import tomllib

    return flatten(_guarded(tomllib.loads, text))


def from_yaml(text: str) -> Settings:
    """The settings of a YAML mapping, or of a list of ``key=value`` words as Hydra writes them.

    Tags of any kind give plain values and no object is built. Merge keys are not expanded, so that
    a small hostile file stays small.
    """
    if len(text) > _LONGEST_YAML:
        return {}
    tree = _guarded(_load_yaml, text)
    if isinstance(tree, list) and all(isinstance(item, str) for item in tree):
        return from_lines("\n".join(tree))
    return flatten(tree)


def _load_yaml(text: str) -> object:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Tolerant(base):  # type: ignore[misc]  # the base is chosen at run time
        """A safe loader for which every unknown tag is the plain value that it tags."""

        def flatten_mapping(self, node: Any) -> None:
            """Leave merge keys alone: nested, they grow a file exponentially."""

        def construct_unknown(self, node: Any) -> object:
            if isinstance(node, yaml.MappingNode):
                # A key that is itself a mapping cannot be one in Python.
                return {
                    str(self.construct_object(key, deep=True)): self.construct_object(
                        value, deep=True
                    )
                    for key, value in node.value
                }
            if isinstance(node, yaml.SequenceNode):
                return self.construct_sequence(node, deep=True)
            return node.value or node.tag.rpartition(":")[2]

    Tolerant.add_constructor(None, Tolerant.construct_unknown)
    loader: Any = Tolerant(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def from_python(text: str) -> Settings:
    """The settings of Python source, out of its simple assignments: literals, ``dict(…)``, lists.

    Also those of the printed form of a dict or of an ``argparse.Namespace``. Nothing is executed.
    """
    if len(text) > _LONGEST_YAML:
        return {}
    import ast

    tree = _guarded(ast.parse, text.strip())
    found: dict[str, object] = {}
    for statement in tree.body if isinstance(tree, ast.Module) else ():
        if isinstance(statement, ast.Expr):
            whole = _guarded(lambda _: _literal(statement.value), "")  # noqa: B023 - called at once
            if isinstance(whole, dict):
                found.update(whole)
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            value = _guarded(lambda _: _literal(statement.value), "")  # noqa: B023 - called at once
            if value is not None:
                found[statement.targets[0].id] = value
    return flatten(found)


def _literal(node: ast.expr) -> object:
    """The value of a literal in which ``name(key=value)`` stands for a dict; ValueError otherwise."""
    import ast

    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        return {word.arg: _literal(word.value) for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_literal, node.values), strict=True))
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Name | ast.Attribute):
        return ast.unparse(node)
    return ast.literal_eval(node)


def from_table(text: str) -> Settings:
    """The settings of a Markdown table of two columns, its header aside."""
    rows: list[list[str]] = []
    header = None
    for line in text.splitlines()[:_MOST_LINES]:
        cells = [cell.strip().strip("`*") for cell in line.strip().strip("|").split("|")]
        if "|" not in line or len(cells) != 2:
            continue
        if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            header = rows.pop() if rows else None
        else:
            rows.append(cells)
    return flatten(dict(rows)) if header is not None else {}


def from_lines(text: str) -> Settings:
    """The settings of lines ``key: value`` or ``key=value``; none where most lines are no such pair.

    A first line ``Name (`` as PyTorch prints optimizers gives their ``optimizer``.
    """
    lines = [line for line in text.splitlines()[:_MOST_LINES] if line.strip(" \t()")]
    optimizer = re.fullmatch(r"(\w+) \(", lines[0].strip()) if lines else None
    if optimizer:
        lines = [line for line in lines[1:] if not line.strip().startswith("Parameter Group")]
    pairs = [match for line in lines if (match := _PAIR.fullmatch(line))]
    if not pairs or len(pairs) * 2 < len(lines):
        return {}
    found: dict[str, object] = {"optimizer": optimizer[1]} if optimizer else {}
    for pair in pairs:
        if pair[2]:  # of several parameter groups, the first speaks
            found.setdefault(pair[1].strip(), pair[2].strip("'\""))
    if "initial_lr" in found:
        found["lr"] = found.pop("initial_lr")
    return flatten(found)


def from_text(text: str) -> Settings:
    """The settings of a text in whichever of the formats it is written."""
    body = re.sub(r"\A\s*(```|~~~)\w*\n(.*?)\n\s*(```|~~~)\s*\Z", r"\2", text, flags=re.DOTALL)
    if body.lstrip()[:1] == "{":
        return from_json(body) or from_python(body) or from_yaml(body)
    if "|" in body and (table := from_table(body)):
        return table
    return from_python(body) or from_yaml(body) or from_lines(body)
