"""LOG003: an event file holds bytes that are no records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Damage, Provenance, Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, decay

_NAME_LENGTH = 60  # characters of a file's name that a message can hold

REMEDIES = (
    Remedy.advice(
        "Copy the file again from where it was written, and compare the checksums",
        "an interrupted or textual transfer is the usual cause",
    ),
    Remedy.advice(
        "Check the disk for errors and free space",
        "a full or failing disk leaves half-written blocks",
    ),
    Remedy.advice(
        "Let each process write a file of its own",
        "two writers with one file overwrite each other's records",
    ),
)


@dataclass(frozen=True, kw_only=True)
class DamagedLog(Detector):
    """An event file is damaged, and what follows the damage could not be read.

    ## What it does

    Names the event files with corrupt records, the byte at which reading stopped, what follows
    there, and what was saved.

    ## Why is this bad?

    The curves end, or have a hole, where the damage begins: what looks like a short or a stalled
    run may be a broken file. TensorBoard says nothing of it.

    ## How it is detected

    The reader checks the checksum of every record and stops at the first that fails. A file counts
    if `least` bytes or more could not be read; at most `shown` are listed.

    ## Remedy

    Copy the file again; if the original is damaged too, look at the disk and at who writes.

    ## False alarms

    A file that merely ends in the middle of a record belongs to a run that is still being written,
    or that was killed: nothing before the end is lost.

    ## References

    TensorFlow, "TFRecord and tf.train.Example", the format of a record.
    """

    code, severity, since = "LOG003", Severity.WARNING, "0.1.0"
    supervised = False

    least: Annotated[int, Threshold("unreadable bytes in a file that matter", at_least=1)] = 1
    shown: Annotated[int, Threshold("most damaged files listed as evidence", at_least=1)] = 5

    def check(self, case: Case) -> Iterator[Finding]:
        provenance = case.run.provenance
        damages = [each for each in provenance.damages if not each.torn and each.lost >= self.least]
        if not damages:
            return
        worst = max(damages, key=lambda each: each.lost)
        text = f"{worst.file[-_NAME_LENGTH:]} is damaged at byte {worst.offset:,}"
        if len(damages) > 1:
            text += f", one of {len(damages)} files"
        lost = sum(each.lost for each in damages)
        text += f": {lost:,} bytes could not be read, {provenance.points:,} points were saved"
        yield self.finding(
            text,
            *_evidence(case, damages[: self.shown]),
            confidence=Confidence.HIGH,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Corrupt files at the end, from the first byte on, and several; a torn tail as the trap."""
        corrupt = Damage(file="events.1", offset=41_208, lost=20_631, reason="wrong checksum")
        pointer = Damage(file="events.2", offset=0, lost=131, reason="a pointer to large storage")
        torn = Damage(file="events.3", offset=900, lost=17, reason="ends in a record", torn=True)
        yield fires("corrupt in the middle", _damaged(corrupt))
        yield fires("two files, one torn", _damaged(corrupt, torn))
        yield fires("several", _damaged(corrupt, pointer))
        yield fires("nothing saved", a_run({}, provenance=Provenance(damages=(pointer,))))
        yield silent("whole", a_run({Role.TRAIN_LOSS: decay(60, 2.3, 0.2)}))
        yield silent("torn tail of a live run", _damaged(torn))


def _evidence(case: Case, damages: list[Damage]) -> list[Evidence]:
    """One for each file, on the training loss or the longest curve; none where nothing was saved."""
    curve = case.curve(Role.TRAIN_LOSS) or case.curve(Role.BATCH_LOSS) or _longest(case.run)
    if curve is None or not len(curve):
        return []
    return [
        Evidence(
            tag=curve.tag,
            span=(int(curve.steps[0]), int(curve.steps[-1])),
            note=f"{each.file[-_NAME_LENGTH:]}: {each.reason}",
            measures=(
                Measure("offset", each.offset),
                Measure("lost_bytes", each.lost),
                Measure("saved_points", case.run.provenance.points),
            ),
        )
        for each in damages
    ]


def _longest(run: Run) -> Series | None:
    return max(run.series.values(), key=len, default=None)


def _damaged(*damages: Damage) -> Run:
    return a_run(
        {Role.TRAIN_LOSS: decay(60, 2.3, 0.2)},
        provenance=Provenance(
            files=tuple(each.file for each in damages), points=60, damages=damages
        ),
    )
