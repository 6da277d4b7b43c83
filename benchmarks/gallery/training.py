"""One supervised training run: from a recipe to what was logged and how it really ended."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.gallery.log import Clock, Session
from benchmarks.gallery.recipe import Learner, Problem, Recipe, Rows
from benchmarks.gallery.schedules import Schedule

HISTOGRAM_RECORDS = 10
BAD_EPOCHS = 3  # epochs without a finite loss after which a run gives up
LEAST_LATE = 6  # evaluations of which the noise is taken at the least
STARTED = 1_700_000_000.0
LONGER = 1.5  # times as many epochs
LONGER_TELLS = ("test_tail", "test_noise", "val_tail", "nonfinite")  # of the outcome
Outcome = dict[str, Any]


@dataclass(slots=True)
class Course:
    """What a run was like from the outside: curves on held-out samples that are never logged."""

    test_loss: list[float]
    test_metric: list[float]
    val_loss: list[float]
    broke: bool = False

    def skip(self, validated: bool) -> None:
        """An epoch after which nothing was evaluated."""
        self.test_loss.append(math.nan)
        self.test_metric.append(math.nan)
        if validated:
            self.val_loss.append(math.nan)


def supervised(
    problem: Problem, recipe: Recipe, seed: int, *, longer: bool = False, logged: bool = True
) -> tuple[list[Session], Outcome]:
    """Train, and return what each process logged and the outcome.

    With `longer` the outcome also tells how the same run ends with half as many epochs more, its
    schedule stretched where it fitted the run. Where nothing is `logged`, the sessions are empty and
    evaluations begin when half of the run is over: of the outcome, what looks further back (the best)
    means nothing then.
    """
    sessions: list[Session] = []
    outcome: Outcome = {}
    for writer in range(recipe.writers):
        own = seed + 5000 * writer
        clock = Clock(STARTED + 17 * writer, problem.seconds, own)
        processes, outcome = _one(problem, recipe, own, clock, longer=longer, logged=logged)
        sessions += processes
    return sessions, outcome


def _one(
    problem: Problem, recipe: Recipe, seed: int, clock: Clock, *, longer: bool, logged: bool
) -> tuple[list[Session], Outcome]:
    learner: Learner = problem.make(recipe, seed)
    if recipe.pretrained:
        learner.adopt(_pretrained(problem, recipe, seed + 1))
    first = learner.evaluate("train")
    learner.zero()
    learner.backward(learner.order()[:: max(learner.samples // 64, 1)], 1.0, 1.0)
    start = learner.health()
    learner.zero()
    run = _Run(learner, recipe, seed, clock, logged)
    if recipe.resume_at is None or recipe.resume_from is None:
        last = recipe.epochs if recipe.stop_at is None else round(recipe.stop_at * recipe.epochs)
        sessions = [run.process(0, last)]
    else:
        kept, died = (round(at * recipe.epochs) for at in (recipe.resume_from, recipe.resume_at))
        saved: dict[str, Learner] = {}
        sessions = [
            run.process(0, died, at=kept, do=lambda: saved.update(it=copy.deepcopy(learner)))
        ]
        clock.now += 3600.0
        run.learner = saved.get("it", learner)
        sessions.append(run.process(kept, recipe.epochs))
    outcome = _outcome(run, first.loss, start)
    outcome["logged_nonfinite"] = any(session.nonfinite for session in sessions)
    outcome["chance"] = math.log(problem.classes) if problem.classes else None
    if longer:
        more = replace(recipe, epochs=math.ceil(recipe.epochs * LONGER))
        if _open_ended(recipe):
            if not run.course.broke:
                run.logged = False
                run.go_on(recipe.epochs, more.epochs)
            end = _outcome(run, first.loss, start)
        else:
            end = _one(problem, more, seed, clock, longer=False, logged=False)[1]
        outcome["longer"] = {name: end[name] for name in LONGER_TELLS}
    return sessions, outcome


def _open_ended(recipe: Recipe) -> bool:
    """Whether a longer run is this one and then some: nothing depends on where it ends."""
    return (
        recipe.schedule.partition(":")[0] in ("constant", "rises", "drops")
        and not recipe.warmup
        and recipe.jump_at is recipe.nan_at is recipe.stop_at is recipe.resume_at is None
    )


def _pretrained(problem: Problem, recipe: Recipe, seed: int) -> Learner:
    """A learner that has seen a noisier version of the data for some epochs."""
    basis = replace(
        recipe,
        pretrained=0,
        frozen="",
        noise_augmentation=0.3,
        train_noise=0.05 if problem.classes else 0.0,
        epochs=recipe.pretrained,
        rate=problem.recipe.rate,
    )
    run = _Run(problem.make(basis, seed), basis, seed, Clock(0.0, 0.0, seed))
    run.process(0, basis.epochs)
    return run.learner


class _Run:
    """The loop over epochs and batches."""

    def __init__(
        self, learner: Learner, recipe: Recipe, seed: int, clock: Clock, logged: bool = True
    ) -> None:
        self.learner, self.recipe, self.clock, self.seed = learner, recipe, clock, seed
        self.batches = recipe.epoch_steps or math.ceil(learner.samples / recipe.batch_size)
        self.total = recipe.epochs * self.batches
        self.schedule = Schedule(recipe, self.batches)
        self.course = Course([], [], [])
        self.rng = np.random.default_rng(seed)
        self.paused, self.logged = False, logged
        self.ratios: list[float] = []  # of damaged batches' losses to the ones before
        self.running: list[float] = []  # mean training loss over the batches of each epoch

    def process(
        self, first: int, last: int, at: int = -1, do: Callable[[], None] | None = None
    ) -> Session:
        """The epochs from `first` to before `last` as one process; calls `do` before epoch `at`."""
        self.rng = np.random.default_rng([self.seed, first])
        return self._epochs(first, last, at, do)

    def go_on(self, first: int, last: int) -> None:
        """More epochs of the same process, of which nothing is logged."""
        self._epochs(first, last, -1, None)

    def _epochs(self, first: int, last: int, at: int, do: Callable[[], None] | None) -> Session:
        session, step, bad = Session(), first * self.batches, 0
        records = set(np.linspace(0, self.total - 1, HISTOGRAM_RECORDS, dtype=int).tolist())
        for epoch in range(first, last):
            if epoch == at and do is not None:
                do()
            loss, metric, step = self._epoch(session, step, records)
            if self.logged:
                wall = self.clock.tick(self._slowness(step), 1.0 + 0.1 * self.batches)
                self._evaluate(session, step, epoch + 1, loss, metric, wall)
            elif self.recipe.eval_every > 1 or last - epoch <= max(last // 2, LEAST_LATE):
                self._evaluate(Session(), step, epoch + 1, loss, metric, 0.0)
            else:  # as many values as there are epochs, for windows are shares of them
                self.course.skip(self.recipe.val_size > 0)
            self.schedule.epoch_done(loss)
            self.running.append(loss)
            bad = 0 if math.isfinite(loss) else bad + 1
            if bad == BAD_EPOCHS:
                self.course.broke = True
                break
        return session

    def _epoch(self, session: Session, step: int, records: set[int]) -> tuple[float, float, int]:
        """Mean loss and metric over the batches of an epoch, and the next step."""
        recipe, learner = self.recipe, self.learner
        order = self.rng.permutation(learner.samples)
        if recipe.unshuffled:
            order = learner.order()
        if recipe.epoch_steps:
            order = order[: recipe.epoch_steps * recipe.batch_size]
        losses: list[float] = []
        metrics: list[float] = []
        sizes: list[int] = []
        for batch in np.array_split(order, self.batches):
            rate = self.schedule.rate(step)
            loss, metric, norm = self._step(batch, rate, step)
            if self._damaged and losses:
                self.ratios.append(loss / float(np.median(losses)))
            losses.append(loss)
            metrics.append(metric)
            sizes.append(len(batch))
            if not self.logged:
                learner.zero()
                step += 1
                continue
            wall = self.clock.tick(self._slowness(step))
            self._maybe_pause(step)
            if step % recipe.log_every == 0:
                shown = float(np.average(losses, weights=sizes)) if recipe.running_mean else loss
                session.scalar("batch_loss", step, shown, wall)
                session.scalar("rate", step, rate, wall)
                session.scalar("norm", step, norm, wall)
                if recipe.half:
                    session.scalar("loss_scale", step, learner.loss_scale, wall)
            if step in records:
                session.tensors(learner.tensors(), step, wall)
            learner.zero()
            step += 1
        self._last_rate = rate
        return (
            float(np.average(losses, weights=sizes)),
            float(np.average(metrics, weights=sizes)),
            step,
        )

    def _step(self, batch: Rows, rate: float, step: int) -> tuple[float, float, float]:
        recipe, learner = self.recipe, self.learner
        damage = 1.0
        if recipe.corrupt and self.rng.random() < recipe.corrupt and step > self.batches:
            damage = recipe.corrupt_by
        self._damaged = damage > 1.0
        if recipe.nan_at is not None and step == int(recipe.nan_at * self.total):
            damage = math.nan
        losses, metrics = [], []
        parts = np.array_split(batch, recipe.accumulate)
        for part in parts:
            loss, metric = learner.backward(part, 1.0 / recipe.accumulate, damage)
            losses.append(loss)
            metrics.append(metric)
        norm = learner.norm() if self.logged else math.nan
        if recipe.clip:
            learner.clip(recipe.clip)
        learner.apply(rate)
        # With accumulation the loss of the last part is what most loops log.
        return losses[-1], float(np.mean(metrics)), norm

    def _evaluate(
        self, session: Session, step: int, epoch: int, loss: float, metric: float, wall: float
    ) -> None:
        learner, recipe = self.learner, self.recipe
        session.scalar("epoch", step, epoch, wall, epoch)
        session.scalar("train_loss", step, loss, wall, epoch)
        session.scalar("rate_by_epoch", step, self._last_rate, wall, epoch)
        if math.isfinite(metric):
            session.scalar("train_metric", step, metric, wall, epoch)
        if recipe.val_size and epoch % recipe.eval_every == 0:
            scores = learner.evaluate("val")
            self.course.val_loss.append(scores.loss)
            session.scalar("val_loss", step, scores.loss, wall, epoch)
            session.scalar("val_metric", step, scores.metric, wall, epoch)
            if recipe.rare:
                session.scalar("val_balanced", step, scores.balanced, wall, epoch)
        test = learner.evaluate("test")
        self.course.test_loss.append(test.loss)
        self.course.test_metric.append(math.nan if test.metric is None else test.metric)

    def _slowness(self, step: int) -> float:
        done, slower = step / self.total, self.recipe.slower
        if self.recipe.slower_at_once:
            return slower if done > 0.5 else 1.0
        return 1.0 + (slower - 1.0) * done

    def _maybe_pause(self, step: int) -> None:
        if self.recipe.pause and not self.paused and step >= 0.6 * self.total:
            self.clock.now += self.recipe.pause
            self.paused = True


def _outcome(run: _Run, first_loss: float, start: dict[str, float]) -> Outcome:
    train, test = run.learner.evaluate("train"), run.learner.evaluate("test")
    course = run.course
    losses = np.asarray(course.test_loss)
    smooth = smoothed(losses)
    best = int(np.nanargmin(smooth)) if np.isfinite(smooth).any() else 0
    return {
        "first_loss": first_loss,
        "train_loss": train.loss,
        "train_metric": train.metric,
        "test_loss": test.loss,
        "test_metric": test.metric,
        "test_balanced": test.balanced,
        "test_best": float(smooth[best]),
        "test_best_at": (best + 1) / len(losses),
        "test_metric_at_best": course.test_metric[best],
        "test_tail": tail(losses),
        "test_noise": noise(losses),
        **_validated(np.asarray(course.val_loss)),
        "nonfinite": course.broke or not math.isfinite(test.loss),
        "train_running": tail(np.asarray(run.running)),
        "test_samples": run.learner.sizes["test"],
        "spikes": sum(ratio > 3.0 for ratio in run.ratios),
        "loss_scale": run.learner.loss_scale,
        "evaluations": len(course.val_loss),
        "epochs_run": len(losses),
        "start": start,
        "end": run.learner.health(),
    }


def _validated(losses: np.ndarray[Any, np.dtype[np.float64]]) -> Outcome:
    """The end and the best of the validation that was logged, None where there was none."""
    if len(losses) == 0 or not np.isfinite(losses).any():
        return {"val_tail": None, "val_best": None}
    return {"val_tail": tail(losses), "val_best": float(np.nanmin(smoothed(losses)))}


def smoothed(
    values: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A running median of three, so that a lucky epoch is no best value; ends as they are."""
    if len(values) < 3:
        return values
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], middle, values[-1:]])


def tail(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """The median of the last tenth, of three values at least."""
    return float(np.median(values[-max(len(values) // 10, 3) :]))


def noise(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Standard deviation about the trend in the last half, by second differences."""
    late = values[-max(len(values) // 2, LEAST_LATE) :]
    if len(late) < 5:
        return math.inf
    return float(np.std(np.diff(late, 2)) / math.sqrt(6))
