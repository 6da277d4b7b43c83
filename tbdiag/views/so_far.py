"""The loss of a run so far, in a word."""

from __future__ import annotations

from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.views.sparkline import sparkline
from tbdiag.views.text import result

COLUMNS = 24  # of a curve
_CURVES = (Role.VAL_LOSS, Role.TRAIN_LOSS, Role.BATCH_LOSS, Role.VAL_REWARD, Role.REWARD)


def curve(run: Run, *, only_ascii: bool = False, columns: int = COLUMNS) -> str:
    """The loss so far in one word of blocks; empty where there is none."""
    found = _loss(run)
    return "" if found is None else sparkline(found, columns).text(only_ascii=only_ascii)


def latest(run: Run) -> str:
    """``loss/val 0.513 at step 4,200``; empty where there is no loss."""
    found = _loss(run)
    if found is None or not len(found):
        return ""
    return f"{found.tag} {result(float(found.values[-1]))} at step {int(found.steps[-1]):,}"


def _loss(run: Run) -> Series | None:
    curves = (run.curve(role) for role in _CURVES)
    return next((each for each in curves if each is not None and each.logged), None)
