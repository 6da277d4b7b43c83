"""Run by the script's own interpreter: starts a script and stops it where it reads its arguments.

``python probe.py RESULT GRACE path|module TARGET [WORD…]`` writes what it saw to the file RESULT, as
JSON. It is one file that knows only the standard library, and of it what Python 3.7 has, since it runs
in the user's environment. Until the script is stopped it may not write, start programs or use the
network.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import runpy
import sys
import threading
from typing import Any, Callable, Dict, List, Sequence, Tuple  # as Python 3.7 spells them

Flagged = Tuple[List[Dict[str, Any]], Dict[str, Any]]  # flags, and subcommands by name

MOST_FLAGS = 3000
MOST_CHOICES = 300
LONGEST = 300  # characters of a text
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = {
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr",
}  # fmt: skip
STARTS = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "os.forkpty", "socket.connect", "socket.bind", "socket.sendto",
}  # fmt: skip
PLAIN = (bool, int, float, str)
PARSING = (
    "parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args",
    "_parse_known_args",
)  # fmt: skip


class Probe:
    """What was seen so far."""

    def __init__(self, result: str, grace: float) -> None:
        self.result, self.grace = os.path.abspath(result), grace
        self.folder = os.path.dirname(self.result)  # the one place where it may write
        self.left: List[str] = []  # what a first parser left to the next
        self.seen: Dict[str, Any] = {"how": "", "flags": [], "commands": {}}
        self.seen.update(why="", blocked="")
        self.closing = self.inside = False  # inside: one parse function calls another

    def leave(self, why: str = "") -> None:
        """Writes the result and ends the process at once, whatever else runs in it."""
        self.closing = True
        if why and not self.seen["why"]:
            self.seen["why"] = why
        try:
            with open(self.result, "w", encoding="utf-8", errors="backslashreplace") as file:
                json.dump(self.seen, file)
            sys.stdout.flush()
        finally:
            os._exit(0)

    def watch(self, event: str, args: Tuple[Any, ...]) -> None:
        """Refuses what would change anything."""
        if self.closing:
            return
        if event == "open":
            path, _, flags = args
            if isinstance(flags, int) and flags & WRITING and not isinstance(path, int):
                self.judge(event, path)
        elif event in CHANGES:
            self.judge(event, args[0] if args else "")
        elif event in STARTS:
            self.refuse(event, str(args[0]) if args else "")

    def judge(self, event: str, path: Any) -> None:
        """Refuses a change outside of the folder of the result."""
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path))
        if full not in (os.devnull, self.folder) and not full.startswith(self.folder + os.sep):
            self.refuse(event, full)

    def refuse(self, event: str, what: str) -> None:
        """Remembers the first deed that was refused, and refuses it."""
        if not self.seen["blocked"]:
            self.seen["blocked"] = f"{event} {what}"[:LONGEST]
        raise PermissionError(f"not while the flags are read: {event} {what}")

    def add(self, how: str, flags: List[Dict[str, Any]], commands: Dict[str, Any]) -> None:
        """Later flags of the same name replace earlier ones, as where a script parses twice."""
        self.seen["how"] = how
        known = {each["name"]: each for each in self.seen["flags"]}
        for each in flags:
            known[each["name"]] = each
        self.seen["flags"] = list(known.values())[:MOST_FLAGS]
        self.seen["commands"].update(commands)


def plain(value: Any) -> Tuple[Any, bool]:
    """(value as JSON can hold it, whether it is known)."""
    if value is None or (isinstance(value, PLAIN) and value == value):
        if isinstance(value, str):
            return str(value)[:LONGEST], True
        for kind in (bool, int, float):
            if isinstance(value, kind):
                number = kind(value)
                return (number, True) if abs(number) < 1e300 else (None, False)
        return value, True
    if isinstance(value, os.PathLike):
        return os.fspath(value)[:LONGEST], True
    inner = getattr(value, "value", None)  # an enum's
    if isinstance(inner, PLAIN):
        return plain(inner)
    if isinstance(value, (list, tuple)) and all(i is None or isinstance(i, PLAIN) for i in value):
        return [plain(item)[0] for item in value[:50]], len(value) <= 50
    return None, False


def kind_of(type_: Any, default: Any) -> str:
    """The name of the kind of value that argparse makes by calling ``type_``."""
    if type_ in (bool, int, float, str):
        return str(type_.__name__)
    if type_ is None:
        return "str"
    if isinstance(type_, type) and issubclass(type_, os.PathLike):
        return "str"
    if isinstance(default, bool) or "bool" in getattr(type_, "__name__", ""):
        return "bool"
    return "other"


def described(action: argparse.Action, default: Any) -> Dict[str, Any]:
    """One action of argparse as a flag."""
    if isinstance(default, str) and callable(action.type):
        with contextlib.suppress(Exception):  # argparse itself converts defaults that are text
            default = action.type(default)
    value, known = plain(default)
    if default is argparse.SUPPRESS:
        value, known = None, False
    options = [str(option) for option in action.option_strings][:20]
    switch = action.nargs == 0
    off = ""
    if switch and isinstance(action.const, bool) and action.const is False:
        off, options = (max(options, key=len) if options else ""), []
    negative = [each for each in options if each.startswith("--no-")]
    if type(action).__name__ in ("BooleanOptionalAction", "_NegateAction") and negative:
        options = [each for each in options if each not in negative]
        off = negative[0]
        switch = True
    kind = "switch" if switch else kind_of(action.type, default)
    return {
        "name": str(action.dest)[:LONGEST],
        "options": options,
        "off": off,
        "kind": kind,
        "default": value,
        "known": known,
        "choices": choices_of(action.choices),
        "help": helped(action.help, value),
        "required": bool(action.required),
        "several": action.nargs not in (None, 0, "?", 1) or "Append" in type(action).__name__,
    }


def choices_of(choices: Any) -> List[Any]:
    """The plain ones of some choices, which may be endless."""
    if choices is None:
        return []
    found = [plain(each) for each in itertools.islice(iter(choices), MOST_CHOICES)]
    return [value for value, known in found if known and isinstance(value, PLAIN)]


def helped(text: Any, default: Any) -> str:
    """A help text as users see it, empty where there is none."""
    if not isinstance(text, str) or text == argparse.SUPPRESS:
        return ""
    return text.replace("%(default)s", str(default)).replace("%%", "%")[:LONGEST]


def actions_of(parser: argparse.ArgumentParser, depth: int = 0) -> Flagged:
    """(flags, subcommands) of a parser."""
    flags: List[Dict[str, Any]] = []
    commands: Dict[str, Any] = {}
    for action in parser._actions[:MOST_FLAGS]:
        if isinstance(action, argparse._SubParsersAction):
            if depth < 3:
                for name, inner in list(action.choices.items())[:50]:
                    below, deeper = actions_of(inner, depth + 1)
                    commands[str(name)] = {"flags": below, "commands": deeper}
            continue
        told = type(action).__name__ not in ("_HelpAction", "_VersionAction")
        if not told or action.dest in ("help", argparse.SUPPRESS):
            continue
        with contextlib.suppress(Exception):  # one odd flag must not cost the others
            flags.append(described(action, parser._defaults.get(action.dest, action.default)))
    return flags, commands


def is_hydra(parser: argparse.ArgumentParser) -> bool:
    """Whether the parser is the one that Hydra makes for every script."""
    options = {option for action in parser._actions for option in action.option_strings}
    return {"--cfg", "--multirun", "--hydra-help"} <= options


def spy_on_argparse(probe: Probe) -> None:
    """Every way to parse the command line ends here."""
    for name in PARSING:
        real = getattr(argparse.ArgumentParser, name, None)
        if real is not None:
            setattr(argparse.ArgumentParser, name, spied(probe, name, real))


def spied(probe: Probe, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """What takes the place of a method of argparse's that parses."""

    def parse(self: argparse.ArgumentParser, args: Any = None, *rest: Any, **named: Any) -> Any:
        if probe.inside or not (args is None or list(args) in (sys.argv[1:], probe.left)):
            return real(self, args, *rest, **named)  # another list: not the command line
        if is_hydra(self):  # shows its configuration by itself, and runs nothing
            probe.add("hydra", [], {})
            sys.argv[1:] = ["--cfg", "job"]
            probe.inside = True
            return real(self, sys.argv[1:], *rest, **named)
        probe.add("argparse", *actions_of(self))
        if "known" not in name or not probe.grace:
            probe.leave()
        timer = threading.Timer(probe.grace, probe.leave)
        timer.daemon = True
        timer.start()
        probe.inside = True
        try:  # a second parser may come, as where the first one reads --config
            return real(self, [], *rest, **named)
        except BaseException:  # noqa: BLE001 - required flags end the process
            return probe.leave()
        finally:
            probe.inside = False
            sys.argv[1:] = []

    return parse


def of_param(param: Any) -> Dict[str, Any]:
    """One parameter of a command of click or typer as a flag."""
    options = [str(each) for each in param.opts] if hasattr(param, "prompt") else []
    off = [str(each) for each in getattr(param, "secondary_opts", [])]
    switch = bool(getattr(param, "is_flag", False))
    default = param.default() if callable(param.default) else param.default
    value, known = plain(default)
    if "Sentinel" in type(default).__name__:  # click's sign that there is none
        value, known = None, True
    kind, choices = click_kind(param, value)
    return {
        "name": str(param.name),
        "options": options,
        "off": off[0] if off else "",
        "kind": "switch" if switch else kind,
        "default": False if switch and value is None else value,
        "known": known,
        "choices": [] if switch else choices_of(choices),
        "help": helped(getattr(param, "help", ""), value),
        "required": bool(param.required),
        "several": bool(getattr(param, "multiple", False)) or param.nargs != 1,
    }


def click_kind(param: Any, value: Any) -> Tuple[str, Any]:
    """The kind of value of a parameter, and its choices or None; newer typers have no click types."""
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    if annotation in (bool, int, float, str):
        return str(annotation.__name__), None
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):  # an enum
        return "str", annotation
    declared = getattr(param, "type", None)
    name = str(getattr(declared, "name", "")).split(" ")[0]
    names = {"integer": "int", "float": "float", "boolean": "bool", "text": "str"}
    fallback = type(value).__name__ if isinstance(value, PLAIN) else "other"
    return names.get(name, fallback), getattr(declared, "choices", None)


def of_click(command: Any, depth: int = 0) -> Flagged:
    """(flags, subcommands) of a command of click or typer."""
    flags: List[Dict[str, Any]] = []
    commands: Dict[str, Any] = {}
    for param in list(command.params)[:MOST_FLAGS]:
        if getattr(param, "expose_value", True) and not getattr(param, "is_eager", False):
            with contextlib.suppress(Exception):  # one odd flag must not cost the others
                flags.append(of_param(param))
    inner = getattr(command, "commands", None)
    if isinstance(inner, dict) and depth < 3:
        for name, each in list(inner.items())[:50]:
            below, deeper = of_click(each, depth + 1)
            commands[str(name)] = {"flags": below, "commands": deeper}
    return flags, commands


def spy_on_click(probe: Probe) -> None:
    """Every ``main`` of a click command ends here; typer's classes have their own."""

    def main(self: Any, *args: Any, **named: Any) -> None:
        probe.add("click", *of_click(self))
        probe.leave()

    for name in ("click.core", "typer._click.core", "typer.core"):
        with contextlib.suppress(ImportError):
            for each in list(vars(__import__(name, fromlist=["core"])).values()):
                if isinstance(each, type) and callable(vars(each).get("main")):
                    for method in ("main", "__call__"):
                        setattr(each, method, main)


def run(probe: Probe, kind: str, target: str, words: Sequence[str], click: bool) -> None:
    """Runs the script until it reads its arguments, ends, or fails."""
    sys.argv = [target, *words, "--help"]
    spy_on_argparse(probe)
    if click:
        spy_on_click(probe)
    if not hasattr(sys, "addaudithook"):
        probe.leave("its Python is older than 3.8, which cannot be kept from writing")
    sys.addaudithook(probe.watch)
    try:
        if kind == "module":
            sys.path[0] = os.getcwd()
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(target))
            runpy.run_path(target, run_name="__main__")
    except SystemExit:
        probe.leave()
    except BaseException as error:  # noqa: BLE001 - whatever the script raises
        probe.leave(f"{type(error).__name__}: {error}".splitlines()[0][:LONGEST])
    probe.leave("it ended without reading any arguments")


def limit() -> None:
    """Bounds on what the child may take, where the system knows them."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 20, 32 << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _, result_, grace_, click_, kind_, target_, *words_ = sys.argv
    limit()
    run(Probe(result_, float(grace_)), kind_, target_, words_, click_ == "click")
