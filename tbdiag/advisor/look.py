"""A look at what a follow-up run has logged so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from tbdiag.advisor.record import Record
from tbdiag.config import Config
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.errors import NoRunsError
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.proposal import Origin, Params, State
from tbdiag.model.report import RunReport
from tbdiag.model.role import Override
from tbdiag.model.run import Run
from tbdiag.reading.discover import discover
from tbdiag.reading.runs import read_all
from tbdiag.search.entrant import entrant

HOPELESS = ("NUM001", "NUM002", "NUM003", "OPT004")


def read(folder: Path, config: Config, objective: Override | None) -> Run | None:
    """The run in ``folder``, the one with the objective where there are several; None without any."""
    try:
        found = discover([folder])
    except NoRunsError:
        return None
    runs = [run for _, several in read_all(found, config.roles) for run in several]
    runs = [run for run in runs if run.series or run.histograms]
    judged = [run for run in runs if entrant(run, objective) is not None]
    return next(iter(judged or runs), None)


def record(
    name: str,
    folder: Path,
    params: Params,
    config: Config,
    selection: Selection,
    *,
    origin: Origin,
    parent: str,
    state: State,
) -> Record:
    """The follow-up run ``name`` as its logs tell it, examined by the configured rules."""
    objective = config.train.objective if config.train else None
    run = read(folder, config, objective)
    if run is None:
        return Record(id=name, params=params, origin=origin, parent=parent, state=state)
    run = replace(run, id=name, path=PurePath(folder))
    report = examine(run, selection)
    return Record(
        id=name,
        params=params,
        report=report,
        entrant=entrant(run, objective),
        origin=origin,
        parent=parent,
        state=state,
    )


def steps(run: Run) -> int:
    """How many steps the run has logged, by its longest curve."""
    curves = [curve for curve in run.series.values() if len(curve)]
    return max((int(each.steps[-1]) for each in curves), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """When a run that is under way is hopeless, by the same rules.

    An error counts at once where the rule is sure; what may still recover, and that nothing is learned,
    only after the share ``patience`` of the run. It is for the caller to look twice.
    """

    selection: Selection
    patience: float = 1 / 3

    @classmethod
    def by(cls, selection: Selection) -> Watch:
        """The watch by the rules of a selection that tell of hopeless runs."""
        few = tuple(each for each in selection.detectors if each.code in HOPELESS)
        return cls(selection=Selection(detectors=few, ignored=selection.ignored))

    def hopeless(self, run: Run, whole: int | None) -> Finding | None:
        """What makes the run hopeless, None where nothing does; ``whole`` is its length in steps."""
        report: RunReport = examine(run, self.selection)
        late = whole is not None and steps(run) >= self.patience * whole
        for finding in report.roots:
            certain = finding.confidence is Confidence.HIGH and finding.code != "OPT004"
            likely = finding.confidence is not Confidence.LOW and late
            if finding.severity is Severity.ERROR and (certain or likely):
                return finding
        return None
