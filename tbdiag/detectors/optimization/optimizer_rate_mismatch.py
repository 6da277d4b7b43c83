"""OPT010: the rate is of another optimizer's size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.signals.stated import Family
from tbdiag.synth import a_run, decay, flat, noisy


@dataclass(frozen=True, kw_only=True)
class OptimizerRateMismatch(Detector):
    """The learning rate is far outside the band that is usual for the optimizer, and the run suffers.

    ## What it does

    Where another rule has found that a run learns too slowly, too wildly or not at all, compares its
    rate with those at which its optimizer usually works.

    ## Why is this bad?

    The rates of optimizers differ by decades: Adam divides by the size of the gradient, plain
    gradient descent does not. A rate that was carried over from another optimizer is off by as much.

    ## How it is detected

    One of OPT001 to OPT004 has fired, and the rate's peak lies `decades` or more outside the usual
    band: `adam_low` to `adam_high` for Adam and its kin, `momentum_low` to `momentum_high` with
    momentum, `sgd_low` to `sgd_high` for plain gradient descent.

    ## Remedy

    The rate at which the optimizer is usually tuned: 3e-4 for Adam, 1e-2 with momentum, 4e-2 without.

    ## False alarms

    Batch size, normalisation and the size of a network move the band, so an unusual rate alone says
    nothing: the rule is asked only where the curves show that something is wrong. Optimizers that it
    does not know are left alone.

    ## References

    The median of tuned rates in the learning-rate sweep of DeepOBS (Schneider et al., 2019).
    """

    code, severity, since = "OPT010", Severity.NOTE, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    amid = ("OPT001", "OPT002", "OPT003", "OPT004", "OPT008")

    decades: Annotated[float, Threshold("distance from the band in decades", at_least=0)] = 1.5
    adam_low: Annotated[float, Threshold("lower end of Adam's band", above=0)] = 1e-4
    adam_high: Annotated[float, Threshold("upper end of Adam's band", above=0)] = 1e-3
    momentum_low: Annotated[float, Threshold("lower end with momentum", above=0)] = 1e-3
    momentum_high: Annotated[float, Threshold("upper end with momentum", above=0)] = 1e-1
    sgd_low: Annotated[float, Threshold("lower end without momentum", above=0)] = 1e-2
    sgd_high: Annotated[float, Threshold("upper end without momentum", above=0)] = 1e-1

    def cannot_tell(self, case: Case) -> str | None:
        """Both the optimizer and its rate have to be known."""
        rate = case.number(Knob.LR)
        if rate is None or rate <= 0:
            return "the learning rate is not known; log it, or the hyperparameters"
        if case.optimizer is None:
            return (
                "the optimizer is not known, or is none with a usual rate; log the hyperparameters"
            )
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the rate is of another size."""
        optimizer, rate = case.optimizer, case.number(Knob.LR)
        assert optimizer is not None
        assert rate is not None
        low, high = self._band(optimizer)
        away = max(math.log10(low / rate), math.log10(rate / high))
        if away < self.decades:
            return
        curve = case.the(Role.TRAIN_LOSS)
        usual = optimizer.usual
        yield self.finding(
            f"a learning rate of {rate:.3g} is {away:.1f} decades {'above' if rate > high else 'below'}"
            f" what is usual for {optimizer.phrase} ({low:g} to {high:g})",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[0]), int(curve.steps[-1])),
                note="suffers from the rate",
                measures=(Measure("decades", away, ">=", self.decades),),
            ),
            confidence=Confidence.MEDIUM,
            remedies=(
                Remedy.turn(
                    Knob.LR,
                    SetTo(usual),
                    f"Set the learning rate to {usual:g}",
                    f"that is where {optimizer.phrase} is tuned most often",
                ),
            ),
        )

    def _band(self, optimizer: Family) -> tuple[float, float]:
        return {
            Family.ADAM: (self.adam_low, self.adam_high),
            Family.MOMENTUM: (self.momentum_low, self.momentum_high),
            Family.SGD: (self.sgd_low, self.sgd_high),
        }[optimizer]

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Rates of another optimizer's size; unusual rates that work as traps."""
        bounces = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 40), 0.12)}
        crawls = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 0.5), 0.003)}
        yield fires(
            "Adam with a rate of plain gradient descent",
            a_run(bounces, hparams={"optimizer": "Adam", "lr": 0.1}),
        )
        yield fires(
            "plain gradient descent with Adam's",
            a_run(crawls, hparams={"optimizer": "sgd", "lr": 1e-4, "momentum": 0.0}),
        )
        yield fires(
            "by the logged rate",
            a_run({**crawls, Role.LEARNING_RATE: flat(60, 1e-5)}, hparams={"optimizer": "SGD"}),
        )
        works = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.1, 10), 0.02)}
        yield silent(
            "an unusual rate that works", a_run(works, hparams={"optimizer": "Adam", "lr": 0.1})
        )
        yield silent(
            "a usual rate that does not",
            a_run(bounces, hparams={"optimizer": "Adam", "lr": 1e-3}),
        )
        yield silent(
            "no known optimizer", a_run(bounces, hparams={"optimizer": "adafactor", "lr": 10.0})
        )
