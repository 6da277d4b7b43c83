"""In real event files the losses are the tags that a person labelled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
LABELS = CORPUS / "labels.json"
LABELLED: dict[str, Any] = json.loads(LABELS.read_text()) if LABELS.exists() else {}
FOLDERS = ("train", "validation", "val", "test", "eval")


def a_recorded_run(path: Path) -> dict[str, Series]:
    """The scalars of one event file, the later of two points at one step."""
    accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    folder = f"{path.parent.name}/" if path.parent.name in FOLDERS else ""
    run = {}
    for tag in accumulator.Tags()["scalars"]:
        points = {event.step: event for event in accumulator.Scalars(tag)}
        events = [points[step] for step in sorted(points)]
        run[folder + tag] = Series.of(
            folder + tag,
            [event.step for event in events],
            [event.value for event in events],
            [event.wall_time for event in events],
        )
    return run


@pytest.mark.skipif(not LABELLED, reason=f"no labelled runs at {CORPUS}")
@pytest.mark.filterwarnings("ignore")  # TensorBoard's own
@pytest.mark.parametrize("file", LABELLED)
def test_the_losses_are_those_that_a_person_labelled(file: str) -> None:
    label = LABELLED[file]
    found = bind(a_recorded_run(CORPUS / file))
    kinds = {entry["label"] for entry in label["labels"]}
    for role, tags in ((Role.TRAIN_LOSS, label["train_tags"]), (Role.VAL_LOSS, label["val_tags"])):
        tag = found.bound[role].tag if role in found.bound else None
        bare = tag and tag.removeprefix("validation/")
        if "other_rl" in kinds:
            assert tag is None
        elif "other_mislabelled" in kinds:
            assert bare not in tags
            assert {Role.TRAIN_METRIC, Role.VAL_METRIC} <= set(found.bound)
        else:
            assert bare in (tags or [None])
    if "other_rl" in kinds:
        assert found.bound[Role.REWARD].tag in label["metric_tags"]
    assert not found.ambiguous
