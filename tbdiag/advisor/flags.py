"""What a training script can be told: its flags and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tbdiag.config.command import Slot
from tbdiag.model.run import Scalar
from tbdiag.naming.words import split

# How the flags of a script are read that takes them all at once.
PARAMS = "tbdiag.params"
HYDRA = "hydra"


class Kind(StrEnum):
    """What kind of value a flag takes."""

    INT = "int"
    FLOAT = "float"
    STR = "str"
    BOOL = "bool"  # a word for true or false
    SWITCH = "switch"  # no value: there or not
    OTHER = "other"  # a function of the script's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag; ``options`` are as on the command line, empty for a positional one.

    ``default`` counts where ``known``; None then means that nothing is passed on. ``off`` is the option
    that switches off, ``several`` whether it takes more than one word.
    """

    name: str
    options: tuple[str, ...] = ()
    off: str = ""
    kind: Kind = Kind.STR
    default: Scalar = None
    known: bool = True
    choices: tuple[Scalar, ...] = ()
    help: str = ""
    required: bool = False
    several: bool = False

    @property
    def option(self) -> str:
        """The longest of its options, empty for a positional one."""
        return max(self.options, key=len, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of a script by name. ``how`` says how they were read, ``why`` what went wrong."""

    script: str = ""
    how: str = ""
    flags: Mapping[str, Flag] = field(default_factory=dict)
    why: str = ""

    def of(self, slot: Slot) -> Flag | None:
        """The flag that a parameter of the command is passed to: by its option, else by its name."""
        for flag in self.flags.values():
            if slot.option and slot.option in (*flag.options, flag.off):
                return flag
        if slot.option:
            return None
        if slot.name in self.flags:
            return self.flags[slot.name]
        alike = [flag for name, flag in self.flags.items() if split(name) == split(slot.name)]
        return alike[0] if len(alike) == 1 else None
