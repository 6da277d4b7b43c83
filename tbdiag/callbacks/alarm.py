"""What every callback does after an epoch: look, say what came up, and tell whether to stop."""

from __future__ import annotations

import logging

from tbdiag.api.monitor import Monitor
from tbdiag.api.settings import Place
from tbdiag.diagnosis.vigil import Alert
from tbdiag.errors import RequestError, TbdiagError
from tbdiag.model.finding import Severity
from tbdiag.views.text import printable

logger = logging.getLogger("tbdiag")
_LEVELS = {
    Severity.ERROR: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.NOTE: logging.INFO,
}


class Alarm:
    """Looks at the logs below ``logdir``; ``stop_on`` is the severity from which a run is to be ended.

    Without it no run is. What came up goes to the logger ``tbdiag``. Whatever goes wrong while
    looking is told once and ends no training. Raises RequestError where ``stop_on`` is no severity.
    """

    def __init__(self, logdir: Place, stop_on: str | None) -> None:
        if stop_on not in (None, *Severity):
            words = ", ".join(reversed(Severity))
            raise RequestError(f'stop_on is "{stop_on}"; choose among {words}, or None')
        self._monitor = Monitor(logdir)
        self._stop_on = None if stop_on is None else Severity(stop_on)
        self._failed = False
        self.alerts: list[Alert] = []

    def look(self) -> bool:
        """Whether the run is to be ended."""
        try:
            alerts = self._monitor.check()
        except (TbdiagError, OSError) as error:
            if not self._failed:
                logger.warning("tbdiag cannot watch this run: %s", printable(str(error)))
            self._failed = True
            return False
        for alert in alerts:
            level = logging.INFO if alert.gone else _LEVELS[alert.finding.severity]
            logger.log(level, "%s", printable(str(alert)))
        self.alerts += alerts
        return any(map(self._grave, alerts))

    def _grave(self, alert: Alert) -> bool:
        limit = self._stop_on
        return limit is not None and not alert.gone and alert.finding.severity.rank <= limit.rank
