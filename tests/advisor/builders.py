"""Records with hand-made reports, a space, and a launcher that trains by a formula."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from tbdiag import synth
from tbdiag.advisor.record import Record
from tbdiag.config.settings import Config
from tbdiag.config.training import Choices, Dimension, Range, Train
from tbdiag.detectors.registry import every_rule, find
from tbdiag.diagnosis.examine import tried
from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Origin, State
from tbdiag.model.report import Fired, Outcome, Passed, RunReport
from tbdiag.model.role import Override, Role
from tbdiag.model.run import Scalar
from tbdiag.search.entrant import entrant
from tests.reading.eventfiles import NAME, event, value, write

SPACE: Mapping[str, Dimension] = {
    "lr": Range(low=1e-6, high=10.0, log=True),
    "weight_decay": Range(low=1e-7, high=0.3, log=True),
    "dropout": Range(low=0.0, high=0.8),
    "optimizer": Choices(("sgd", "momentum", "adam", "adamw")),
    "scheduler": Choices(("constant", "cosine", "onecycle")),
    "batch_size": Choices((16, 32, 64, 128)),
    "epochs": Range(low=5, high=200, step=1),
    "init": Choices(("he", "xavier", "constant")),
    "hidden": Choices(("16", "64,64", "128,128")),
}
PARAMS: Mapping[str, Scalar] = {
    "lr": 3e-3,
    "weight_decay": 1e-3,
    "dropout": 0.0,
    "optimizer": "adam",
    "scheduler": "constant",
    "batch_size": 64,
    "epochs": 40,
    "init": "he",
    "hidden": "64,64",
    "train_size": 1000,
    "seed": 0,
}


def a_finding(code: str) -> Finding:
    """What the rule finds on the first of its own samples that fires."""
    rule = find(code)
    assert rule is not None
    return next(found for _, found in tried(rule) if found is not None)


def a_record(
    name: str,
    loss: float | None,
    *findings: str | Finding,
    accuracy: Sequence[float] | None = None,
    origin: Origin | None = None,
    parent: str = "",
    state: State = State.FINISHED,
    logged: Mapping[str, Scalar] | None = None,
    outcomes: Mapping[str, Outcome] | None = None,
    **params: Scalar,
) -> Record:
    """A run of forty epochs whose validation loss comes down to ``loss``, with these root findings."""
    settings = {**PARAMS, **params}
    curves: dict[Role, np.ndarray] = {Role.TRAIN_LOSS: synth.decay(40, 2.3, 0.1)}
    if loss is not None:
        curves[Role.VAL_LOSS] = synth.decay(40, 2.3, loss, 20.0)
    if accuracy is not None:
        curves[Role.VAL_METRIC] = np.asarray(accuracy)
    run = synth.a_run(curves, hparams=settings if logged is None else logged)
    run = replace(run, id=name, path=PurePosixPath("logs") / name)
    found = tuple(a_finding(f) if isinstance(f, str) else f for f in findings)
    answers: dict[str, Outcome] = {rule.code: Passed() for rule in every_rule()}
    answers |= {each.code: Fired((each,)) for each in found} | dict(outcomes or {})
    return Record(
        id=name,
        params=settings,
        report=RunReport(run=run, outcomes=answers, findings=found),
        entrant=entrant(run, Override("val_metric" if loss is None else "val_loss")),
        origin=origin,
        parent=parent,
        state=state,
    )


Curves = Mapping[str, Sequence[float]]


def by_rate(params: Mapping[str, Scalar]) -> Curves:
    """Adam on some task: it learns nothing above a rate of .05, and best at 3e-3."""
    rate, seed = float(str(params["lr"])), int(str(params["seed"]))
    noise = np.random.default_rng(seed)
    if rate > 0.05:
        still = 2.3 + noise.normal(0, 0.01, 40)
        return {"loss/train": still.tolist(), "loss/val": (still + 0.01).tolist()}
    floor = 0.2 + 0.1 * abs(np.log10(rate / 3e-3)) + float(noise.normal(0, 0.0005))
    return {
        "loss/train": synth.decay(40, 2.3, floor, 12.0).tolist(),
        "loss/val": synth.decay(40, 2.3, floor + 0.02, 12.0).tolist(),
    }


def log(folder: Path, curves: Curves, params: Mapping[str, Scalar]) -> None:
    """A run's folder as a trainer leaves it: curves, and its settings beside them."""
    length = max(map(len, curves.values()))
    write(
        folder / NAME,
        *(
            event(step + 1, *(value(tag, each[step]) for tag, each in curves.items()))
            for step in range(length)
        ),
    )
    (folder / "params.json").write_text(json.dumps(dict(params)))


@dataclass
class FakeLauncher:
    """Trains by a formula when it is polled; counts what was started."""

    learn: Callable[[Mapping[str, Scalar]], Curves] = by_rate
    slots: int = 1
    code: int = 0
    started: list[str] = field(default_factory=list)
    logged: Mapping[str, Scalar] = field(default_factory=dict)  # over what was asked for
    interrupt_at: int | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(self.jobs)

    def start(self, job: Job) -> None:
        assert len(self.jobs) < self.slots
        self.started.append(job.id)
        self.jobs[job.id] = job

    def adopt(self, job: Job) -> bool:
        if not job.logdir.exists():
            return False
        self.jobs[job.id] = job
        self.adopted.append(job.id)
        return True

    def poll(self) -> list[tuple[str, Exit]]:
        if self.interrupt_at is not None and len(self.started) >= self.interrupt_at:
            raise KeyboardInterrupt
        return [(name, self._trained(name)) for name in list(self.jobs)]

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - as in the protocol
        self.stopped.append(id)

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        ends = [(name, self._exit(How.STOPPED, None)) for name in self.jobs]
        self.jobs.clear()
        return ends

    def _trained(self, name: str) -> Exit:
        job = self.jobs.pop(name)
        params = json.loads(job.env["TBDIAG_PARAMS"])
        if self.code == 0 and not (name in self.adopted and job.logdir.exists()):
            self.trained.append(name)
            log(job.logdir, self.learn(params), {**params, **self.logged})
        return self._exit(How.EXITED, self.code)

    @staticmethod
    def _exit(how: How, code: int | None) -> Exit:
        return Exit(how=how, code=code, reason=f"exit code {code}", started=1.0, ended=2.0)


def a_config(root: Path) -> Config:
    """A configuration whose command takes everything through the environment."""
    return Config(
        root=root,
        train=Train(command=("train",), objective=Override("val_loss"), budget="epochs"),
        space={**SPACE, "seed": Range(low=0, high=99, step=1)},
    )
