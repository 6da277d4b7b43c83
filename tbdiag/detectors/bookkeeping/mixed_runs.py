"""LOG002: several writers logged the same curves into one run at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Mixture, Provenance, Run, Writing
from tbdiag.signals.cadence import spoken
from tbdiag.synth import a_run, at_times, decay, noisy

FOLDERS = Remedy.advice(
    "Give each training a folder of its own, named by its settings or by the time",
    "TensorBoard draws all files of a folder as one curve",
)
ONE_RANK = Remedy.advice(
    "With several processes per training, log from the first one only",
    "each rank that opens a writer logs the same tags once more",
)
LEFTOVER = Remedy.advice(
    "Look for a process that is still running from before a resume, and end it",
    "two trainings of one name also overwrite each other's checkpoints",
)


@dataclass(frozen=True, kw_only=True)
class MixedRuns(Detector):
    """Several writers logged the same curves into one run at the same time.

    ## What it does

    Tells where two or more processes wrote points of the same curves into one folder, or one file,
    while the others were still writing.

    ## Why is this bad?

    The curve that TensorBoard draws there jumps back and forth between two trainings, and what a reader
    keeps of it belongs now to the one, now to the other. Nothing that follows can be trusted.

    ## How it is detected

    Two files hold points of the same tag from the same time, `least` or more of them; or the steps
    of one file go back time and again and fall apart into a few rows that rise. Where each file
    starts from the beginning the trainings can be told from each other, each is examined as a run of
    its own, and this is only a note.

    ## Remedy

    One folder for each training; within a training, one process that logs.

    ## False alarms

    A resumed run writes its second file after the first; the writers of training and validation log
    into folders of their own, and two writers of one process different tags: none of them counts. A
    copy of a file holds the same wall times and does not count either.

    ## References

    PyTorch, `SummaryWriter`: "each run in a folder of its own".
    """

    code, severity, since = "LOG002", Severity.WARNING, "0.1.0"
    supervised = False
    explains = ("LOG001", "NUM003", "NUM004", "OPT001", "OPT003", "VAL002")

    least: Annotated[int, Threshold("points logged while both were writing", at_least=2)] = 10

    def check(self, case: Case) -> Iterator[Finding]:
        mixed = [each for each in case.run.provenance.mixtures if each.points >= self.least]
        if not mixed:
            return
        worst = max(mixed, key=lambda each: (not each.apart, each.points))
        names = dict.fromkeys(file for each in mixed for file in each.files)
        yield self.finding(
            _told(worst, case.run.provenance.writings),
            *self._evidence(case, mixed),
            confidence=Confidence.MEDIUM if len(names) == 1 else Confidence.HIGH,
            severity=Severity.NOTE if worst.apart else self.severity,
            remedies=(ONE_RANK, FOLDERS) if worst.apart else (FOLDERS, LEFTOVER, ONE_RANK),
        )

    def _evidence(self, case: Case, mixed: list[Mixture]) -> Iterator[Evidence]:
        curve = case.pulse
        if curve is None:
            return
        for each in mixed:
            during = (curve.wall_times >= each.first) & (curve.wall_times <= each.last)
            steps = curve.steps[during]
            if not len(steps):  # what was logged then is no longer part of the run
                steps = curve.steps[[int(np.abs(curve.wall_times - each.first).argmin())]]
            yield Evidence(
                tag=curve.tag,
                span=(int(steps.min()), int(steps.max())),
                note=" and ".join(each.files[:3]),
                measures=(
                    Measure("points", each.points, ">=", self.least),
                    Measure("seconds", each.last - each.first),
                    Measure("writers", each.writers),
                ),
            )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Files written at once and in turns; resumed, split and copied logs as traps."""
        both = Mixture(
            files=("a", "b"), writers=2, processes=True, first=100.0, last=300.0, points=400,
            tags=3, apart=False,
        )  # fmt: skip
        yield fires("two processes", _mixed(both))
        in_turns = Mixture(
            files=("a",), writers=2, processes=False, first=2.0, last=390.0, points=800, tags=1,
            apart=False,
        )  # fmt: skip
        yield fires("two writers in one file", _mixed(in_turns))
        ranks = Mixture(
            files=("a", "b", "c", "d"), writers=4, processes=True, first=2.0, last=390.0,
            points=800, tags=7, apart=True,
        )  # fmt: skip
        yield fires("one file per rank", _mixed(ranks))
        handed_over = Mixture(
            files=("a", "b"), writers=2, processes=True, first=100.0, last=104.0, points=4, tags=1,
            apart=False,
        )  # fmt: skip
        yield silent("handed over within seconds", _mixed(handed_over))
        yield silent("resumed", _mixed())
        yield silent("one file", a_run({Role.TRAIN_LOSS: decay(60, 2.3, 0.2)}))


def _told(mixture: Mixture, writings: tuple[Writing, ...]) -> str:
    time = spoken(mixture.last - mixture.first)
    many = f"{mixture.writers} {'processes' if mixture.processes else 'writers'}"
    hosts = {each.host for each in writings if each.file in mixture.files} - {""}
    where = f" on {len(hosts)} hosts" if len(hosts) > 1 else ""
    curves = "curve" if mixture.tags == 1 else f"{mixture.tags} curves"
    if mixture.apart:
        return f"{many}{where} logged trainings with the same {curves} into this folder at once for {time}"
    place = "one file" if len(mixture.files) == 1 else f"{len(mixture.files)} files"
    return f"{many}{where} logged the same {curves} into {place} of this run at once for {time}"


def _mixed(*mixtures: Mixture) -> Run:
    values = noisy(decay(400, 2.3, 0.2), 0.05)
    if any(not each.apart for each in mixtures):  # the points of another training in between
        values[100:300:2] = noisy(decay(100, 2.3, 0.8), 0.05)
    loss = at_times(Role.TRAIN_LOSS, values, range(1, 401))
    written = tuple(Writing(file=f, first=1.0, last=400.0, host="gpu1", process=7) for f in "ab")
    return a_run(
        {Role.TRAIN_LOSS: loss},
        provenance=Provenance(
            files=("a", "b"), points=400, writings=written, mixtures=tuple(mixtures)
        ),
    )
