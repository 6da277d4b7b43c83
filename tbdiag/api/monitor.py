"""Runs under way, looked at from Python."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tbdiag.api.folders import scan
from tbdiag.diagnosis.vigil import Alert, Vigil
from tbdiag.errors import NoRunsError

if TYPE_CHECKING:
    from tbdiag.api.report import Report
    from tbdiag.api.settings import Place
    from tbdiag.config import Config


class Monitor:
    """Diagnoses a run, or all below a folder, while they are trained.

    ``logdir`` may be a path or a URL, also of a folder that is not there yet; ``select``, ``ignore`` and
    ``config`` are those of `scan`. Only what was written can be seen: flush the writer before a check.
    """

    def __init__(
        self,
        logdir: Place,
        *,
        select: str | Sequence[str] = (),
        ignore: str | Sequence[str] = (),
        config: Config | Place | None = None,
    ) -> None:
        self._logdir, self._select, self._ignore, self._config = logdir, select, ignore, config
        self._vigil = Vigil()
        self.report: Report | None = None

    def check(self, now: float | None = None) -> tuple[Alert, ...]:
        """What came up or went away since the last check; nothing where there are no runs yet.

        A finding comes up when all checks agreed on it while the run became twice as long, a quarter longer
        where the rule is sure; a sure error comes up at once. ``report`` then holds all that is known. ``now`` is the wall
        time in seconds, by default that of the call. Costs as much as reading what was added. Raises
        UnknownRuleError and ConfigError.
        """
        at = time.time() if now is None else now
        try:
            self.report = scan(
                self._logdir, select=self._select, ignore=self._ignore, config=self._config, now=at
            )
        except NoRunsError:
            return ()
        return tuple(self._vigil.look(self.report, at))
