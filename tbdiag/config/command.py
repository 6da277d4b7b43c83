"""The words of a training command and the placeholders in them."""

from __future__ import annotations

from collections.abc import Collection

from tbdiag.config.settings import did_you_mean

OWN = ("logdir", "params_json", "params_yaml", "overrides")


def words(command: str) -> tuple[str, ...]:
    """The command split as a shell splits words; raises ValueError where a quote is left open."""
    import shlex

    return tuple(shlex.split(command))


def placeholders(word: str) -> tuple[str, ...]:
    """The names in braces, in order; ``{{`` and ``}}`` are plain braces.

    Raises ValueError for a brace without a partner and for anything but a name between braces.
    """
    import string

    names = []
    for _, name, form, conversion in string.Formatter().parse(word):
        if name is None:
            continue
        if not name or form or conversion or not all(c.isalnum() or c in "_-." for c in name):
            raise ValueError("only a name may stand between braces; write {{ and }} for plain ones")
        names.append(name)
    return tuple(names)


def mistakes(command: str, knobs: Collection[str]) -> list[str]:
    """What is wrong with a command whose placeholders may be `OWN` or one of ``knobs``."""
    try:
        split = words(command)
    except ValueError as error:
        return [f"the command cannot be split into words: {str(error).lower()}"]
    found = []
    for word in split:
        try:
            names = placeholders(word)
        except ValueError as error:
            found.append(f"in the word {word!r} of the command: {error}")
            continue
        known = (*knobs, *OWN)
        found += [
            f'the command uses "{{{name}}}", which is not in [space]{did_you_mean(name, known)}'
            for name in names
            if name not in known
        ]
    return found
