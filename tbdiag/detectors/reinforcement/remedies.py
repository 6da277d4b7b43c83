"""Changes of a policy's update that several rules call for."""

from __future__ import annotations

from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale

RATE_THIRD = Remedy.turn(
    Knob.LR,
    Scale(1 / 3),
    "Divide the learning rate by 3",
    "the change of the policy per update grows with the rate",
)
FEWER_EPOCHS = Remedy.advice(
    "Go over each batch of experience fewer times",
    "every further epoch moves the policy further from the one that collected the data",
)
TARGET_KL = Remedy.advice(
    "Stop an update early at a target KL of 0.01 to 0.03",
    "it bounds the change whatever rate and epochs do",
)
ENTROPY_BONUS = Remedy.advice(
    "Multiply the entropy coefficient by 10",
    "a policy that no longer explores cannot find anything better",
)
SCALE_REWARDS = Remedy.advice(
    "Normalise the rewards or the returns",
    "a value function cannot follow targets of a hundred times its initial scale",
)
VALUE_RATE = Remedy.advice(
    "Give the value function a rate of its own, a larger net, or more epochs",
    "one that shares all with the policy follows the policy's needs",
)
DISCOUNT = Remedy.advice(
    "Lower the discount, for example from 0.99 to 0.95",
    "returns over a shorter horizon vary less and are easier to predict",
)
KEEP_BEST = Remedy.advice(
    "Keep the checkpoint with the best return, and go on from there",
    "the policy of the end is worse than one that the run already had",
)
