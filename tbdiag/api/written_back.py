"""Follow-up runs of a round, written back as summaries while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tbdiag import __version__
from tbdiag.advisor.news import Ended, News, Remark, Tell
from tbdiag.advisor.plan import Plan
from tbdiag.api.folders import scan
from tbdiag.config import Config
from tbdiag.errors import SummaryError
from tbdiag.model.report import Report, RunReport
from tbdiag.summaries.write import write


@dataclass(slots=True)
class WrittenBack:
    """Passes news on to ``told``, and while it is ``on`` writes what is found in follow-ups that ended.

    Only folders of follow-ups are written, which tbdiag made itself. What cannot be written is told
    once and holds nothing up.
    """

    plan: Plan
    told: Tell
    on: bool
    _found: dict[str, RunReport] = field(default_factory=dict)
    _failed: bool = False

    def tell(self, news: News) -> None:
        """Passes a piece of news on; writes the follow-up that it tells the end of."""
        if isinstance(news, Ended) and news.record is not None and news.record.report is not None:
            self._found[news.record.id] = news.record.report
            self._write([news.record.report])
        self.told(news)

    def finish(self, *, whole: bool, config: Config, cache: bool) -> None:
        """Writes what became clear of them in the end; of the ``whole`` log folder, if asked for."""
        if not whole:
            self._write(list(self._found.values()))
            return
        try:
            scan(self.plan.logdir, config=config, cache=cache).write()
        except SummaryError as error:
            self._complain(str(error))

    def _write(self, runs: list[RunReport]) -> None:
        if not self.on or not runs:
            return
        report = Report(version=__version__, digest=self.plan.selection.digest, runs=tuple(runs))
        try:
            result = write(report, [self.plan.logdir], Path.cwd(), overview=False)
        except SummaryError as error:
            self._complain(str(error))
        else:
            if result.failed:
                self._complain(result.failed[0][1])

    def _complain(self, sentence: str) -> None:
        if not self._failed:
            self._failed = True
            self.told(Remark(sentence))
