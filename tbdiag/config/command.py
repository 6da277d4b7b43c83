"""The words of a training command, the placeholders in them, and what they become."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tbdiag.config.settings import did_you_mean
from tbdiag.model.run import Scalar

OWN = ("logdir", "params_json", "params_yaml", "overrides")
BULK = ("params_json", "params_yaml", "overrides")  # hand over every parameter at once


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter in the command, and the ``option`` that it is the value of, empty without one."""

    name: str
    option: str = ""


def words(command: str) -> tuple[str, ...]:
    """The command split as a shell splits words; raises ValueError where a quote is left open."""
    import shlex

    return tuple(shlex.split(command))


def placeholders(word: str) -> tuple[str, ...]:
    """The names in braces, in order; ``{{`` and ``}}`` are plain braces.

    A switch, ``{--augment}`` or ``{--augment/--no-augment}``, is a word of its own; its name is
    ``augment``. Raises ValueError for a brace without a partner and for anything but a name or a
    switch between braces.
    """
    import string

    if found := switch(word):
        return (found[0],)
    names = []
    for _, name, form, conversion in string.Formatter().parse(word):
        if name is None:
            continue
        if form or conversion or not _is_name(name):
            raise ValueError("only a name may stand between braces; write {{ and }} for plain ones")
        names.append(name)
    return tuple(names)


def switch(word: str) -> tuple[str, str, str] | None:
    """The name of a switch, and the arguments that stand for on and off, empty where there is none."""
    inner = word[1:-1]
    if not (word[:2] == "{-" and word[-1:] == "}"):
        return None
    on, _, off = inner.partition("/")
    if not all(_is_option(each) for each in (on, off) if each):
        return None
    return on.lstrip("-").replace("-", "_"), on, off


def slots(command: Sequence[str]) -> tuple[Slot, ...]:
    """The parameters in the words of a command, each once, in order; those of `OWN` aside."""
    found: dict[str, Slot] = {}
    for place, word in enumerate(command):
        for name in placeholders(word):
            if name not in OWN:
                found.setdefault(name, Slot(name, _option(command, place)))
    return tuple(found.values())


def pruned(command: Sequence[str], values: Mapping[str, Scalar]) -> tuple[str, ...]:
    """The words without those whose value is None: there the script's own default is meant.

    The option before such a word goes with it: ``--lr {lr}``. Switches become plain arguments, or
    none. All other placeholders stay. Raises KeyError for a name without a value; `OWN` need none.
    """
    kept: list[str] = []
    for place, word in enumerate(command):
        if found := switch(word):
            name, on, off = found
            value = values[name]
            kept += [each for each in (on if value else off,) if each and value is not None]
        elif any(values[name] is None for name in placeholders(word) if name not in OWN):
            if place and kept and _option(command, place) == kept[-1]:
                kept.pop()
        else:
            kept.append(word)
    return tuple(kept)


def spelled(value: Scalar) -> str:
    """A value as an argument: ``true`` and ``false`` for booleans, all digits of a number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def mistakes(command: str, knobs: Collection[str]) -> list[str]:
    """What is wrong with a command by itself, and beside the ``knobs`` that [space] names.

    A placeholder that is no knob gets its value from the run that a follow-up answers, or from the
    script. So only one that looks like a knob which the command does not use is a mistake.
    """
    try:
        split = words(command)
    except ValueError as error:
        return [f"the command cannot be split into words: {str(error).lower()}"]
    found: list[str] = []
    used: list[str] = []
    for word in split:
        try:
            used += placeholders(word)
        except ValueError as error:
            found.append(f"in the word {word!r} of the command: {error}")
    if set(used) & set(BULK):
        return found
    unused = [name for name in (*knobs, *OWN) if name not in used]
    return found + [
        f'the command uses "{{{name}}}", which is not in [space]{hint}'
        for name in used
        if name not in (*knobs, *OWN) and (hint := did_you_mean(name, unused))
    ]


def _is_name(name: str) -> bool:
    return bool(name) and name[0] != "-" and all(c.isalnum() or c in "_-." for c in name)


def _is_option(word: str) -> bool:
    return word[:1] == "-" and _is_name(word.lstrip("-"))


def _option(command: Sequence[str], place: int) -> str:
    """The option whose value the word at ``place`` is: ``--lr={lr}`` or ``--lr {lr}``."""
    word = command[place]
    if found := switch(word):
        return found[1]
    head, equals, _ = word.partition("=")
    if equals and _is_option(head):
        return head
    before = command[place - 1] if place else ""
    return before if word[:1] == "{" and _is_option(before) else ""
