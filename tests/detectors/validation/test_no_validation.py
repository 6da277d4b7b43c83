"""VAL005 beyond its samples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tbdiag.case import Case
from tbdiag.detectors.validation.no_validation import NoValidation
from tbdiag.model.role import Role, RoleMap
from tbdiag.synth import a_run, decay

TRAIN = {Role.TRAIN_LOSS: decay(60, 2.3, 0.1)}


@pytest.mark.parametrize("role", [Role.VAL_LOSS, Role.VAL_METRIC, Role.BALANCED_METRIC])
def test_tags_that_may_be_validation_count_as_such(role: Role) -> None:
    run = a_run(TRAIN)
    roles = RoleMap(bound=run.roles.bound, ambiguous={role: ("a", "b")})
    assert not list(NoValidation().check(Case(run.with_roles(roles))))


@pytest.mark.parametrize("tag", ["validLoss", "Eval/bleu", "test_perplexity", "dev-f1", "v/val"])
def test_a_tag_that_names_validation_is_enough(tag: str) -> None:
    assert not list(NoValidation().check(Case(a_run(TRAIN, extra={tag: [1.0, 2.0]}))))


@pytest.mark.parametrize("tag", ["interval", "latest/step", "devices", "evaluations_per_second"])
def test_words_that_only_contain_one_are_no_validation(tag: str) -> None:
    assert list(NoValidation().check(Case(a_run(TRAIN, extra={tag: [1.0, 2.0]}))))


def test_the_longer_of_two_training_curves_is_shown() -> None:
    run = a_run({Role.TRAIN_LOSS: decay(5, 2, 1), Role.BATCH_LOSS: decay(400, 2, 1)})
    (finding,) = NoValidation().check(Case(run))
    assert finding.evidence[0].tag == run.roles.bound[Role.BATCH_LOSS].tag
    assert "400 points" in finding.message


def test_a_validation_tag_without_points_is_still_a_plan() -> None:
    run = a_run({**TRAIN, Role.VAL_LOSS: [float("nan")] * 3})
    assert not list(NoValidation().check(Case(run)))
    assert list(
        NoValidation().check(
            Case(
                replace(
                    run,
                    series={"loss/train": run.series["loss/train"]},
                    roles=RoleMap(bound={Role.TRAIN_LOSS: run.roles.bound[Role.TRAIN_LOSS]}),
                )
            )
        )
    )
