"""What shows that steps are too small, and what would have to be logged to see it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.optimization.signs.drift import (
    drifts,
    goes_on,
    stays_ahead,
    sure_gain,
)
from tbdiag.detectors.optimization.signs.on_rails import (
    began_on_rails,
    by_a_tenth,
    never_left_them,
    on_rails,
    rises,
)
from tbdiag.model.finding import Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.trend import kendall

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow


def unconfirmed(limits: LearningRateTooLow, case: Case) -> str | None:
    """Whether training alone looks like one whose steps are small, as many that are well do."""
    left, falling = share_left(case), case.headway.trend.tau
    course = case.course(Role.TRAIN_LOSS)
    if not limits.rest < left < 1 or (case.schedule and case.schedule.idle > limits.idle):
        return None
    if case.curve(Role.VAL_LOSS) is None:
        if falling > -limits.steady and case.headway.sure_drop <= limits.drop:
            return None
    elif rises(course, 0)[0] > limits.rises or falling > -limits.steady:
        return None
    return (
        f"the training loss still falls steadily with {left:.0%} of its first value left, and"
        f" fewer than {limits.evaluations} evaluations show whether that is held up: log the"
        " validation loss"
    )


def never_rose(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether validation fell at every step and has far to go, which healthy runs hardly ever do."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or not limits.evaluations <= len(val) <= limits.most:
        return False
    if not limits.rest < share_left(case) < 1 or float(np.diff(val.values).max()) > 0:
        return False
    even = case.paced(Role.VAL_LOSS)
    return kendall(even[len(even) // 2 :]) <= -limits.annealed


def hidden(limits: LearningRateTooLow, case: Case) -> str | None:
    """What was not logged, and would tell whether the steps are small."""
    batches = case.curve(Role.BATCH_LOSS)
    if batches is not None and batches.tag == case.the(Role.TRAIN_LOSS).tag:
        return (
            "validation never rose, but of training only single batches were logged, whose"
            " scatter hides that of the steps: log the mean loss of each epoch"
        )
    if case.schedule is None and case.number(Knob.LR) is None:
        return (
            "validation never rose, but neither the learning rate nor the settings were logged,"
            " so that a slow end may be the schedule's: log the learning rate"
        )
    return None


def unexplained(limits: LearningRateTooLow, case: Case) -> str | None:
    """A loss that goes on as it began, where nothing tells whether its steps were small or few."""
    if case.schedule is not None or case.number(Knob.LR) is not None:
        return None
    seen = case.headway
    if not limits.left < share_left(case) < 1 or seen.trend.tau > -limits.steady:
        return None
    if seen.sure_drop <= limits.drop or seen.ready <= 2 * limits.slow:
        return None
    if not _validation_gains(limits, case):
        return None
    return (
        f"the training loss still falls as it did, with {share_left(case):.0%} of its first value left, and"
        " neither the learning rate nor the settings tell whether its steps are small or few: log the"
        " learning rate, or run a few epochs at ten times of it"
    )


def seldom_rose(limits: LearningRateTooLow, case: Case) -> str | None:
    """Losses that fall on by the way of the rate, of which validation rose once or twice by chance."""
    course, val = case.schedule, case.curve(Role.VAL_LOSS)
    if val is None or rises(val, limits.evaluations)[0] > limits.seldom:
        return None
    if course is not None and (course.idle > limits.idle or course.shape is Shape.CYCLIC):
        return None
    if not share_left(case) < 1 or case.headway.trend.tau > -limits.steady:
        return None
    even = case.paced(Role.VAL_LOSS)
    if kendall(even[len(even) // 2 :]) > -limits.validated:
        return None
    return (
        "both losses still fall by the way that the rate allowed, and validation hardly ever rose: whether"
        " its steps are small, a few epochs at ten times the rate would tell"
    )


def share_left(case: Case) -> float:
    """The share of the first loss that is left; of the first point's where single batches began lower."""
    left = case.progress.left
    if left < 1:
        return left
    course = case.course(Role.TRAIN_LOSS).values
    return float(course[-1] / course[0]) if course[0] > 0 else left


def slow(limits: LearningRateTooLow, case: Case) -> Severity | None:
    """How grave it is that the loss crawls, None where it does not."""
    left = share_left(case)
    if not left < 1 or _known_otherwise(limits, case, left) or _memorises(limits, case):
        return None
    found = _slow(limits, case, left)
    if found is not None:
        return found
    if left > limits.stuck and began_on_rails(limits, case):
        return Severity.NOTE
    if never_left_them(limits, case):
        return Severity.NOTE
    if drifts(limits, case, left) is not None:
        return _confirmed(limits, case, left)
    if (goes_on(limits, case, left) or stays_ahead(limits, case, left)) and not _held_up(
        limits, case, left
    ):
        return Severity.NOTE
    return None


def _slow(limits: LearningRateTooLow, case: Case, left: float) -> Severity | None:
    rails = on_rails(limits, case)
    if not left > limits.far and len(case.the(Role.TRAIN_LOSS)) < limits.few and not rails:
        return None  # a few epochs are the likelier reason
    unscaled = _unscaled(limits, case)
    if not (limits.rest < left or unscaled):
        return None
    smooth = limits.severity if rails else _smooth(limits, case)
    if not smooth and not ((limits.left < left or unscaled) and _crawls(limits, case, left)):
        return None
    if not unscaled and _held_up(limits, case, left):
        return None
    if len(case.the(Role.TRAIN_LOSS)) < limits.few and not left > limits.nowhere:
        return Severity.NOTE
    return smooth or _confirmed(limits, case, left)


def _memorises(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether training stands so far below validation that its steps were long enough to learn by heart."""
    val, train = case.curve(Role.VAL_LOSS), median(tail(case.course(Role.TRAIN_LOSS).values))
    if val is None or len(val) < limits.points or not train > 0:
        return False
    return median(tail(val.values)) > math.exp(limits.memorised) * train


def _confirmed(limits: LearningRateTooLow, case: Case, left: float) -> Severity:
    """How grave a crawl is: a note of a few epochs, or of a loss that came far with nothing beside it."""
    val = case.curve(Role.VAL_LOSS)
    confirmed = left > limits.far or (val is not None and len(val) >= limits.evaluations)
    points = len(case.the(Role.TRAIN_LOSS))
    # Of a second half of seven points a trend means little where validation rose meanwhile.
    enough = left > limits.nowhere or points >= (
        limits.few if rises(val, 0)[1] == 0 else limits.sure_trend
    )
    return limits.severity if confirmed and enough else Severity.NOTE


def _unscaled(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether a loss that began anywhere, as that of a regression, has most of its way ahead.

    That little of a first loss is left means something only where it was the loss of guessing.
    """
    if case.curve(Role.TRAIN_METRIC) is not None or case.curve(Role.VAL_METRIC) is not None:
        return False
    return case.headway.sure_drop > limits.ample and case.headway.ready > limits.slow


def _known_otherwise(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether the settings, or a loss that was thrown up, tell another reason for a long way left."""
    course = case.schedule
    if case.bottleneck and case.accuracy(Role.TRAIN_METRIC) is not None:
        return True  # what so narrow a network leaves is not the rate's
    if course is not None and course.idle > limits.idle:
        return True
    values = case.course(Role.TRAIN_LOSS).values
    if float(values.max()) > limits.rose * min(float(values[0]), case.progress.first):
        return True  # small steps throw no loss up
    # What dropout holds up is no way left to go.
    return left < limits.far and (case.number(Knob.DROPOUT) or 0.0) >= limits.dropout


def _crawls(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether a loss that is not smooth falls steadily, slowly, and for long still."""
    seen, course, train = case.headway, case.schedule, case.the(Role.TRAIN_LOSS)
    lowered = course is not None and course.last < limits.spent * course.peak
    batches = len(train) > limits.most and case.curve(Role.VAL_LOSS) is not None
    if seen.trend.tau >= -(limits.annealed if lowered and not batches else limits.steady):
        return False
    if course is None and case.curve(Role.VAL_LOSS) is None and left < limits.far:
        return False  # the end of a schedule, or of what there is to learn: nobody knows
    # Without its course nothing tells a rate that is too low from a run that is too short.
    known = case.number(Knob.LR) is not None if course is None else course.shape is not Shape.CYCLIC
    far = known and seen.sure_drop > limits.drop and seen.ready > limits.slow
    silky = (
        seen.noise < limits.noiseless
        and seen.trend.tau < -limits.annealed
        and limits.stuck < left < limits.moved
    )
    found = silky or _hardly_moved(limits, case, left)
    return (found or (far and _validation_gains(limits, case))) and _calm(limits, case)


def _hardly_moved(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether a loss that falls has come nowhere, and validation with it."""
    seen = case.headway
    if not (left > limits.hardly and seen.sure_drop > 0):
        return False
    if seen.trend.tau >= -limits.annealed:
        return _validation_gains(limits, case)
    validation = _validation_tau(limits, case)
    return validation is None or validation < -limits.validated


def _held_up(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether layers that are not trained, or a plateau that it left, kept the loss up."""
    if any(len(each) > 2 and each.frozen for each in case.layers.kernels):
        return True
    first, steepest = _paces(case.course(Role.TRAIN_LOSS).values)
    return left < limits.far and steepest > max(limits.leaps, limits.faster * first)


def _calm(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether validation hardly rose under a schedule, or training where that is short."""
    val, batches, course = (
        case.curve(Role.VAL_LOSS),
        case.curve(Role.BATCH_LOSS),
        case.schedule,
    )
    if val is not None and len(val) >= limits.evaluations:
        early, whole = rises(val, limits.evaluations)
        calm = early <= limits.rises and whole <= limits.rises_at_all
        return calm or course is None or course.shape is Shape.CONSTANT
    if batches is not None and batches.tag == case.the(Role.TRAIN_LOSS).tag:
        return True  # what single batches scatter tells nothing
    return rises(case.course(Role.TRAIN_LOSS), 0)[0] <= limits.rises


def _smooth(limits: LearningRateTooLow, case: Case) -> Severity | None:
    """How surely both losses fell at every step of the first half with validation far from done.

    Steps as long as they may be make a validation loss jump about before the rate is lowered.
    """
    val, train = case.curve(Role.VAL_LOSS), case.course(Role.TRAIN_LOSS)
    if val is None or len(val) < limits.evaluations or len(val) > limits.most:
        return None
    if rises(val, 0)[0] > 0:
        return None
    even = case.paced(Role.VAL_LOSS)
    level = abs(median(tail(even)))
    if kendall(even[len(even) // 2 :]) > -limits.steady:
        return None
    ups = np.diff(val.values) > 0
    if float(np.mean(ups)) > limits.late_rises:
        return None
    batches = case.curve(Role.BATCH_LOSS)
    if batches is not None and batches.tag == case.the(Role.TRAIN_LOSS).tag:
        # What single batches scatter hides whether the steps do, but not how slow the start was.
        known = case.schedule is not None and case.progress.left < limits.tuned
        slow = known and by_a_tenth(batches) < limits.tenth
        return limits.severity if slow and sure_gain(even) > limits.sure_gain * level else None
    if rises(train, 0)[0] > 0:
        return None
    gain = sure_gain(even)
    fast = case.headway.ready <= limits.slow and gain <= limits.much * level
    if case.schedule is None and len(val) >= limits.whole:
        # Without the rate a schedule's end looks like arrival; what arrives wavers, though.
        moved = float(val.values[len(val) // 2] - val.values[-1]) / max(level, 1e-300)
        if np.any(ups):
            return None
        if np.any(np.diff(train.values) > 0) or fast:
            return Severity.NOTE if moved > limits.moves_far else None
        return limits.severity if moved > limits.moves else None
    if case.headway.trend.tau > -limits.steady or fast:
        return None  # it was there early; whole batches make any descent smooth
    return limits.severity if gain > limits.gains * level else None


def _validation_gains(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether validation falls with training, or nobody knows."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < limits.points:
        return True
    even = case.paced(Role.VAL_LOSS)
    level = abs(median(tail(even)))
    tau = _validation_tau(limits, case)
    steep = case.headway.sure_drop > limits.steep
    pays = (limits.little if steep else limits.pays) * level
    return tau is not None and tau < -limits.validated and sure_gain(even) > pays


def _validation_tau(limits: LearningRateTooLow, case: Case) -> float | None:
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < limits.points:
        return None
    even = case.paced(Role.VAL_LOSS)
    return kendall(even[len(even) // 2 :])


def _paces(values: Floats) -> tuple[float, float]:
    """The share of the fall of a loss (n,) in the first tenth of the run, and the largest in any later one."""
    tenth, fall = max(1, len(values) // 10), float(values[0] - values[-1])
    falls = values[tenth:-tenth] - values[2 * tenth :]
    if not len(falls) or fall <= 0:
        return 0.0, 0.0
    return float(values[0] - values[tenth]) / fall, float(falls.max()) / fall
