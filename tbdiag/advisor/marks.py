"""What the trials of a study that several controllers share tell by their attributes."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tbdiag.advisor.study import Page
from tbdiag.model.proposal import Params

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

IMPORTED, REPEAT = "imported", "repeat"  # origins

KEY, OWNER, HOST, SETTINGS = "key", "owner", "host", "settings"
SIGN, LOST, WITHDRAWN, REASON = "beat", "lost", "withdrawn", "reason"


def owner_of(folder: Path) -> str:
    """What a log folder is called in a shared study: noted in ``folder`` by the first who asks.

    Only the controller that holds the folder may ask. Raises OSError.
    """
    path = folder / "owner.txt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(f"{socket.gethostname()}-{secrets.token_hex(3)}\n", "utf-8")
        draft.replace(path)
    return path.read_text("utf-8").strip()


def running(trial: FrozenTrial) -> bool:
    """Whether somebody is at it."""
    return not trial.state.is_finished()


def lost(trial: FrozenTrial) -> bool:
    """Whether whoever was at it was lost, or gave it up."""
    return trial.state.name == "FAIL" and bool(trial.user_attrs.get(LOST))


def stands(trial: FrozenTrial) -> bool:
    """Whether the run of a trial is being made or was made: it was neither lost nor withdrawn."""
    return not (lost(trial) or (trial.state.name == "FAIL" and trial.user_attrs.get(WITHDRAWN)))


def settings_of(trial: FrozenTrial) -> Params:
    """All settings of the run, by the names of the command; nothing where they do not stand there."""
    with suppress(ValueError, KeyError):
        found = json.loads(trial.user_attrs[SETTINGS])
        if isinstance(found, dict):
            return found
    return {}


def past(page: Page) -> str:
    """What names a past run for everybody who knows it: its name, its settings and its result."""
    whole = json.dumps([page.key, sorted(page.params.items()), page.value], default=str)
    return f"past/{hashlib.sha256(whole.encode()).hexdigest()[:16]}"
