"""The flags in the text that a script shows for --help."""

from __future__ import annotations

import re

from tbdiag.advisor.flags import Flag, Kind
from tbdiag.model.run import Scalar
from tbdiag.reading.settings import plain

_MOST_LINES = 5000
_LONGEST = 400  # characters of a line that are looked at
_FRAME = re.compile(r"[│┃|╭╮╰╯─━*]")
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")
_LINE = re.compile(
    r"\s{0,12}(?P<options>--?(?:\[no[-\]]*\])?[A-Za-z][\w.-]*"
    r"(?:[,/ |]+--?[A-Za-z][\w.-]*)*)(?P<rest>.*)"
)
_TWICE = re.compile(r"(-\w) [^\s,]+, (?=--)")  # -l LR, --lr LR: argparse before Python 3.13
_DEFAULT = re.compile(
    r"[\[(;,]?\s*\bdefaults?(?: value)?(?: is|:|=| to)?\s*(?P<value>[^\])\n]*)", re.I
)
_CHOICES = re.compile(r"[\[{(<]([^\[\]{}()<>|,\s]+(?:[|,][^\[\]{}()<>|,]+)+)[\]})>]")
_KINDS = {
    "INT": Kind.INT, "INTEGER": Kind.INT, "FLOAT": Kind.FLOAT, "NUMBER": Kind.FLOAT,
    "TEXT": Kind.STR, "STR": Kind.STR, "STRING": Kind.STR, "PATH": Kind.STR, "BOOL": Kind.BOOL,
    "BOOLEAN": Kind.BOOL,
}  # fmt: skip
_NOT_FLAG = re.compile(r"help\w{0,5}|version|(show|install)-completion")


def from_help(text: str) -> dict[str, Flag]:
    """The flags that a help text lists by name: options, kind, choices and default where it says so.

    Understands what argparse, click, typer, absl and docopt print; a line that does not begin with an
    option adds to the flag before it.
    """
    found: dict[str, Flag] = {}
    heads: list[tuple[str, str, str]] = []
    for line in text.splitlines()[:_MOST_LINES]:
        clean = (
            _FRAME.sub(" ", line[:_LONGEST]) if line.lstrip()[:1] in "│┃|╭╰" else line[:_LONGEST]
        )
        match = _LINE.fullmatch(_TWICE.sub(r"\1, ", clean.rstrip()))
        if match and not clean.lower().startswith("usage"):
            heads.append((match["options"], match["rest"], ""))
        elif heads and clean.strip() and clean[:1].isspace():
            options, rest, more = heads[-1]
            heads[-1] = (options, rest, f"{more} {clean.strip()}"[:_LONGEST])
    for options, rest, more in heads:
        flag = _flag(options, rest, more)
        if flag is not None:
            found.setdefault(flag.name, flag)
    return found


def _flag(spelled: str, rest: str, more: str) -> Flag | None:
    options = tuple(_OPTION.findall(spelled.replace("[no]", "").replace("[no-]", "")))
    long = [each for each in options if each.startswith("--")]
    if not options or _NOT_FLAG.fullmatch(max(options, key=len).lstrip("-")):
        return None
    off = next((each for each in long if each.startswith("--no-")), "")
    on = tuple(each for each in options if each != off)
    if "[no" in spelled:
        off = "--no" + ("-" if "[no-]" in spelled else "") + long[0].lstrip("-")
    value, _, help_ = _split(rest)
    said = f"{value} {help_} {more}"
    default, known = _default(said)
    choices = _choices(value) or _choices(said)
    kind = _kind(value, default, bool(choices))
    if not value and not default and (off or known is False):
        kind, default, known = Kind.SWITCH, False, not off
    name = max(on or options, key=len).lstrip("-").replace("-", "_")
    return Flag(
        name=name,
        options=on,
        off=off,
        kind=kind,
        default=default,
        known=known,
        choices=choices,
        help=" ".join(f"{help_} {more}".split())[:300],
        required="[required]" in said.lower(),
        several="..." in value,
    )


def _split(rest: str) -> tuple[str, str, str]:
    """What stands for the value, and the help after at least two blanks: ``LR    learning rate``."""
    if rest[:1] in (":",):  # absl: --lr: learning rate
        return "value", "", rest[1:].strip()
    value, gap, help_ = rest.strip(" =").partition("  ")
    if rest[:2] == "  ":  # no value, or typer's column of kinds
        first = value.split(" ")[0] if value else ""
        if first.upper() not in _KINDS or first != first.upper():
            return ("", "", rest.strip())
    return value.strip(), gap, help_.strip()


def _default(said: str) -> tuple[Scalar, bool]:
    every = list(_DEFAULT.finditer(said))
    if not every:
        return None, False
    value = every[-1]["value"].strip().strip("'\"`.,;")
    if not value or len(value) > 200:
        return None, False
    return (plain(value), True) if value.lower() != "required" else (None, False)


def _choices(said: str) -> tuple[Scalar, ...]:
    match = _CHOICES.search(said)
    if match is None or "default" in match[1].lower():
        return ()
    parts = [part.strip() for part in re.split(r"[|,]", match[1])]
    return tuple(map(plain, parts)) if all(p and " " not in p for p in parts) else ()


def _kind(value: str, default: Scalar, chosen: bool) -> Kind:
    known = _KINDS.get(value.split(" ")[0].upper()) if value == value.upper() else None
    if known is not None:
        return known
    if chosen or isinstance(default, str) or default is None:
        return Kind.STR
    if isinstance(default, bool):
        return Kind.BOOL
    return Kind.INT if isinstance(default, int) else Kind.FLOAT
