"""The flags of a training script and their defaults, read without training."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tbdiag.advisor import child
from tbdiag.advisor.flags import HYDRA, PARAMS, Flag, Flags, Kind
from tbdiag.advisor.help_text import from_help
from tbdiag.advisor.program import Program, program_of
from tbdiag.advisor.source import Source, read_source
from tbdiag.launch.program import search_path
from tbdiag.model.run import Scalar
from tbdiag.reading.settings import from_yaml, plain

PROBE = Path(__file__).with_name("probe.py")
REFUSED = "not while the flags are read"  # what the probe says to a deed
SOURCE = "source"  # how flags are read that no process has shown
_LARGEST = 8 << 20  # bytes of what the probe tells
_GRACE = 5.0  # seconds that a second parser may take to come
_QUIET = {
    "COLUMNS": "200",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "agg",
    "NO_COLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8",
    "TERM": "dumb",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TYPER_USE_RICH": "0",
    "WANDB_MODE": "disabled",
}


def read_flags(command: Sequence[str], root: Path, *, timeout: float = 60.0) -> Flags:
    """The flags of the script that ``command`` runs in the folder ``root``; never raises.

    The script is started by its own interpreter and stopped where it reads its arguments; until then
    it may neither write nor start programs nor use the network, and after ``timeout`` seconds it is ended. It
    is not started unless its source shows that it reads arguments by a library that knows --help.
    Where it cannot be run so far, its source tells what it can. Where nothing can be read the flags
    are empty; ``why`` says in one sentence what went wrong. Results are kept as long as the script
    does not change.
    """
    found = program_of(command, root)
    if isinstance(found, str):
        return Flags(why=found)
    try:
        status = found.script.stat()
    except OSError as error:
        return Flags(script=found.script.name, why=f"it cannot be read: {error.strerror}")
    return _read(found, root, timeout, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(program: Program, root: Path, timeout: float, changed: int, size: int) -> Flags:
    del changed, size
    name = program.script.name
    source = read_source(program.script)
    if source.broken:
        return Flags(script=name, why=source.broken)
    if source.params:
        return Flags(script=name, how=PARAMS, flags=source.params)
    if not source.answers:
        return Flags(script=name, why=f"{name} reads no arguments that could be looked at")
    shown = _run(program, root, source, timeout)
    if shown.flags or not source.flags:
        return shown
    odd = f"; {source.odd} more could not be read there" if source.odd else ""
    why = f"{shown.why}; read from its source instead{odd}"
    return Flags(script=name, how=SOURCE, flags=source.flags, why=why)


def _run(program: Program, root: Path, source: Source, timeout: float) -> Flags:
    """What the script shows of itself when it is started under the probe."""
    name = program.script.name
    with tempfile.TemporaryDirectory(prefix="tbdiag-", ignore_cleanup_errors=True) as folder:
        result = Path(folder) / "result.json"
        words = [
            *program.python,
            str(PROBE),
            str(result),
            str(_GRACE if source.parses > 1 else 0),
            "click" if source.click else "-",
            "module" if program.module else "path",
            program.module or os.path.relpath(program.script, root),
            *program.words,
        ]
        ended = child.run(
            words,
            cwd=root,
            env=_environment(Path(folder)),
            output=Path(folder) / "output",
            timeout=timeout,
        )
        seen = _result(result)
    flags, how = _told(seen, program.words), str(seen.get("how", ""))
    if how == HYDRA:
        flags = _of_config(ended.output)
    if not flags and how != "argparse":
        flags, how = from_help(ended.output), "help"
    if flags:
        return Flags(script=name, how=how, flags=flags)
    why = ended.why or str(seen.get("why") or "")
    _, insisted, deed = why.partition(f"{REFUSED}: ")
    if insisted or (seen.get("blocked") and not why):
        why = f"it would {_deed(deed or str(seen['blocked']))} first"
    why = why or _last(ended.output) or "it told nothing"
    return Flags(script=name, why=f"{name} did not show its arguments: {why}")


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TBDIAG_")}
    places = dict.fromkeys(
        ("TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME"), str(folder)
    )
    return env | _QUIET | places | {"PATH": search_path(os.environ)}


def _result(path: Path) -> Mapping[str, Any]:
    """What the probe wrote; the script may have written it just as well, so nothing is believed."""
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        seen = json.loads(path.read_text("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _told(seen: Mapping[str, Any], words: Sequence[str]) -> dict[str, Flag]:
    """The flags that were seen, with those of the subcommand that the command names or the only one."""
    found: dict[str, Flag] = {}
    node: Any = seen
    path = list(words)
    for _ in range(5):
        raw = node.get("flags")
        for each in raw if isinstance(raw, list) else ():
            if isinstance(each, dict) and (flag := _flag(each)) is not None:
                found[flag.name] = flag
        commands = node.get("commands")
        if not isinstance(commands, dict) or not commands:
            break
        chosen = next((word for word in path if word in commands), None)
        if chosen is None and len(commands) == 1:
            chosen = next(iter(commands))
        node = commands.get(chosen)
        if not isinstance(node, dict):
            break
    return found


def _flag(raw: Mapping[str, Any]) -> Flag | None:
    name = raw.get("name")
    if not isinstance(name, str) or not name or len(name) > 300:
        return None
    options, choices, text = raw.get("options"), raw.get("choices"), raw.get("help")
    kind = raw.get("kind")
    default = raw.get("default")
    return Flag(
        name=name,
        options=tuple(each for each in options if isinstance(each, str))
        if isinstance(options, list)
        else (),
        off=str(raw.get("off") or ""),
        kind=Kind(kind) if kind in list(Kind) else Kind.OTHER,
        default=default if isinstance(default, str) else plain(default),
        known=raw.get("known") is True,
        choices=tuple(map(_scalar, choices)) if isinstance(choices, list) else (),
        help=" ".join(text.split()) if isinstance(text, str) else "",
        required=raw.get("required") is True,
        several=raw.get("several") is True,
    )


def _scalar(value: object) -> Scalar:
    return value if isinstance(value, str) else plain(value)


def _of_config(output: str) -> dict[str, Flag]:
    """The settings of a Hydra script, whose own ``--cfg job`` prints them as YAML."""
    kinds = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT}
    return {
        name: Flag(name=name, kind=kinds.get(type(value), Kind.STR), default=value)
        for name, value in from_yaml(output).items()
    }


def _deed(blocked: str) -> str:
    event, _, what = blocked.partition(" ")
    if event in ("open", "os.mkdir", "os.truncate"):
        return f"write {what}"
    if event.startswith("socket."):
        return "use the network"
    if event in ("os.remove", "os.rmdir", "os.rename"):
        return f"change {what}"
    return f"start {what}" if event.startswith(("subprocess", "os.")) else event


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
