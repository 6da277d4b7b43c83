"""Facts about the data are found under the names that scripts give them."""

from __future__ import annotations

import pytest

from tbdiag.model.run import HParam, Scalar
from tbdiag.signals.stated import stated_batch_sizes, stated_classes, stated_validation_size


def hparams(**values: Scalar) -> dict[str, HParam]:
    return {name: HParam(value, "test") for name, value in values.items()}


@pytest.mark.parametrize(
    "name", ["num_classes", "model.num_classes", "model/n-classes", "num_labels", "vocab_size"]
)
def test_classes(name: str) -> None:
    assert stated_classes({name: HParam(10.0, "test")}) == 10


@pytest.mark.parametrize("name", ["val_size", "data.n_val", "num_val_samples", "validation-size"])
def test_validation_size(name: str) -> None:
    assert stated_validation_size({name: HParam("797", "test")}) == 797


@pytest.mark.parametrize("value", [0.2, 0, 1, -5, None, True, "a fifth", float("inf"), "nan"])
def test_what_is_no_count_is_not_one(value: Scalar) -> None:
    assert stated_validation_size(hparams(val_size=value)) is None


@pytest.mark.parametrize("name", ["val_loss", "image_size", "val_size_ratio", "classes_weight"])
def test_other_names_state_nothing(name: str) -> None:
    assert stated_validation_size({name: HParam(100, "test")}) is None
    assert stated_classes({name: HParam(100, "test")}) is None


def test_every_batch_size_counts_once() -> None:
    found = hparams(batch_size=64, lr=0.1, eval_batch_size=100, train_bs=64)
    assert stated_batch_sizes(found) == (64, 100)
