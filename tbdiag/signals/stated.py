"""Facts about the data and the recipe that a run states among its hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache

from tbdiag.model.run import HParam, Scalar

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
_AUGMENTS = re.compile(
    r"augment|mix_?up|cut_?mix|cut_?out|rand_?aug|auto_?aug|random_?(crop|erasing|flip|rotation)"
    r"|(horizontal|vertical|lr|ud)_?flip|color_?jitter|spec_?aug|random_?resized"
)
_ALGORITHM = ("clip_algorithm", "clip_type", "clip_mode")
_LONGEST = 200  # characters; a longer name is no setting


class Family(StrEnum):
    """A kind of optimizer with a usual size of the learning rate."""

    ADAM = "adam"
    MOMENTUM = "momentum"
    SGD = "sgd"

    @property
    def usual(self) -> float:
        """The rate at which it is tuned most often (the medians of a public sweep)."""
        return _USUAL[self]

    @property
    def phrase(self) -> str:
        """The optimizer in words, for sentences."""
        return _PHRASES[self]


_USUAL = {Family.ADAM: 3e-4, Family.MOMENTUM: 1e-2, Family.SGD: 4e-2}
_PHRASES = {
    Family.ADAM: "Adam",
    Family.MOMENTUM: "gradient descent with momentum",
    Family.SGD: "plain gradient descent",
}
_ADAMS = re.compile(
    r"(n|r|paged_)?adamw?(_?(torch|hf|bnb|apex|anyprecision|npu|xla|8bit|32bit|fused|amsgrad))*"
)
_PLAIN = re.compile(r"(sgd|gradient_?descent|vanilla_?sgd)")
_HEAVY = re.compile(r"(momentum|nesterov|(sgd|heavy_?ball)_?(with_?)?(momentum|nesterov)|sgdm)")


def stated_optimizer(name: Scalar, momentum: float | None) -> Family | None:
    """The family of the optimizer called ``name``, None where that has no usual rate or is unknown.

    A name may come with its module and the word optimizer (``torch.optim.SGD``, ``AdamOptimizer``).
    Gradient descent has ``momentum`` where a positive one is known, and is plain where it is
    known to be zero or was not stated.
    """
    if not isinstance(name, str) or len(name) > _LONGEST:
        return None
    last = re.split(r"[./:]", name.strip())[-1].lower().replace("-", "_")
    last = re.sub(r"_?optimi[sz]er$", "", last)
    if _ADAMS.fullmatch(last):
        return Family.ADAM
    if _HEAVY.fullmatch(last):
        return Family.MOMENTUM
    if _PLAIN.fullmatch(last):
        return Family.MOMENTUM if momentum is not None and momentum > 0 else Family.SGD
    return None


def stated_classes(hparams: Mapping[str, HParam]) -> int | None:
    """The number of classes, None where it is not stated."""
    return next(_counts(hparams, _CLASSES), None)


def stated_validation_size(hparams: Mapping[str, HParam]) -> int | None:
    """The number of validation samples, None where it is not stated or only as a share."""
    return next(_counts(hparams, _VALIDATION), None)


def stated_batch_sizes(hparams: Mapping[str, HParam]) -> tuple[int, ...]:
    """Every batch size that is stated, for training or evaluation."""
    return tuple(dict.fromkeys(_counts(hparams, _BATCHES)))


def clips_values(hparams: Mapping[str, HParam]) -> bool:
    """Whether the run states that it clips each component of the gradient, and not its norm."""
    return any(
        name[-_LONGEST:].lower().replace("-", "_").endswith(_ALGORITHM) and hparam.value == "value"
        for name, hparam in hparams.items()
    )


def stated_augmentation(hparams: Mapping[str, HParam]) -> str | None:
    """The name of a setting that says that training samples are changed or mixed, else None."""
    for name, hparam in hparams.items():
        words = name[-_LONGEST:].lower()
        off = hparam.value in (None, False, 0, "", "none", "None", "false", "False", "[]", "off")
        if not off and _AUGMENTS.search(words):
            return name
    return None


def _counts(hparams: Mapping[str, HParam], names: str) -> Iterator[int]:
    """The whole numbers above 1 under these names, whatever section they stand in."""
    for name, hparam in hparams.items():
        value = hparam.value
        if not _is_called(name, names) or isinstance(value, bool) or value is None:
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        if number.is_integer() and number > 1:
            yield int(number)


@lru_cache(maxsize=4096)  # the runs of a scan mostly have the same settings
def _is_called(name: str, names: str) -> bool:
    """Whether a setting has one of the ``names``, a pattern, whatever section it stands in."""
    last = re.split(r"[./:]", name[-_LONGEST:])[-1].lower().replace("-", "_")
    return re.fullmatch(names, last) is not None
