"""What shows that steps are too large, one sign at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.model.finding import Measure
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise, wavering
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.stated import Family
from tbdiag.signals.trend import kendall, theil_sen
from tbdiag.signals.turning import Relapse
from tbdiag.signals.updates import rate_at

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh

_USUAL_MOMENTUM, _MOST_MOMENTUM = 0.9, 0.999
_SEVERAL = 2.0  # points in a block of which medians are taken
_OF_MEDIANS = 1.25  # standard error of a median, in that of a mean


@dataclass(frozen=True, slots=True)
class Symptom:
    """One sign of a rate that is too high; ``weight`` 2 is enough alone."""

    text: str
    measure: Measure
    weight: int = 1


def symptoms(limits: LearningRateTooHigh, case: Case) -> Iterator[Symptom | None]:
    """Every sign that a rate is too high, None for those that do not show."""
    trends = len(case.the(Role.TRAIN_LOSS)) >= limits.trends
    if trends:
        yield from _of_its_end(limits, case)
    yield _relapse(limits, case)
    yield _fall_after_cut(limits, case) if trends else None
    yield _early_blow_up(limits, case)
    if trends:
        yield _held_up(limits, case)
        yield _standstill(limits, case)
        yield _wanders(limits, case)
        yield _unsteady(limits, case)
        yield _rose_first(limits, case)
    yield from _unheard(limits, case)


def _of_its_end(limits: LearningRateTooHigh, case: Case) -> Iterator[Symptom]:
    """A loss that bounces, ends above its best, or climbs."""
    seen = case.progress
    high = seen.left > limits.left or _hovers(limits, case)
    bouncing = seen.noise > max(limits.noise, limits.beyond * _sampled(case))
    lost = seen.trend.tau > limits.lost_trend and high and bouncing
    if lost and not _settles(limits, case) and not _of_batches(limits, case):
        measure = Measure("tau", seen.trend.tau, ">", limits.lost_trend)
        yield Symptom(
            f"the loss bounces by {_share(seen.noise)} without falling in the second half",
            measure,
            2 if _by_the_rate_alone(limits, case) else 1,
        )
        if seen.ready < limits.early:
            measure = Measure("ready", seen.ready, "<", limits.early)
            yield Symptom(f"its fall was over after {seen.ready:.0%} of the run", measure)
    over = seen.last / seen.best if seen.best > 0 else float("nan")
    above = over - 1 > max(limits.above_best - 1, limits.beyond * _sampled(case))
    if above and seen.regained > limits.regained and seen.left > limits.left / 2:
        measure = Measure("above_best", over, ">", limits.above_best)
        yield Symptom(f"it ends {_share(over - 1)} above its best", measure)
    if seen.trend.tau > limits.climbing and seen.regained > limits.regained:
        measure = Measure("climb", seen.trend.tau, ">", limits.climbing)
        yield Symptom("it climbs through the second half", measure)


def _by_the_rate_alone(limits: LearningRateTooHigh, case: Case) -> bool:
    """Whether means over epochs bounce at a rate that was never lowered, and no dropout makes them.

    Under a schedule what bounces at the end is the sample, for the rate is small by then.
    """
    course, batch = case.schedule, case.curve(Role.BATCH_LOSS)
    if course is None or course.shape is not Shape.CONSTANT:
        return False
    if case.progress.noise <= limits.shaken or not case.progress.left > limits.unsettled:
        return False
    lone = batch is not None and batch.tag == case.the(Role.TRAIN_LOSS).tag
    return not lone and (case.number(Knob.DROPOUT) or 0.0) < limits.dropout


def _of_batches(limits: LearningRateTooHigh, case: Case) -> bool:
    """Whether the loss bounces on as before where the rate was all but gone, as batches scatter."""
    course, values = case.schedule, case.course(Role.TRAIN_LOSS).values
    if course is None or course.shape is not Shape.DECAYING or len(values) < limits.end:
        return False
    if course.idle > limits.idle:
        return True  # there was no rate to bounce under
    late = values[-len(values) // 8 :]
    if (
        rate_at(
            case.course(Role.TRAIN_LOSS).steps[-len(late) :], case.the(Role.LEARNING_RATE)
        ).max()
        > limits.gone * course.peak
    ):
        return False
    return noise(late) / max(abs(median(late)), 1e-300) > limits.bounces_on * case.progress.noise


def _settles(limits: LearningRateTooHigh, case: Case) -> bool:
    """Whether validation falls steadily while training bounces, as under dropout or by few batches."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < limits.evaluations:
        return False
    values = case.thinned(val).values
    return kendall(values[len(values) // 2 :]) < -limits.settles


def _unheard(limits: LearningRateTooHigh, case: Case) -> Iterator[Symptom]:
    """A rate that no network is known to bear, and that this one shows a trace of."""
    rate, kind, course = case.number(Knob.LR), case.optimizer, case.curve(Role.LEARNING_RATE)
    if rate is None or kind is None:
        return
    if course is not None and len(course) > 3:  # a short bump does no lasting harm
        rate = float(np.quantile(course.values, 1 - limits.lasting))
    borne = {Family.ADAM: limits.adam, Family.MOMENTUM: limits.momentum, Family.SGD: limits.plain}
    if kind is Family.MOMENTUM:
        rate /= 1 - min(case.number(Knob.MOMENTUM) or _USUAL_MOMENTUM, _MOST_MOMENTUM)
    most = borne[kind] * (limits.unscaled_bear if _unscaled(limits, case) else 1.0)
    if rate < most:
        return
    over = " over 1 − momentum" if kind is Family.MOMENTUM else ""
    text = f"{rate:.3g}{over} is far above what {kind.phrase} is known to bear"
    yield Symptom(text, Measure("rate", rate, ">=", most))
    sign = trace(limits, case)
    if sign is not None:
        yield sign


def _unscaled(limits: LearningRateTooHigh, case: Case) -> bool:
    """Whether targets are so large that weights, and so rates, have to be: a regression's loss tells."""
    return not _measured(case) and case.progress.first > limits.unscaled


def _hovers(limits: LearningRateTooHigh, case: Case) -> bool:
    """Whether a loss bounces at a constant rate whose first value, as that of a regression, tells nothing."""
    course = case.schedule
    if course is None or course.shape is not Shape.CONSTANT or _measured(case):
        return False
    return 0 < case.progress.left < 1 and case.progress.noise > limits.wavers


def _measured(case: Case) -> bool:
    """Whether a metric was logged beside the loss."""
    return case.curve(Role.TRAIN_METRIC) is not None or case.curve(Role.VAL_METRIC) is not None


def trace(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """What would be no sign by itself."""
    seen, batch = case.progress, case.curve(Role.BATCH_LOSS)
    if batch is not None and len(batch) >= limits.trends and batch.values[0] > 0:
        top = float(batch.values[: limits.batches].max()) / float(batch.values[0])
        if limits.rises < top <= limits.blow_up:
            text = f"the loss per batch first rose {top:.2g}-fold"
            return Symptom(text, Measure("rise", top, ">", limits.rises))
    still = case.standstill
    if still is not None and still.within(limits.stands, limits.stands, limits.stands):
        text = "both losses stand beside each other"
        return Symptom(text, Measure("opened", abs(still.opened), "<", limits.stands))
    if seen.left > limits.left:
        text = f"{seen.left:.0%} of the first loss is left"
        return Symptom(text, Measure("still_left", seen.left, ">", limits.left))
    course = case.course(Role.TRAIN_LOSS).values
    early = wavering(np.log(np.maximum(course[: len(course) // 2], 1e-300)))
    if early > limits.wavers:
        text = f"the loss wavers by {_share(early)} in the first half"
        return Symptom(text, Measure("wavering", early, ">", limits.wavers))
    if seen.trend.tau > limits.lost_trend and seen.left > limits.left / 2:
        text = "the loss no longer falls in the second half"
        return Symptom(text, Measure("tau", seen.trend.tau, ">", limits.lost_trend))
    return relapsed(limits, case)


def relapsed(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """A validation loss that ends far above its best, which no sign is by itself."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < 8:
        return None
    turn = case.turn(Role.VAL_LOSS)
    if not turn.value > 0 or turn.end <= limits.relapses * turn.value:
        return None
    text = f"the validation loss ends {_share(turn.end / turn.value - 1)} above its best"
    return Symptom(text, Measure("over", turn.end / turn.value, ">", limits.relapses))


def _relapse(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """What was learned in the first steps and lost, for good or for half of the run."""
    # Where the loss came far down, an accuracy that falls was that of the most frequent class.
    if not case.progress.left > limits.unsettled:
        return None
    for name, seen in (("lost", case.relapse), ("set_back", case.set_back)):
        if seen is not None and seen.beyond(max(limits.lost, _by_chance(limits, case, seen))):
            how = "fell" if name == "lost" else "was set back"
            text = (
                f"the {seen.role.phrase} {how} from {seen.then:.1%} at step {seen.step:,} to"
                f" {seen.now:.1%}"
            )
            return Symptom(text, Measure(name, seen.then - seen.now, ">", limits.lost), 2)
    return None


def _by_chance(limits: LearningRateTooHigh, case: Case, seen: Relapse) -> float:
    """How much of an accuracy few validation samples make and lose by chance, 0 where they are not known."""
    size = case.validation_size() if seen.role is Role.VAL_METRIC else None
    if size is None:
        return 0.0
    return limits.strays * math.sqrt(2 * seen.then * (1 - seen.then) / size.most)


def _fall_after_cut(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    curve = case.course(Role.TRAIN_LOSS)
    rate = case.curve(Role.LEARNING_RATE)
    if rate is None or case.schedule is None:
        return None
    for step in case.schedule.changes:
        changed = int(np.searchsorted(rate.steps, step))
        if rate.values[changed] > limits.cut * rate.values[changed - 1]:
            continue  # the end of a smooth decay, not a cut
        at = int(np.searchsorted(curve.steps, step))
        window = max(3, len(curve) // 20)
        if at < 2 * window or at + window > len(curve):
            continue
        before = curve.values[at - 2 * window : at]
        after = median(curve.values[at + 1 : at + 1 + window])
        fall = 1 - after / median(before[window:])
        sure = limits.sure * noise(before) / (window**0.5 * max(median(before[window:]), 1e-300))
        if fall > max(limits.drop, sure) and kendall(before) > limits.lost_trend:
            text = f"the loss fell by {fall:.0%} right after the rate was cut at step {step:,}"
            return Symptom(text, Measure("drop", fall, ">", limits.drop))
    return None


def _early_blow_up(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    batch = case.curve(Role.BATCH_LOSS)
    if batch is None or len(batch) < limits.trends:
        return None
    at_once = float(batch.values[1 : limits.steps].max())
    if at_once > limits.thrown * float(batch.values[0]) > 0:
        # No batch is so far from others, nor does any but the very first steps reach so far.
        text = f"the loss per batch rose {at_once / float(batch.values[0]):,.3g}-fold at one of its first steps"
        return Symptom(
            text, Measure("thrown", at_once / float(batch.values[0]), ">", limits.thrown), 2
        )
    first = median(batch.values[:3])
    if first > limits.blow_up * batch.values[0] > 0:
        first = float(batch.values[0])  # it rose with the very first steps
    early = running_median(batch.values[: limits.batches], 3)  # one batch alone is an outlier
    top = float(early.max()) / first if first > 0 else 0.0
    if top <= limits.blow_up:
        return None
    exploded = top > limits.explosion and case.progress.left > limits.left
    return Symptom(
        f"the loss per batch first rose {top:,.3g}-fold",
        Measure("blow_up", top, ">", limits.blow_up),
        2 if exploded else 1,
    )


def _held_up(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """A loss that fell at once, stood while the rate was high, and fell again as that went down."""
    rate, curve = case.curve(Role.LEARNING_RATE), case.course(Role.TRAIN_LOSS)
    if rate is None or len(rate) < 2 or case.schedule is None or curve.values.min() <= 0:
        return None
    if case.schedule.shape is not Shape.DECAYING or len(curve) < limits.trends - 2:
        return None
    rates, values = rate_at(curve.steps, rate), curve.values
    lowered = np.flatnonzero(rates < 0.5 * rates.max())
    since, until = max(1, len(values) // 10), int(lowered[0]) if len(lowered) else len(values)
    if min(until - since, len(values) - until) < 5:
        return None
    held, later = values[since:until], values[until:]
    slope = theil_sen(np.arange(len(held), dtype=np.float64), held / median(held)).median
    level, start = median(tail(held, 0.3)), case.progress.first
    fall = 1 - median(tail(later)) / level
    stood = kendall(held) > -limits.falls and -slope * len(held) < fall
    came_down = level < (1 - limits.at_once) * start and level > limits.left * start
    if not (stood and came_down and fall > limits.freed and kendall(later) < -limits.falls):
        return None
    text = (
        f"the loss stood at {level:.3g} while the rate was high, and fell by {fall:.0%} as it"
        " was lowered"
    )
    return Symptom(text, Measure("freed", fall, ">", limits.freed), 2)


def _standstill(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    seen = case.progress
    still = abs(seen.drop) < limits.frozen and seen.noise < limits.frozen
    if not (still and limits.stuck_left < seen.left < 1 and seen.ready < limits.early):
        return None
    if case.schedule is not None and case.schedule.idle > 0.5:
        return None  # there was no rate to stand still under
    if seen.left > 1 - limits.at_once or case.accuracy(Role.VAL_METRIC) is not None:
        return None  # it hardly fell, or the accuracy tells better what is the matter
    width = case.number(Knob.WIDTH)
    if _strongly_decayed(limits, case) or (width is not None and width <= limits.tiny):
        return None
    text = f"it fell at once to {seen.left:.0%} of its first value and has stood still since"
    return Symptom(text, Measure("left", seen.left, ">", limits.stuck_left), 2)


def _wanders(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """A validation loss that jumps by more than it gains for as long as the rate is high."""
    curve = case.curve(Role.VAL_LOSS)
    if curve is None or len(curve) < limits.several or not case.progress.left > limits.left:
        return None
    values = case.thinned(curve).values
    early, level = values[: len(values) // 2], median(tail(values))
    jumps, fall = noise(early), abs(float(values[0]) - level)
    best = case.turn(Role.VAL_LOSS).value
    if level - best > max((limits.relapses - 1) * best, limits.climbed * jumps):
        # What it learned by heart since is no part of what it lost; the best of few jumps is luck.
        fall = max(fall, float(values[0]) - best)
    if jumps <= limits.shakes * abs(level) or jumps <= limits.wanders * fall:
        return None
    text = (
        f"the validation loss jumps by {_share(jumps / max(abs(level), 1e-300))} in the first"
        f" half, where the whole run moved it by {fall:.2g}"
    )
    return Symptom(text, Measure("wanders", jumps / max(fall, 1e-300), ">", limits.wanders), 2)


def _unsteady(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """Both losses that waver by a good part of their level early, or validation that does so late, and rose."""
    curve = case.curve(Role.VAL_LOSS)
    if curve is None or len(curve) < limits.evaluations or not curve.values.min() > 0:
        return None
    logs = np.log(case.thinned(curve).values)
    half = len(logs) // 2
    steps = logs[1:] - logs[:-1]
    if math.sqrt(float(steps @ steps) / len(steps)) < limits.restless / 2:
        return None
    early, late = wavering(logs[:half]), wavering(logs[half:])
    wild = early > limits.unsteady
    if wild and case.course(Role.TRAIN_LOSS).values.min() > 0:
        course = np.log(case.course(Role.TRAIN_LOSS).values)
        both = min(early, wavering(course[: len(course) // 2]))
        if both > limits.unsteady:
            text = f"training and validation loss waver by {_share(both)} in the first half"
            return Symptom(text, Measure("unsteady", both, ">", limits.unsteady), 2)
    turn = case.turn(Role.VAL_LOSS)
    constant = case.schedule is not None and case.schedule.shape is Shape.CONSTANT
    lifted = turn.end > limits.lifted * turn.value
    if late > limits.restless and (lifted or constant):
        text = f"the validation loss wavers by {_share(late)} in the second half"
        if lifted:
            text += f" and ends {_share(turn.end / turn.value - 1)} above its best"
        return Symptom(text, Measure("restless", late, ">", limits.restless), 2)
    if not wild:
        return None
    text = f"the validation loss wavers by {_share(early)} in the first half"
    return Symptom(text, Measure("unsteady", early, ">", limits.unsteady))


def _rose_first(limits: LearningRateTooHigh, case: Case) -> Symptom | None:
    """A training loss by the epoch that rose before it fell, which only steps that are too long do."""
    curve, course = case.course(Role.TRAIN_LOSS), case.schedule
    batch = case.curve(Role.BATCH_LOSS)
    if batch is not None and batch.tag == case.the(Role.TRAIN_LOSS).tag:
        return None  # of single batches one is easier than another
    early = curve.values[: max(3, len(curve) // 5)]
    rose = float(early.max()) / float(early[0]) if early[0] > 0 else 0.0
    if rose <= limits.rises_first:
        return None
    steps = case.training.steps
    if course is not None and course.warm_up_end > steps[0] + (steps[-1] - steps[0]) / 10:
        return None  # the rate was raised meanwhile
    text = f"the training loss first rose {rose:.2g}-fold"
    return Symptom(text, Measure("rose_first", rose, ">", limits.rises_first))


def _strongly_decayed(limits: LearningRateTooHigh, case: Case) -> bool:
    decay = case.number(Knob.WEIGHT_DECAY)
    return decay is not None and decay >= limits.strong_decay


def _sampled(case: Case) -> float:
    """The noise that batches explain where a loss per batch is all there is, relative to its level."""
    train, batch, course = (
        case.the(Role.TRAIN_LOSS),
        case.curve(Role.BATCH_LOSS),
        case.course(Role.TRAIN_LOSS),
    )
    each = len(train) / max(len(course), 1)
    if batch is None or batch.tag != train.tag or each < _SEVERAL:
        return 0.0
    late = train.values[len(train) // 2 :]
    return float(_OF_MEDIANS * noise(late) / max(abs(median(late)), 1e-300) / each**0.5)


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 10 else f"{value:,.3g} times its level"
