"""The answers of the rules about a run, kept while run, rules and thresholds stay the same."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Finding
from tbdiag.model.report import Crashed, Outcome, RunReport
from tbdiag.model.run import Run
from tbdiag.reading.plain import plain, restored
from tbdiag.reading.store import ANSWERS, Store


def remembered(store: Store, run: Run, selection: Selection, key: str) -> RunReport:
    """What `examine` answers, out of ``store`` where it was asked the same before.

    ``key`` names the state that the run was read from, its files, overrides and tbdiag's own code;
    where it is empty the rules always run. Crashes are never kept.
    """
    if not key:
        return examine(run, selection)
    asked = json.dumps([key, run.id, selection.digest])
    name = hashlib.sha256(asked.encode()).hexdigest()[:32] + ANSWERS
    content = store.get(name)
    if content is not None:
        with suppress(ValueError, TypeError, KeyError, IndexError):  # as good as missing
            return from_json(bytes(content), run)
    found = examine(run, selection)
    if not any(isinstance(each, Crashed) for each in found.outcomes.values()):
        with suppress(TypeError):  # a rule of another package may find anything
            store.put(name, to_json(found))
    return found


def to_json(report: RunReport) -> bytes:
    """The outcomes and findings of a report, without its run."""
    outcomes = [[code, plain(outcome)] for code, outcome in report.outcomes.items()]
    return json.dumps([outcomes, plain(report.findings)]).encode()


def from_json(content: bytes, run: Run) -> RunReport:
    """The report that `to_json` told; raises ValueError or TypeError for anything else."""
    outcomes, findings = json.loads(content)
    return RunReport(
        run=run,
        outcomes={code: restored(Outcome, outcome) for code, outcome in outcomes},
        findings=restored(tuple[Finding, ...], findings),
    )
