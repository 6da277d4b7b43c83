"""Changes of the learning rate and its schedule that several rules call for."""

from __future__ import annotations

from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale, SetTo, Within

RATE_TENTH = Remedy.turn(
    Knob.LR,
    Scale(0.1),
    "Divide the learning rate by 10",
    "a rate that is too high by up to a decade is most often mended by a tenth of it",
)
RATE_THIRD = Remedy.turn(
    Knob.LR,
    Scale(1 / 3),
    "Divide the learning rate by 3",
    "the noise of the loss shrinks with the rate",
)
RATE_TRIPLE = Remedy.turn(
    Knob.LR,
    Scale(3),
    "Multiply the learning rate by 3",
    "the loss falls steadily, so that larger steps cover the same way sooner",
)
RATE_TENFOLD = Remedy.turn(
    Knob.LR,
    Scale(10),
    "Multiply the learning rate by 10",
    "the loss has hardly moved, so the rate is likely off by a decade or more",
)
WARM_UP = Remedy.turn(
    Knob.WARMUP,
    Within(0.02, 0.05),
    "Warm the rate up over the first 2 to 5 % of the run",
    "the first gradients are the largest and the least to be trusted",
)
DECAY_TO_ZERO = Remedy.turn(
    Knob.SCHEDULER,
    SetTo("cosine"),
    "Let the rate decay to zero along a cosine",
    "the noise floor is proportional to the rate, so the end of a decay settles it",
)
LARGER_BATCH = Remedy.turn(
    Knob.BATCH_SIZE,
    Scale(2),
    "Double the batch size",
    "twice the samples halve the variance of each step",
    Safety.UNSAFE,
)
DECAY_OVER_THE_RUN = Remedy.advice(
    "Let the decay of the rate end with the run",
    "a rate near zero moves nothing, so whatever comes after it is wasted",
)
FLOOR = Remedy.advice(
    "Keep 1 to 10 % of the peak as the floor of the rate",
    "a run that goes on longer than its schedule then still learns",
)
