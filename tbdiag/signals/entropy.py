"""What a cross-entropy can be when nothing, or a certain share, is known."""

from __future__ import annotations

import math


def guessing(classes: int) -> float:
    """The loss in nats of spreading the belief evenly over ``classes`` ≥ 2 of them."""
    return math.log(classes)


def honest(share: float, classes: int) -> float:
    """The highest loss in nats of a calibrated classifier that is right in ``share`` of the cases.

    It trusts its choice as much as it deserves, and spreads the rest evenly over the others.
    """
    share = min(max(share, 1 / classes), 1 - 1e-9)
    return -share * math.log(share) - (1 - share) * (
        math.log(1 - share) - math.log(max(classes - 1, 1))
    )
