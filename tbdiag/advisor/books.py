"""The books of a round of follow-up runs: journal and study, kept in step, and read again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tbdiag.advisor import look
from tbdiag.advisor.colleagues import record_of, told_of
from tbdiag.advisor.plan import PREFIX, Plan, fresh
from tbdiag.advisor.position import Position
from tbdiag.advisor.record import Record, same
from tbdiag.advisor.study import Ledger, Page
from tbdiag.advisor.verify import judge
from tbdiag.config.command import pruned
from tbdiag.detectors.search.difference_within_noise import DifferenceWithinNoise
from tbdiag.journal.entry import Diagnosed, Found
from tbdiag.journal.file import FOLDER, Journal
from tbdiag.journal.replay import Attempt, History, replayed
from tbdiag.launch.base import Job
from tbdiag.launch.command import filled
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Origin, Params, Proposal, State, Trial, Verdict

_POINTS = 60  # of a curve that are written into the study


@dataclass(slots=True, kw_only=True)
class Books:
    """What was tried from the start of a plan on, in the journal, the study and in memory.

    ``followups`` are the records of trials that tell something, ``failed`` the settings of those that
    do not, ``running`` trials of which nobody noted the end. ``looked`` gives a trial's record where its
    logs are not in its folder.
    """

    plan: Plan
    journal: Journal
    ledger: Ledger | None
    followups: list[Record] = field(default_factory=list)
    failed: list[Params] = field(default_factory=list)
    running: list[Trial] = field(default_factory=list)
    trials: dict[str, Trial] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    looked: Callable[[Trial], Record] | None = None
    _names: set[str] = field(default_factory=set)
    _others: dict[int, Record | None] = field(default_factory=dict)

    def open(self) -> None:
        """Reads what the journal tells of this plan, judges what was not, and brings the study up to it."""
        for each in self.plan.past:
            self._enter(each)
        history = replayed(self.journal)
        self._names = set(history.attempts)
        for attempt in kin(history, self.plan):
            proposal, trial = attempt.proposal, attempt.trial
            if trial is None:
                continue  # never started: the policy decides anew
            if trial.state is State.RUNNING:
                self.running.append(trial)
                self.trials[proposal.id] = trial
            else:
                record = self._taken(trial)
                if attempt.verdict is not None:
                    self.verdicts[proposal.id] = attempt.verdict
                elif record is not None and trial.state is not State.INTERRUPTED:
                    self.verify(record, trial)
        self._pardon()
        if not history.diagnoses or history.diagnoses[-1][1] != self._diagnosed():
            self.journal.diagnosed(self._diagnosed())

    def _pardon(self) -> None:
        """Where nothing ever ran to its end, it was the command that failed, and not the settings."""
        if not self.followups:
            self.failed.clear()

    def name(self) -> str:
        """The next name of a follow-up run; it is not given twice."""
        found = fresh(self._names, self.plan.logdir)
        self._names.add(found)
        return found

    def job(self, proposal: Proposal, timeout: float | None = None) -> Job:
        """The job that a proposal is run as; the same each time."""
        plan, kept = self.plan, self.plan.logdir / FOLDER
        logdir = plan.logdir / proposal.id
        given = {n: v for n, v in proposal.params.items() if v is not None}
        command = pruned(plan.command, proposal.params)
        place = kept / "params" / proposal.id
        words = filled(command, given, logdir, place, trial=proposal.id)
        return Job(
            id=proposal.id,
            argv=words.argv,
            env=words.env,
            cwd=plan.root,
            logdir=logdir,
            output=kept / "output" / f"{proposal.id}.txt",
            timeout=timeout,
        )

    def propose(self, proposal: Proposal) -> None:
        """Notes that a follow-up was decided on."""
        self.journal.proposed(proposal)

    def claim(self, proposal: Proposal) -> bool:
        """Whether no other controller of the study tries the same; then none will.

        One that the journal tells of as started is noted as given up where another one took it over.
        """
        if self.ledger is None:
            return True
        page = Page(
            key=proposal.id,
            params=proposal.params,
            value=None,
            told={"logdir": (self.plan.logdir / proposal.id).as_posix(), **_origin(proposal)},
        )
        if self.ledger.claim(page):
            return True
        trial = self.trials.get(proposal.id)
        if trial is not None and trial.state is State.RUNNING:
            reason = "another controller of the study has taken it over"
            self.finish(replace(trial, state=State.INTERRUPTED, reason=reason))
        return False

    def launch(self, proposal: Proposal, job: Job, at: float) -> Trial:
        """Notes, before it is done, that a follow-up is started."""
        trial = Trial(
            proposal=proposal,
            run=proposal.id,
            command=job.argv,
            state=State.RUNNING,
            started=at,
        )
        self.journal.launched(trial)
        self.trials[proposal.id] = trial
        return trial

    def finish(self, trial: Trial) -> tuple[Record | None, Verdict | None]:
        """Notes the end of a follow-up in journal and study, and judges it beside its parent."""
        record = self._looked(trial)
        if record is not None and record.value is not None:
            trial = replace(trial, objective=record.value)
        if record is not None and record.state is not trial.state:
            trial = replace(trial, state=record.state, reason="it logged no curve")
        self.journal.finished(trial)
        if trial.state is State.INTERRUPTED and self.ledger is not None:
            self.ledger.give_up(trial.proposal.id, trial.reason)
        record = self._taken(trial, record)
        if record is None or trial.state is State.INTERRUPTED:
            return record, None
        return record, self.verify(record, trial)

    def verify(self, record: Record, trial: Trial) -> Verdict | None:
        """The verdict on a follow-up beside its parent, noted; none on a mere repeat."""
        parent = self.record(record.parent)
        if parent is None or record.origin is Origin.REPEAT:
            return None
        answers = [f for f in parent.roots if f.fingerprint in trial.proposal.answers]
        verdict = self.judged(record, parent, answers, reason=trial.reason)
        self.settle(record.id, verdict)
        return verdict

    def settle(self, name: str, verdict: Verdict) -> None:
        """Notes a verdict; of two on the same follow-up the later counts."""
        self.journal.verified(name, verdict)
        self.verdicts[name] = verdict

    def judged(
        self,
        record: Record,
        beside: Record,
        answers: Sequence[Finding],
        *,
        reason: str = "",
        repeats: Sequence[Record] = (),
    ) -> Verdict:
        """What `judge` says by the thresholds of the configuration."""
        rules = self.plan.selection.search.detectors
        return judge(
            record,
            beside,
            answers=answers,
            rule=next((each for each in rules if isinstance(each, DifferenceWithinNoise)), None),
            reason=reason,
            repeats=repeats,
            budget=self.plan.costs,
        )

    def record(self, name: str) -> Record | None:
        """The run of that id, past or follow-up."""
        return next((r for r in (*self.plan.past, *self.followups) if r.id == name), None)

    def others(self) -> list[Record]:
        """The runs of other controllers of the study that are comparable to those of the plan."""
        if self.ledger is None:
            return []
        for each in self.ledger.others():
            if each.number not in self._others:  # what is over does not change
                fits = self.plan.takes(each.params)
                known = any(same(each.params, own.params) for own in self.plan.past)
                found = record_of(each, self.plan.start) if fits and not known else None
                self._others[each.number] = found
        return [each for each in self._others.values() if each is not None]

    def repeats(self, of: str) -> list[Record]:
        """The repeats of a follow-up on other seeds."""
        return [r for r in self.followups if r.origin is Origin.REPEAT and r.parent == of]

    def _looked(self, trial: Trial) -> Record | None:
        """The trial's run as its logs tell it; one that logged nothing has failed."""
        proposal, plan = trial.proposal, self.plan
        if self.looked is not None:
            return self.looked(trial)
        record = look.record(
            proposal.id,
            plan.logdir / trial.run,
            proposal.params,
            plan.config,
            plan.selection,
            origin=proposal.origin,
            parent=proposal.parent,
            state=trial.state,
        )
        if trial.state is State.FINISHED and record.report is None:
            return replace(record, state=State.FAILED)
        return record

    def _taken(self, trial: Trial, record: Record | None = None) -> Record | None:
        """Keeps what a trial that is over tells: as a record, or as settings that failed."""
        self.trials[trial.proposal.id] = trial
        record = record or self._looked(trial)
        if record is None or trial.state is State.INTERRUPTED:
            return record
        if trial.state in (State.FINISHED, State.KILLED):
            self.followups.append(record)
        else:
            self.failed.append(trial.proposal.params)
        self._enter(record, trial)
        return record

    def _enter(self, record: Record, trial: Trial | None = None) -> None:
        """Writes a run into the study."""
        if self.ledger is None or record.id in self.ledger:
            return
        told: dict[str, Any] = {"logdir": self._where(record)}
        if trial is None:
            told |= {"origin": "imported"}
        else:
            told |= {**_origin(trial.proposal), "reason": trial.reason}
        told["diagnosis"] = [f"{f.code} {f.name}: {f.message}" for f in record.roots]
        if self.ledger.owner:  # others may build on it
            told |= told_of(record)
        told["other settings"] = {
            n: v for n, v in record.params.items() if n not in self.ledger.space
        }
        self.ledger.add(
            Page(
                key=record.id,
                params=record.params,
                value=record.value,
                state=record.state,
                curve=_curve(record),
                told=told,
                span=record.span,
            )
        )

    def _where(self, record: Record) -> str:
        if record.origin is not None:
            return (self.plan.logdir / record.id).as_posix()
        return "" if record.run is None else Path(record.run.path).absolute().as_posix()

    def _diagnosed(self) -> Diagnosed:
        start = self.plan.start
        objective = start.entrant.objective if start.entrant else None
        return Diagnosed(
            best=start.id,
            runs=len(self.plan.past),
            objective=objective.tag if objective else "",
            better=objective.better.value if objective else "lower",
            value=start.value,
            findings=tuple(
                Found(
                    code=each.code,
                    severity=each.severity.value,
                    message=each.message,
                    fingerprint=each.fingerprint,
                )
                for each in start.roots
            ),
        )


def _origin(proposal: Proposal) -> dict[str, Any]:
    """Where a follow-up comes from, as the study tells it."""
    return {
        "origin": proposal.origin.value,
        "parent": proposal.parent,
        "why": proposal.why,
        "answers": list(proposal.expects),
    }


def known(plan: Plan, journal: Journal) -> tuple[Position, int]:
    """What is known without launching anything, and how many follow-ups have a name already."""
    history = replayed(journal)
    books = Books(plan=plan, journal=journal, ledger=None)
    for attempt in kin(history, plan):
        if attempt.trial is not None and attempt.trial.state is not State.RUNNING:
            books._taken(attempt.trial)
    books._pardon()
    last = fresh(history.attempts, plan.logdir).removeprefix(PREFIX)
    return plan.position(books.followups, (), books.failed), int(last) - 1


def kin(history: History, plan: Plan) -> list[Attempt]:
    """The attempts that descend from the runs of a plan and take the same settings, in order."""
    known = {each.id for each in plan.past}
    found = []
    for name, attempt in history.attempts.items():
        proposal = attempt.proposal
        if proposal.parent in known and set(proposal.params) == set(plan.start.params):
            known.add(name)
            found.append(attempt)
    return found


def _curve(record: Record) -> Mapping[int, float]:
    """The curve of the objective, thinned."""
    if record.entrant is None or not len(record.entrant.curve):
        return {}
    curve = record.entrant.curve
    every = max(1, len(curve) // _POINTS)
    return {
        int(step): float(value)
        for step, value in zip(curve.steps[::every], curve.values[::every], strict=True)
    }
