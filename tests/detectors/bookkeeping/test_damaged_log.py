"""LOG003 beyond its samples."""

from __future__ import annotations

from tbdiag.case import Case
from tbdiag.detectors.bookkeeping.damaged_log import DamagedLog
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Damage, Provenance
from tbdiag.synth import a_run, decay


def found(*damages: Damage, **thresholds: int) -> list[Finding]:
    provenance = Provenance(points=60, damages=damages)
    run = a_run({Role.TRAIN_LOSS: decay(60, 2.3, 0.2)}, provenance=provenance)
    return list(DamagedLog(**thresholds).check(Case(run)))


def a_damage(file: str = "events", offset: int = 100, lost: int = 50) -> Damage:
    return Damage(file=file, offset=offset, lost=lost, reason="wrong checksum")


def test_place_loss_and_what_was_saved_are_told() -> None:
    (finding,) = found(a_damage(offset=1234, lost=5678))
    measures = {each.name: each.value for each in finding.evidence[0].measures}
    assert measures == {"offset": 1234, "lost_bytes": 5678, "saved_points": 60}
    assert "at byte 1,234: 5,678 bytes could not be read, 60 points were saved" in finding.message
    assert finding.evidence[0].note == "events: wrong checksum"


def test_all_damaged_files_of_a_run_are_one_finding() -> None:
    (finding,) = found(*(a_damage(f"events.{i}", lost=i + 1) for i in range(9)))
    assert finding.message.startswith("events.8 is damaged")
    assert "one of 9 files: 45 bytes" in finding.message
    assert len(finding.evidence) == DamagedLog().shown


def test_a_long_name_is_cut_at_its_start() -> None:
    (finding,) = found(a_damage("folder/" * 100 + "events.out"))
    assert len(finding.message) <= 200
    assert "events.out is damaged" in finding.message


def test_a_few_stray_bytes_can_be_tolerated() -> None:
    assert not found(a_damage(lost=50), least=51)
    assert found(a_damage(lost=51), least=51)
