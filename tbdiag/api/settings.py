"""Which configuration and which rules a call means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tbdiag.config import Config, find

Place = str | os.PathLike[str]


def configured(config: Config | Place | None = None) -> Config:
    """The configuration, checked: as given, from its file, or the nearest one upward from here."""
    if isinstance(config, Config):
        return config
    path = find(Path.cwd()) if config is None else Path(config)
    if path is None:
        return Config()
    from tbdiag.diagnosis import select as rules

    return rules.load(path)


def strings(words: str | Sequence[str]) -> tuple[str, ...]:
    """One word or several, as several."""
    return (words,) if isinstance(words, str) else tuple(words)
