"""What may be turned, what stays, and with what a past run was trained."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

import tbdiag
from tbdiag.advisor.completion import LEFT, complete, fitting, logged
from tbdiag.advisor.flags import Flag, Flags, Kind
from tbdiag.advisor.space import CONFIGURED, configured, from_nowhere, inferred
from tbdiag.advisor.usual import usual
from tbdiag.config import Config, load
from tbdiag.config.command import Slot
from tbdiag.config.training import Choices, Range, Train
from tbdiag.model.knob import Knob
from tbdiag.model.role import Binding, Override, Role, RoleMap
from tbdiag.model.run import HParam, Run
from tbdiag.model.series import Series

ROOT = Path(__file__).parents[2]


def a_run(source: str = "event file", **hparams: object) -> Run:
    named = {name.replace("__", "."): HParam(value, source) for name, value in hparams.items()}  # type: ignore[arg-type]
    return Run(id="a", path=PurePath("a"), hparams=named)


def with_curve(run: Run, role: Role, values: list[float]) -> Run:
    series = Series.of("curve", range(len(values)), values)
    return Run(
        id=run.id,
        path=run.path,
        hparams=run.hparams,
        series={"curve": series},
        roles=RoleMap(bound={role: Binding("curve", "pattern", "")}),
    )


def flags(*several: Flag, how: str = "argparse") -> Flags:
    return Flags(script="train.py", how=how, flags={flag.name: flag for flag in several})


def space_of(*words: str, **space: Range | Choices):
    train = Train(command=words, objective=Override("val_loss"))
    return configured(Config(train=train, space=space))


LR = Flag(name="learning_rate", options=("--lr",), kind=Kind.FLOAT, default=0.1)
SIZE = Flag(name="train_size", options=("--train-size",), kind=Kind.INT, default=1000)
SUBSET = Flag(name="subset", options=("--subset",), kind=Kind.INT, default=None)
LIMITS = Range(low=1e-6, high=1.0, log=True)


def test_configured_axes_and_fixed_parameters() -> None:
    space = space_of("t", "--lr", "{lr}", "--train-size={size}", "--out", "{logdir}", lr=LIMITS)
    assert (space.names, space.fixed) == (("lr", "size"), ("size",))
    assert space.slot("size") == Slot("size", "--train-size")
    assert space.dimensions == {"lr": LIMITS}
    axis = space.axis(Knob.LR)
    assert axis is not None
    assert (axis.name, axis.source) == ("lr", CONFIGURED)
    assert space.axis(Knob.DROPOUT) is None
    assert not space.bulk


def test_a_knob_in_overrides_or_in_the_environment_is_taken_all_at_once() -> None:
    assert space_of("t", "{overrides}", lr=LIMITS).bulk
    assert space_of("t", "--out", "{logdir}", lr=LIMITS).bulk
    assert space_of("t", "--out", "{logdir}", lr=LIMITS).names == ("lr",)


def test_without_a_space_the_flags_that_are_knobs_may_be_turned() -> None:
    found = inferred(
        ("t", "--lr", "{rate}", "--train-size", "{train_size}", "--seed", "{seed}"),
        flags(LR, SIZE, Flag(name="seed", options=("--seed",), kind=Kind.INT, default=0)),
        [a_run(learning_rate=3.0)],
    )
    assert found.fixed == ("train_size", "seed")
    assert found.axes["rate"].dimension == Range(low=1e-6, high=3.0, log=True)
    assert found.axes["rate"].knob is Knob.LR


@pytest.mark.parametrize(
    ("knob", "seen", "choices", "expected"),
    [
        (Knob.LR, [], (), Range(low=1e-6, high=1.0, log=True)),
        (Knob.WEIGHT_DECAY, [0.0, 0.5], (), Range(low=1e-7, high=0.5, log=True)),
        (Knob.DROPOUT, [0.9], (), Range(low=0.0, high=0.9)),
        (Knob.BATCH_SIZE, [64, 48.0], (), Choices((8, 16, 32, 48, 64, 128, 256, 512))),
        (Knob.WIDTH, [64], (), Choices((16, 32, 64, 128, 256))),
        (Knob.WIDTH, ["64,64", "32"], (), Choices(("64,64", "32"))),
        (Knob.WIDTH, ["64,64"], (), None),
        (Knob.DEPTH, [3], (), Range(low=1, high=6, step=1)),
        (Knob.EPOCHS, [40, 120], (), Range(low=10, high=360, step=1)),
        (Knob.EPOCHS, [None], (), None),
        (Knob.WARMUP, [0.05], (), Range(low=0.0, high=0.3)),
        (Knob.WARMUP, [500], (), Range(low=0, high=5000, step=1)),
        (Knob.CLIP_NORM, [0.0], (), Choices((0.0, 0.1, 0.3, 1.0, 3.0, 10.0))),
        (Knob.OPTIMIZER, ["adam"], ("sgd", "adam"), Choices(("sgd", "adam"))),
        (Knob.OPTIMIZER, ["adam"], (), None),
        (Knob.OPTIMIZER, ["adam"], ("adam",), None),
        (Knob.BATCH_SIZE, [0.5], (), None),
        (Knob.LR, [float("inf"), 2.0], (), Range(low=1e-6, high=2.0, log=True)),
        (Knob.SEED, [1, 2], (), None),
    ],
)
def test_usual_limits_hold_what_was_seen(
    knob: Knob, seen: list[object], choices: tuple[str, ...], expected: object
) -> None:
    found = usual(knob, seen, choices)  # type: ignore[arg-type]
    assert (found and found[0]) == expected


def test_logged_values_come_first_then_curves_then_defaults() -> None:
    space = space_of("t", "--lr", "{lr}", "--train-size", "{train_size}", "--n", "{n}", lr=LIMITS)
    known = flags(LR, SIZE)
    done = complete(a_run(learning_rate=1, train_size=150.0), space, known)
    assert done.params == {"lr": 1.0, "train_size": 150, "n": None}
    assert [type(done.params[name]) for name in ("lr", "train_size")] == [float, int]
    assert done.sources == {"lr": "event file", "train_size": "event file", "n": LEFT}
    assert done.unknown == ("n",)

    done = complete(with_curve(a_run(), Role.LEARNING_RATE, [0.01, 0.05, 0.0]), space, known)
    assert done.params == {"lr": 0.05, "train_size": 1000, "n": None}
    assert done.sources["lr"] == "peak of curve"
    assert done.sources["train_size"] == "default of --train-size"

    done = complete(a_run(), space, known)
    assert (done.params["lr"], done.sources["lr"]) == (0.1, "default of --lr")

    done = complete(a_run(), space, Flags())
    assert done.params == {"lr": None, "train_size": None, "n": None}
    assert done.unknown == ("lr", "train_size", "n")


def test_the_epochs_of_a_run_are_on_its_curve() -> None:
    space = space_of("t", "--epochs", "{epochs}")
    run = with_curve(a_run(), Role.EPOCH, [0.1, 59.9, 59.97])
    assert complete(run, space, Flags()).params == {"epochs": 60.0}
    epochs = Flag(name="epochs", options=("--epochs",), kind=Kind.INT, default=10)
    assert repr(complete(run, space, flags(epochs)).params["epochs"]) == "60"


def test_a_default_of_none_is_left_to_the_script() -> None:
    done = complete(a_run(), space_of("t", "--subset", "{subset}"), flags(SUBSET))
    assert (done.params, done.unknown) == ({"subset": None}, ())
    done = complete(a_run(subset="None"), space_of("t", "--subset", "{subset}"), flags(SUBSET))
    assert done.params == {"subset": None}
    done = complete(a_run(subset=64.0), space_of("t", "--subset", "{subset}"), flags(SUBSET))
    assert repr(done.params["subset"]) == "64"


@pytest.mark.parametrize(
    ("hparams", "found"),
    [
        ({"lr": 0.5, "learning_rate": 0.7}, 0.5),  # the very name
        ({"learningRate": 0.5}, 0.5),  # the same words
        ({"optimizer__lr": 0.5}, 0.5),  # the end of a nested name
        ({"base_lr": 0.5}, 0.5),  # the same knob
        ({"val__batch_size": 0.5}, None),
        ({"base_lr": 0.5, "max_lr": 0.5}, 0.5),
        ({"base_lr": 0.5, "max_lr": 0.7}, "the run logged base_lr = 0.5, max_lr = 0.7"),
    ],
)
def test_a_parameter_is_found_under_other_names(hparams: dict[str, float], found: object) -> None:
    value = logged(a_run(**hparams), Slot("lr", "--lr"), None)
    if isinstance(found, str):
        assert isinstance(value, str)
        assert value.startswith(found)
    else:
        assert (value and value.value) == found  # type: ignore[union-attr]


def test_a_warm_up_in_steps_is_none_in_shares() -> None:
    assert logged(a_run(warmup_steps=500), Slot("warmup_ratio", "--warmup-ratio"), None) is None
    assert logged(a_run(warmup_steps=500), Slot("warmup_steps", "--warmup-steps"), None) is not None


SWITCH = Flag(name="nesterov", options=("--nesterov",), kind=Kind.SWITCH, default=False)
OPTIM = Flag(name="optim", options=("--optim",), default="adam", choices=("sgd", "adamw"))
HIDDEN = Flag(name="hidden", options=("--hidden",), kind=Kind.STR, default="64,64")


@pytest.mark.parametrize(
    ("value", "flag", "expected"),
    [
        (1.0, SWITCH, True),
        ("False", SWITCH, False),
        (2.0, SWITCH, 2.0),
        ("AdamW", OPTIM, "adamw"),
        ("torch.optim.AdamW", OPTIM, "adamw"),
        ("lion", OPTIM, "lion"),
        (64, HIDDEN, "64"),
        (64.0, HIDDEN, "64"),
        (0.5, HIDDEN, "0.5"),
        ("64,32", HIDDEN, "64,32"),
        (2.5, SIZE, 2.5),
        (float("inf"), SIZE, float("inf")),
        (True, SIZE, True),
        (3, None, 3),
    ],
)
def test_values_become_what_the_script_takes(value: object, flag: Flag, expected: object) -> None:
    found = fitting(value, flag)  # type: ignore[arg-type]
    assert (found, type(found)) == (expected, type(expected))


def test_what_the_command_does_not_pass_on_is_said() -> None:
    space = space_of("t", "--lr", "{lr}", lr=LIMITS)
    run = a_run(lr=0.1, nesterov=True, train_size=1000, seed=3, log_dir="x")
    log_dir = Flag(name="log_dir", options=("--log-dir",), default="runs")
    seed = Flag(name="seed", options=("--seed",), kind=Kind.INT, default=0)
    done = complete(run, space, flags(LR, SIZE, SWITCH, log_dir, seed))
    assert done.notes == (
        "the run was trained with --nesterov true, which the command does not pass on",
    )


def test_places_that_disagree_and_needed_flags_are_said() -> None:
    space = space_of("t", "--lr", "{lr}", "--fold", "{fold}", lr=LIMITS)
    run = a_run()
    run.hparams["lr"] = HParam(0.1, "event file", (("config.yaml", 0.2),))  # type: ignore[index]
    fold = Flag(name="fold", options=("--fold",), kind=Kind.INT, required=True, known=False)
    done = complete(run, space, flags(LR, fold))
    assert done.unknown == ("fold",)
    assert done.notes == (
        "lr: event file says 0.1, config.yaml says 0.2",
        "fold: the script needs it, and the run did not log it",
    )


def test_handed_over_at_once_the_parents_own_settings_go_along() -> None:
    overrides = a_run("a/.hydra/overrides.yaml", data__name="cifar", lr=0.5, log_dir="x")
    space = space_of("t", "{overrides}", lr=LIMITS)
    assert complete(overrides, space, Flags(how="hydra")).params == {
        "lr": 0.5,
        "data.name": "cifar",
    }
    size = Flag(name="train_size", kind=Kind.INT, default=10)
    done = complete(
        a_run(train_size=150.0), space_of("t", lr=LIMITS), flags(size, how="tbdiag.params")
    )
    assert done.params == {"lr": None, "train_size": 150}


def test_a_placeholder_that_nobody_knows_is_a_slip() -> None:
    space = space_of("t", "--lr", "{lrr}", "--x", "{size}")
    assert from_nowhere(space, Flags(), []) == []  # the script could not be read: who knows
    known = flags(LR, Flag(name="lr", options=("-r",)))
    assert from_nowhere(space_of("t", "{lrr}", "{size}"), known, [a_run(size=3)]) == [
        'no value for "{lrr}" of the command: it is not in [space], train.py has no such flag, '
        'and no run has logged it; did you mean "lr"?'
    ]


def test_every_sample_run_is_known_in_full_without_the_data_in_the_space() -> None:
    config = load(ROOT / "sample_logs" / "tbdiag.toml")
    space = configured(config)
    assert {"train_size", "val_size", "label_noise", "imbalance", "seed"} == set(space.fixed)
    runs = {run.id: run for run in tbdiag.load(ROOT / "sample_logs", cache=False)}
    done = {name: complete(run, space, Flags()) for name, run in runs.items()}
    assert all(not each.unknown for each in done.values())
    assert done["overfitting"].params["train_size"] == 150
    assert done["tiny-validation"].params["val_size"] == 40
    assert done["rate-too-high-bouncing"].params["seed"] == 8
    assert done["underfitting"].params["hidden"] == "1"


def test_curves_of_odd_values_do_no_harm() -> None:
    space = space_of("t", "--lr", "{lr}", "--epochs", "{epochs}")
    run = with_curve(a_run(), Role.LEARNING_RATE, [0.0, 0.0])
    assert complete(run, space, Flags()).unknown == ("lr", "epochs")
