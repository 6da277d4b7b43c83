"""What to try next: proposals, and follow-up runs that are launched and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tbdiag import __version__
from tbdiag.advisor.news import Conclusion, Tell
from tbdiag.advisor.plan import PREFIX, Plan, turns
from tbdiag.advisor.prescribe import Desk
from tbdiag.advisor.propose import Policy, proposals
from tbdiag.api.intake import Progress
from tbdiag.api.planning import Given, nearest, planned, runnable
from tbdiag.api.settings import Place
from tbdiag.config import Config, shown
from tbdiag.config.command import pruned, slots
from tbdiag.errors import LaunchError, RequestError
from tbdiag.journal.file import FOLDER, Journal
from tbdiag.journal.replay import History, replayed
from tbdiag.launch.command import filled
from tbdiag.model.proposal import Proposal
from tbdiag.model.run import Scalar

if TYPE_CHECKING:
    from tbdiag.advisor.books import Books
    from tbdiag.launch.base import Launcher
    from tbdiag.views.rounds import Outcome
    from tbdiag.views.suggestions import Sheet

_STUDY = "study.log"

Training = Callable[[dict[str, Scalar], Path], object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suggestions:
    """Follow-up runs to try, the most promising first, and what no setting can do.

    ``commands`` maps their ids to the words that start them, empty where no command is configured.
    """

    plan: Plan
    proposals: tuple[Proposal, ...]
    commands: dict[str, tuple[str, ...]]
    advice: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self.proposals)

    def __len__(self) -> int:
        return len(self.proposals)

    def __getitem__(self, at: int) -> Proposal:
        return self.proposals[at]

    def to_json(self) -> str:
        """The suggestions as JSON, schema 1."""
        from tbdiag.views import suggestions

        return suggestions.as_json(self.sheet)

    @property
    def sheet(self) -> Sheet:
        """The suggestions as the views show them."""
        env = {}
        if not slots(self.plan.command):  # all that it is told comes through the environment
            env = {each.id: _filled(self.plan, each)[1] for each in self}
        return replace(
            sheet(self.plan, self.advice), proposals=self.proposals, commands=self.commands, env=env
        )


class Retraining(Conclusion):
    """The end of a round of follow-up runs, with views for notebooks and programs."""

    __slots__ = ()

    @property
    def journal(self) -> History:
        """All that the journal tells, also of earlier rounds."""
        return replayed(Journal.beside(self.plan.logdir))

    @property
    def outcome(self) -> Outcome:
        """The end as the views show it."""
        from tbdiag.views.rounds import Outcome

        changes = turns(self.start.params, self.best.params)
        words = [t.command for t in self.journal.trials.values() if t.proposal.id == self.best.id]
        return Outcome(
            solved=self.solved,
            ending=self.ending.value,
            reason=self.verdict.reason if self.solved and self.verdict else self.reason,
            start=self.start.id,
            best=self.best.id,
            verdict=self.verdict,
            changes=changes,
            words=words[0] if words else (),
            inside=_inside(self.plan),
            trials=self.trials,
            verdicts=self.verdicts,
            repeats=self.repeats,
            advice=self.advice,
            journal=shown(self.plan.logdir),
            healthy=not self.problem,
        )

    def to_json(self) -> str:
        """The round as JSON, schema 1."""
        from tbdiag.views import rounds

        return rounds.as_json(sheet(self.plan, self.advice), self.outcome)


def suggest(
    path: Place | Sequence[Place] | None = None,
    *,
    n: int = 3,
    space: Given | None = None,
    objective: str | None = None,
    keep_going: bool = False,
    config: Config | Place | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Suggestions:
    """``n`` follow-up runs to try next, from the best of the comparable runs below ``path``.

    Each has its reason, the change to its parent and what it should clear. Nothing is started or
    written but files of parameters that a command asks for. ``space`` says what may be turned, like [space]
    in the configuration; without either it is what the training command takes, or else what the runs logged,
    within usual ranges. ``objective`` is a role or a tag. With ``keep_going`` they are those with which
    `retrain` begins where it is told so. Follow-ups of earlier calls count as tried. Raises RequestError.
    """
    settings = nearest(path, config)
    plan = planned(path, settings, space=space, objective=objective, cache=cache, progress=progress)
    from tbdiag.advisor.books import known

    position, taken = known(plan, Journal.beside(plan.logdir))
    found = []
    policy = Policy().searching if keep_going else Policy()
    for number, move in enumerate(proposals(position, n, policy), 1):
        found.append(plan.proposal(move, f"{PREFIX}{taken + number:03d}"))
    desk = Desk.on(plan.start, plan.space, plan.past)
    return Suggestions(
        plan=plan,
        proposals=tuple(found),
        commands={each.id: _filled(plan, each)[0] for each in found},
        advice=tuple(dict.fromkeys(w for f in plan.start.roots for w in desk.advice(f))),
    )


def retrain(
    train: Training | Place | None = None,
    path: Place | Sequence[Place] | None = None,
    *,
    space: Given | None = None,
    objective: str | None = None,
    max_trials: int | None = 10,
    max_epochs: float | None = None,
    timeout: float | None = None,
    parallel: int = 1,
    repeats: int = 2,
    kill: bool = True,
    keep_going: bool = False,
    storage: str | None = None,
    study: str | None = None,
    policy: Policy | None = None,
    config: Config | Place | None = None,
    cache: bool = True,
    write: bool | None = None,
    tell: Tell | None = None,
    ready: Callable[[Plan], object] | None = None,
    launcher: Launcher | str | None = None,
    child: bool = False,
) -> Retraining:
    """Launches follow-up runs and verifies them, until the problem of the best run is gone.

    ``train(params, logdir)`` trains and logs in this process, one run after the other, and nothing can
    end it early; with ``child`` in forks of this process, ``parallel`` at a time, that are timed out and
    stopped as commands are, for which no accelerator may be in use here. Without ``train``
    (``retrain(path="logs/")``) the configured command is launched, ``parallel`` at a time. The budget is
    ``max_trials`` follow-ups, ``max_epochs`` of all of them, ``timeout`` seconds. A winner is trained on
    ``repeats`` other seeds before its gain is claimed. Hopeless runs are ended where ``kill``. With
    ``keep_going`` it does not stop when the problem is gone, and begins with standard recipes. All is noted in
    ``<logdir>/.tbdiag``; the study lies there too, or in ``storage``, a URL of Optuna's, where others may
    share it by its name, ``study``. ``launcher`` is local, ray or slurm, by default the configured one. What
    is found in a follow-up is written into its folder as summaries that TensorBoard shows; with ``write``
    that of all runs is in the end, without (``write=False``) nothing is. ``ready`` is called with the plan
    before anything is started, ``tell`` with each piece of news. A call
    after one that was killed goes on where that one was. Raises RequestError.
    """
    from tbdiag.advisor.loop import Limits, Loop
    from tbdiag.api.written_back import WrittenBack
    from tbdiag.launch.choose import chosen
    from tbdiag.launch.forked import ForkedLauncher
    from tbdiag.launch.function import FunctionLauncher

    if train is not None and not callable(train):
        train, path = None, train if path is None else path
    settings = nearest(path, config)
    plan = planned(path, settings, space=space, objective=objective, cache=cache)
    runnable(plan, command=train is None)
    if max_epochs is not None and plan.costs is None:
        raise RequestError(
            "max_epochs needs a setting that says how long a run is: name it as budget under [train]"
        )
    if ready is not None:
        ready(plan)
    journal = Journal.beside(plan.logdir)
    back = WrittenBack(plan, tell or (lambda news: None), on=write is not False)
    if train is not None and isinstance(launcher, str):
        raise RequestError("a function is called in this process: a launcher needs a command")
    if launcher is None and train is not None:
        launcher = ForkedLauncher(train, parallel) if child else FunctionLauncher(train)
    elif launcher is None or isinstance(launcher, str):
        launcher = chosen(settings.launch, parallel, launcher)
    with journal.held():
        loop = Loop(
            plan=plan,
            books=_books(plan, journal, storage, study),
            launcher=launcher,
            limits=Limits(trials=max_trials, epochs=max_epochs, seconds=timeout),
            policy=policy or Policy(),
            repeats=repeats,
            kill=kill,
            keep_going=keep_going,
            tell=back.tell,
        )
        end = loop.run()
    back.finish(whole=bool(write), config=settings, cache=cache)
    return Retraining(**{each.name: getattr(end, each.name) for each in fields(end)})


def _books(plan: Plan, journal: Journal, storage: str | None, study: str | None) -> Books:
    from tbdiag.advisor.books import Books
    from tbdiag.advisor.marks import owner_of
    from tbdiag.advisor.shared import SharedLedger
    from tbdiag.advisor.study import Ledger

    name, kept = study or plan.study, plan.logdir / FOLDER
    ledger: Ledger
    if storage is None:
        ledger = Ledger(kept / _STUDY, name, plan.ledger, higher=plan.higher)
    else:
        owner = owner_of(kept)
        ledger = SharedLedger(storage, name, plan.ledger, higher=plan.higher, owner=owner)
    if plan.start.entrant is not None:
        ledger.measures(plan.start.entrant.objective.phrase)
    return Books(plan=plan, journal=journal, ledger=ledger)


def sheet(plan: Plan, advice: tuple[str, ...] = ()) -> Sheet:
    """Where follow-ups start from, as the views show it."""
    from tbdiag.views.suggestions import Sheet

    entrant = plan.start.entrant
    return Sheet(
        version=__version__,
        start=plan.start.id,
        comparable=len(plan.past),
        objective=entrant.objective.phrase if entrant else "",
        value=plan.start.value,
        findings=plan.start.roots,
        proposals=(),
        folder=str(plan.root) if plan.command else "",
        inside=_inside(plan),
        advice=advice,
        notes=plan.notes,
        left_out=plan.left_out,
    )


def _inside(plan: Plan) -> str:
    """Where the command runs, as it can be typed; empty where that is the working directory."""
    root = plan.root.resolve()
    return "" if root == Path.cwd() else shown(root)


def _filled(plan: Plan, proposal: Proposal) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words of the command and its environment; nothing where there is no command."""
    if not plan.command:
        return (), {}
    given = {name: value for name, value in proposal.params.items() if value is not None}
    place = plan.logdir / FOLDER / "params" / proposal.id
    try:
        words = pruned(plan.command, proposal.params)
        told = filled(words, given, plan.logdir / proposal.id, place, trial=proposal.id)
    except LaunchError:
        return (), {}
    return told.argv, dict(told.env)
