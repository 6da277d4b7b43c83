"""By how much the policy moves a setting: the magnitudes that won."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """Magnitudes measured on twelve small tasks times eight bad starts.

    ``anchors`` are usual peak rates by kind of optimizer for runs of less than ``short`` seconds,
    ``anchors_large`` for longer ones. Of a range (least, most) the anchor decides what lies between.
    """

    anchors: Mapping[str, float] = field(
        default_factory=lambda: {"sgd": 0.2, "momentum": 0.03, "adam": 3e-3}
    )
    anchors_large: Mapping[str, float] = field(
        default_factory=lambda: {"sgd": 0.04, "momentum": 0.01, "adam": 3e-4}
    )
    short: float = 900.0
    rate_step: tuple[float, float] = (4.0, 30.0)  # a rate known to be wrong
    rate_with_schedule: float = 1.7  # up, where a decay to zero comes in
    decay_up: float = 10.0
    decay_down: float = 30.0
    first_decay: float = 1e-3  # where there was none
    first_decay_decoupled: float = 0.05
    dropout_up: float = 0.2
    dropout_down: float = 0.4
    most_dropout: float = 0.5
    smoothing: float = 0.1
    decoupled: float = (
        20.0  # times the decay in the gradient, one that is apart from it does as much
    )
    coupled: float = 10.0  # at most, decay of AdamW against a change of the rate
    jitter: float = 0.5  # standard deviation of the logarithm
    repeated: float = 3.0  # at most, a move that paid once more
