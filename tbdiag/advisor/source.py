"""What the source of a training script tells of its flags, without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.advisor.flags import Flag, Kind
from tbdiag.model.run import Scalar
from tbdiag.reading.settings import plain

_LARGEST = 2 << 20  # bytes of a source file
_MOST_FILES = 60
_MOST_FLAGS = 3000
_CLICK = frozenset({"click", "typer", "rich_click"})
# Libraries that read the command line, and end where they are told --help. Of argparse the calls count.
_HELPFUL = frozenset({"absl", "configargparse", "docopt", "fire", "hydra", "jsonargparse"})
_HELPFUL |= {"simple_parsing", "tap", "tyro"}
_PARSES = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args"})
_PARSERS = frozenset({"HfArgumentParser", "LightningCLI"})
_KINDS = {"int": Kind.INT, "float": Kind.FLOAT, "str": Kind.STR, "Path": Kind.STR}
_KINDS |= {"bool": Kind.BOOL}
UNKNOWN = object()  # an expression that is no literal


@dataclass(slots=True)
class Source:
    """What was found in a script and in the modules of its folder that it imports.

    ``parses`` counts the places where argparse reads the command line; ``helpful`` is true where a
    library is used that does so and knows --help, ``click`` where that is click or typer. ``flags`` are those of ``add_argument``, ``params`` the keywords of ``tbdiag.params(…)``, ``odd``
    the flags that no literal gives, as in a loop.
    """

    parses: int = 0
    helpful: bool = False
    click: bool = False
    flags: dict[str, Flag] = field(default_factory=dict)
    params: dict[str, Flag] = field(default_factory=dict)
    odd: int = 0
    broken: str = ""

    @property
    def answers(self) -> bool:
        """Whether the script can be expected to stop where it reads its arguments."""
        return self.helpful or self.parses > 0


def read_source(script: Path) -> Source:
    """What the source of ``script`` tells; ``broken`` is the reason where it cannot be read."""
    found = Source()
    pending, seen = [script], {script.resolve()}
    while pending and len(seen) <= _MOST_FILES:
        path = pending.pop(0)
        try:
            tree = _tree(path)
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
            if path == script:
                found.broken = f"{path.name} cannot be read: {type(error).__name__}: {error}"
            continue
        _look(tree, found, own=path == script)
        for name in _imported(tree):
            first = name.split(".")[0]
            found.click = found.click or first in _CLICK
            found.helpful = found.helpful or first in _CLICK | _HELPFUL
            for near in _local(name, script.parent, path.parent):
                if near.resolve() not in seen:
                    seen.add(near.resolve())
                    pending.append(near)
    return found


def _tree(path: Path) -> ast.Module:
    with path.open("rb") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError("it is too large")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes are the script's business
        return ast.parse(text)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if node.level or node.module)


def _local(name: str, *folders: Path) -> Iterator[Path]:
    """The files below the folders that a module of this name may be."""
    parts = [part for part in name.split(".") if part]
    if not parts or parts[0] in sys.stdlib_module_names or not all(p.isidentifier() for p in parts):
        return
    for folder in dict.fromkeys(folders):
        place = folder.joinpath(*parts)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path


def _look(tree: ast.Module, found: Source, *, own: bool) -> None:
    constants = _constants(tree)
    adders = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "add_argument"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node.func)
        found.parses += name in _PARSES and not _ignores_the_command_line(node)
        if name in _PARSERS:
            found.helpful = True
        if name == "add_argument" or (isinstance(node.func, ast.Name) and name in adders):
            flag = _argument(node, constants)
            if flag is None:
                found.odd += 1
            elif len(found.flags) < _MOST_FLAGS:
                found.flags.setdefault(flag.name, flag)
        if own and name == "params" and _is_ours(node.func, tree):
            for word in node.keywords:
                if word.arg:
                    found.params.setdefault(word.arg, _parameter(word.arg, word.value, constants))


def _ignores_the_command_line(node: ast.Call) -> bool:
    """``parse_args([])``, as in notebooks."""
    given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "args")]
    return any(isinstance(each, ast.List) or _literal(each, {}) == "" for each in given)


def _called(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""


def _is_ours(func: ast.expr, tree: ast.Module) -> bool:
    """``tbdiag.params`` or, imported by name, ``params``."""
    if isinstance(func, ast.Attribute):
        return isinstance(func.value, ast.Name) and func.value.id == "tbdiag"
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "tbdiag"
        and any((alias.asname or alias.name) == "params" for alias in node.names)
        for node in tree.body
    )


def _constants(tree: ast.Module) -> dict[str, object]:
    """The literals that names of the module stand for, where each is assigned once."""
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                value = _literal(node.value, found)
                found[target.id] = UNKNOWN if target.id in found else value
    return found


def _literal(node: ast.expr | None, constants: Mapping[str, object]) -> object:
    """The value of an expression of literals and known names, `UNKNOWN` where it is none."""
    if node is None:
        return None
    if isinstance(node, ast.Name):
        return constants.get(node.id, UNKNOWN)
    if isinstance(node, ast.Call):
        inner = _literal(node.args[0], constants) if len(node.args) == 1 else UNKNOWN
        if isinstance(inner, str) and _called(node.func) in ("Path", "str"):
            return inner
        if isinstance(inner, list | tuple | dict) and _called(node.func) in ("list", "sorted"):
            return list(inner)
        return UNKNOWN
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN


def _scalar(value: object) -> Scalar:
    return plain(list(value)) if isinstance(value, list | tuple | set) else plain(value)


def _argument(node: ast.Call, constants: Mapping[str, object]) -> Flag | None:
    """The flag that a call of ``add_argument`` makes, None where its name is no literal."""
    names = [_literal(each, constants) for each in node.args]
    words = {word.arg: word.value for word in node.keywords if word.arg}
    options = tuple(each for each in names if isinstance(each, str))
    if not options or len(options) < len(names):
        return None
    positional = not options[0].startswith("-")
    action = _literal(words.get("action"), constants)
    if action is UNKNOWN:
        action = _called(words["action"])
    if action in ("help", "version"):
        return None
    longest = max((each for each in options if each.startswith("--")), key=len, default=options[0])
    first = next((each for each in options if each.startswith("--")), options[0])
    dest = _literal(words.get("dest"), constants)
    name = dest if isinstance(dest, str) else first.lstrip("-").replace("-", "_")
    default = _literal(words.get("default"), constants)
    choices = _literal(words.get("choices"), constants)
    kind = _KINDS.get(_called(words["type"]), Kind.OTHER) if "type" in words else Kind.STR
    off, switch = "", action in ("store_true", "store_false", "BooleanOptionalAction")
    if action == "BooleanOptionalAction":
        off = "--no-" + longest.lstrip("-")
    if action == "store_false":
        off, options = longest, ()
    if switch:
        kind = Kind.SWITCH
        default = (action == "store_false") if "default" not in words else default
    text = _literal(words.get("help"), constants)
    value = _scalar(default) if default is not UNKNOWN else None
    if kind in (Kind.STR, Kind.OTHER) and isinstance(default, str):
        value = default
    return Flag(
        name=name,
        options=() if positional else options,
        off=off,
        kind=kind,
        default=value,
        known=default is not UNKNOWN and not (positional and "nargs" not in words),
        choices=tuple(map(_scalar, choices)) if isinstance(choices, list | tuple) else (),
        help=text if isinstance(text, str) else "",
        required=_literal(words.get("required"), constants) is True
        or (positional and "nargs" not in words),
        several=_literal(words.get("nargs"), constants) not in (None, "?", 1)
        or action in ("append", "extend"),
    )


def _parameter(name: str, node: ast.expr, constants: Mapping[str, object]) -> Flag:
    value = _literal(node, constants)
    known = value is not UNKNOWN
    kinds = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT, str: Kind.STR}
    return Flag(
        name=name,
        kind=kinds.get(type(value), Kind.OTHER),
        default=(value if isinstance(value, str) else _scalar(value)) if known else None,
        known=known,
    )
