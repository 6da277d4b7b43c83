"""Facts about the data that a run states among its hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tbdiag.model.run import HParam

_CLASSES = (
    "num_classes|n_classes|nclasses|nb_classes|classes|num_labels|n_labels|vocab_size|n_vocab"
)
_VALIDATION = (
    "(n|num)_(val|valid|validation|eval)(_samples|_examples)?"
    "|(val|valid|validation|eval)_(size|samples|examples|set_size|dataset_size)"
)
_BATCHES = (
    "((val|valid|validation|eval|test|per_device_eval|per_device_train|train)_)?(batch_size|bs)"
)
_LONGEST = 200  # characters; a longer name is no setting


def stated_classes(hparams: Mapping[str, HParam]) -> int | None:
    """The number of classes, None where it is not stated."""
    return next(_counts(hparams, _CLASSES), None)


def stated_validation_size(hparams: Mapping[str, HParam]) -> int | None:
    """The number of validation samples, None where it is not stated or only as a share."""
    return next(_counts(hparams, _VALIDATION), None)


def stated_batch_sizes(hparams: Mapping[str, HParam]) -> tuple[int, ...]:
    """Every batch size that is stated, for training or evaluation."""
    return tuple(dict.fromkeys(_counts(hparams, _BATCHES)))


def _counts(hparams: Mapping[str, HParam], names: str) -> Iterator[int]:
    """The whole numbers above 1 under these names, whatever section they stand in."""
    pattern = re.compile(names)
    for name, hparam in hparams.items():
        last = re.split(r"[./:]", name[-_LONGEST:])[-1].lower().replace("-", "_")
        value = hparam.value
        if not pattern.fullmatch(last) or isinstance(value, bool) or value is None:
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        if number.is_integer() and number > 1:
            yield int(number)
