"""The configuration as values: what `tbdiag.toml` may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbdiag.model.role import Override, Role

if TYPE_CHECKING:
    from tbdiag.config.positions import Key
    from tbdiag.config.training import Dimension, Launch, Train


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a configuration file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The configuration; without a file, all defaults.

    ``root`` is the folder that relative paths are relative to. ``ignore`` maps a rule code, name or
    family to the reason; without ``suspicions`` no rule says what a run looks like that none found anything wrong with. ``rules`` maps a rule code or name to its thresholds, not yet checked against
    the rules themselves. ``storage`` maps a kind of storage (``s3``) to what fsspec takes for it, which may
    be secret. ``lines`` remembers where each key stands in the file.
    """

    path: Path | None = None
    root: Path = field(default_factory=Path)
    logdir: str | None = None
    select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    suspicions: bool = True
    roles: Mapping[Role, Override] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    train: Train | None = None
    space: Mapping[str, Dimension] = field(default_factory=dict)
    storage: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    launch: Launch | None = None
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False, compare=False)

    def problem(self, key: Key, message: str) -> Problem:
        """A mistake at ``key``, with the file and line where it stands."""
        from tbdiag.config.positions import line

        return Problem(shown(self.path or Path()), line(self.lines, key), message)


def shown(path: Path) -> str:
    """The path as users read it: relative to the working directory where it lies below it."""
    here = Path.cwd()
    full = here / path
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(full)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` for the known word nearest to ``word``, else nothing."""
    import difflib

    spelled = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return f'; did you mean "{spelled[near[0]]}"?' if near else ""
