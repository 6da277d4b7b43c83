"""Roles follow words and structure, whatever the spelling; what is unclear is said, not guessed."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.model.role import Better, Override, Role
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind
from tests.naming.curves import a_run, falling, rising, roles

CONVENTIONS = [
    ("loss/train", "loss/val"),
    ("train/loss", "val/loss"),
    ("Train/Loss", "Val/Loss"),
    ("Loss/Training", "Loss/Validation"),
    ("train_loss", "val_loss"),
    ("train_loss", "test_loss"),
    ("training_loss", "validation_loss"),
    ("loss", "val_loss"),
    ("loss", "eval/loss"),
    ("train/epoch_loss", "validation/epoch_loss"),
    ("Epoch Loss/Train", "Epoch Loss/Val"),
    ("epoch_loss_train", "epoch_loss_val"),
    ("trainLoss", "validLoss"),
    ("TrainLoss", "ValLoss"),
    ("trainloss", "valloss"),
    ("Epoch/Training_Loss", "Epoch/Val_Loss"),
    ("train_loss_epoch", "valid_loss_epoch"),
    ("Epoch training loss", "Epoch validation loss"),
    ("Training loss/epoch", "Validation loss/epoch"),
    ("train/loss", "eval/loss"),
    ("train loss", "dev loss"),
    ("Train_Loss", "Validation_Loss"),
    ("learn/Logloss", "test/Logloss"),
    ("learn/RMSE", "test/RMSE"),
    ("train/loss/epoch", "valid/loss/epoch"),
    ("train_log/loss/epoch", "valid_log/loss/epoch"),
    ("train:loss", "valid:loss"),
    ("train.loss", "val.loss"),
    ("Adam: lr = 0.001 Train Loss/Epoch", "Adam: lr = 0.001 Val Loss/Epoch"),
    ("loss (lr=0.1, batch_size=32)/train", "loss (lr=0.1, batch_size=32)/val"),
    ("cross_entropy/train", "cross_entropy/val"),
    ("train_nll", "val_nll"),
    ("train/mse_loss", "val/mse_loss"),
    ("avg_train_loss", "avg_val_loss"),
    ("model_a/train_loss", "model_a/val_loss"),
    ("train_cost", "valid_cost"),
    ("losses/train_total_loss", "losses/val_total_loss"),
    ("loss_train", "v_loss"),
]


@pytest.mark.parametrize(("train", "val"), CONVENTIONS)
def test_every_spelling_of_a_pair_of_losses_is_understood(train: str, val: str) -> None:
    found = bind(a_run([train, val], n=25))
    assert {role: b.tag for role, b in found.bound.items()} == {
        Role.TRAIN_LOSS: train,
        Role.VAL_LOSS: val,
    }
    assert not found.ambiguous
    binding = found.bound[Role.VAL_LOSS]
    assert (binding.how, binding.quantity, binding.better) == ("pattern", "loss", Better.LOWER)


@pytest.mark.parametrize(
    ("train", "val", "quantity", "better"),
    [
        ("train/accuracy", "val/accuracy", "accuracy", "higher"),
        ("Accuracy/Train", "Accuracy/Val", "accuracy", "higher"),
        ("acc", "val_acc", "accuracy", "higher"),
        ("trainAcc", "validAcc", "accuracy", "higher"),
        ("train/Acc@1", "val/Acc@1", "accuracy", "higher"),
        ("train_MulticlassAccuracy", "val_MulticlassAccuracy", "accuracy", "higher"),
        ("train_f1_score", "val_f1_score", "f1", "higher"),
        ("train_auc", "val_auc", "auc", "higher"),
        ("train/mIoU", "val/mIoU", "iou", "higher"),
        ("train_mean_squared_error", "valid_mean_squared_error", "mse", "lower"),
        ("train/MAE", "val/MAE", "mae", "lower"),
        ("train_ppl", "val_ppl", "perplexity", "lower"),
        ("train/error_rate", "val/error_rate", "error", "lower"),
        ("train/mean_average_precision", "validation/mean_average_precision", "map", "higher"),
        ("train_wer", "val_wer", "wer", "lower"),
    ],
)
def test_a_pair_of_metrics_knows_its_quantity_and_direction(
    train: str, val: str, quantity: str, better: str
) -> None:
    found = bind(a_run(["train_loss", "val_loss", train, val]))
    for role, tag in ((Role.TRAIN_METRIC, train), (Role.VAL_METRIC, val)):
        binding = found.bound[role]
        assert (binding.tag, binding.quantity, binding.better) == (tag, quantity, better)


def test_accuracy_comes_before_other_metrics_and_a_pair_before_a_single_curve() -> None:
    names = [f"{side}_{name}" for side in ("train", "val") for name in ("f1", "acc", "mae")]
    assert roles(a_run(names)) == {"train_metric": "train_acc", "val_metric": "val_acc"}
    assert roles(a_run(["train_f1", "val_f1", "val_acc"]))["val_metric"] == "val_f1"
    assert roles(a_run(["val_acc", "val_acc_top5"])) == {"val_metric": "val_acc"}
    assert roles(a_run(["val_acc_top1", "val_acc_top5"])) == {"val_metric": "val_acc_top1"}


def test_a_metric_that_weighs_classes_alike_stands_beside_accuracy() -> None:
    for name in ("balanced_accuracy/val", "val/macro_f1", "val_f1_macro", "val/UAR"):
        found = bind(a_run(["train_acc", "val_acc", name]))
        assert found.bound[Role.VAL_METRIC].tag == "val_acc"
        assert found.bound[Role.BALANCED_METRIC].tag == name
    assert found.bound[Role.BALANCED_METRIC].quantity == "macro_recall"


ONE_ROLE = [
    ("lr", "learning_rate"),
    ("learning_rate", "learning_rate"),
    ("lr-Adam", "learning_rate"),
    ("x/lr0", "learning_rate"),
    ("lr/pg0", "learning_rate"),
    ("Learning/Rate", "learning_rate"),
    ("Policy/Learning Rate", "learning_rate"),
    ("cur_lr", "learning_rate"),
    ("Model/Learning_Rate_SAM", "learning_rate"),
    ("Hyperparameters/LearningRate", "learning_rate"),
    ("Learning rate Adagrad", "learning_rate"),
    ("train/grad_norm", "grad_norm"),
    ("gradient_norm", "grad_norm"),
    ("grad_2.0_norm_total", "grad_norm"),
    ("global_grad_norm", "grad_norm"),
    ("Model/Norm", "weight_norm"),
    ("Adam: lr = 0.001 Model Norm/Epoch", "weight_norm"),
    ("weights/weight_norm", "weight_norm"),
    ("update_ratio", "update_ratio"),
    ("loss_scale", "loss_scale"),
    ("amp/grad_scale", "loss_scale"),
    ("step_time", "step_time"),
    ("time_per_step", "step_time"),
    ("ray/tune/time_this_iter_s", "step_time"),
    ("train/approx_kl", "kl"),
    ("charts/episodic_return", "reward"),
    ("losses/clipfrac", "clip_fraction"),
]


@pytest.mark.parametrize(("tag", "role"), ONE_ROLE)
def test_a_tag_alone_plays_its_role(tag: str, role: str) -> None:
    assert roles(a_run([tag])) == {role: tag}


@pytest.mark.parametrize(
    "tag",
    [
        "hp_metric", "Final Loss/train", "best_val_loss", "train/ent_coef_loss", "Optimizer", "Batch size val",
        "batch_size_val", "Train/Batch_Size", "Val/Batch_Size", "lr_decay", "lr-SGD-momentum",
        "lr_scheduler_patience", "data_time", "time/fps", "eta_seconds", "global_step/sec", "eval/runtime",
        "train/total_flos", "eval/samples_per_second", "loss_weight_ratio", "max_grad_norm", "time",
        "eval/accuracy_baseline", "Train/mean_reward/time", "ray/tune/episode_reward_max", "dropout",
        "valid_loss_step/epoch_3", "conv1/sparsity", "cur_kl_coeff", "train/num_examples", "foo", "val",
        "Environment/Episode Length", "x", "kl", "entropy", "total_duration", "score",
    ],
)  # fmt: skip
def test_a_false_friend_plays_no_role(tag: str) -> None:
    found = bind(a_run([tag]))
    assert not found.bound
    assert not found.ambiguous


def test_a_loss_per_batch_is_told_from_one_per_epoch_by_density() -> None:
    per_step = roles(a_run({"train_loss": 4000, "val_loss": 20}))
    assert per_step["train_loss"] == per_step["batch_loss"] == "train_loss"
    assert "batch_loss" not in roles(a_run({"train_loss": 100, "val_loss": 20}))
    both = roles(a_run({"loss/batch": 4000, "loss/epoch": 20, "val_loss": 20}))
    assert (both["train_loss"], both["batch_loss"]) == ("loss/epoch", "loss/batch")
    short = roles(a_run({"train_loss_step": 900, "train_loss_epoch": 3}))
    assert short["train_loss"] == short["batch_loss"] == "train_loss_step"
    matched = roles(a_run({"train_loss_step": 900, "train_loss_epoch": 3, "val_loss": 3}))
    assert (matched["train_loss"], matched["batch_loss"]) == ("train_loss_epoch", "train_loss_step")
    often = roles(a_run({"train_loss": 9, "train_epoch_loss": 90, "val_loss": 9}))
    assert often == {"train_loss": "train_loss", "val_loss": "val_loss"}
    equal = roles(a_run(["Train/BatchLoss", "Train/EpochLoss", "Val/BatchLoss", "Val/EpochLoss"]))
    assert equal == {"train_loss": "Train/EpochLoss", "val_loss": "Val/EpochLoss"}


def test_a_loss_that_is_nan_throughout_is_still_the_loss() -> None:
    run = a_run(["Train/Loss", "Val/Loss"])
    run["Train/Loss"] = Series.of("Train/Loss", np.arange(20), np.full(20, np.nan))
    assert roles(run)["train_loss"] == "Train/Loss"


def test_one_tag_per_epoch_is_no_curve() -> None:
    names = {f"Train/BLoss_{k}": 781 for k in range(12)}
    assert roles(a_run({**names, "Train/Loss": 12, "Val/Loss": 12})) == {
        "train_loss": "Train/Loss",
        "val_loss": "Val/Loss",
    }
    assert roles(a_run(names)) == {}


def test_a_counter_under_the_name_of_a_loss_is_none() -> None:
    run = a_run({"Train/Loss": 10, "Val/Loss": 10, "Loss/Training/Batch": 1480})
    tag = "Loss/Training/Batch"
    assert roles(run)["batch_loss"] == tag
    run[tag] = Series.of(tag, np.arange(1480), 1 + np.arange(1480) % 148)
    assert roles(run) == {"train_loss": "Train/Loss", "val_loss": "Val/Loss"}


def test_an_accuracy_under_the_name_of_a_loss_is_bound_as_what_it_is() -> None:
    names = ["Train Loss/Epoch", "Val Loss/Epoch"]
    run = a_run(names, n=50, **{name: rising(50, name) for name in names})
    found = bind(run)
    assert set(found.bound) == {Role.TRAIN_METRIC, Role.VAL_METRIC}
    binding = found.bound[Role.VAL_METRIC]
    assert (binding.tag, binding.how, binding.quantity) == (names[1], "structure", "accuracy")
    assert binding.better is Better.HIGHER
    named = ["Train Accuracy/Epoch", "Val Accuracy/Epoch"]
    run |= a_run(named, n=50, **{name: rising(50, name) for name in named})
    assert roles(run) == {"train_metric": named[0], "val_metric": named[1]}


@pytest.mark.parametrize(
    "curve",
    [
        np.concatenate([falling(5) / 3, np.linspace(0.1, 0.6, 45)]),  # diverges after a fall
        np.linspace(0.3, 3.0, 50),  # leaves the unit interval
    ],
)
def test_a_loss_that_diverges_stays_a_loss(curve: np.ndarray) -> None:
    names = ["train_loss", "val_loss"]
    run = a_run(names, n=50, **{names[0]: curve, names[1]: curve + 0.01})
    assert roles(run) == {"train_loss": names[0], "val_loss": names[1]}


@pytest.mark.parametrize(
    ("names", "role", "rest"),
    [
        (["loss/train", "train_loss", "val_loss"], Role.TRAIN_LOSS, {"val_loss": "val_loss"}),
        (["train_loss", "loss/val", "val_loss"], Role.VAL_LOSS, {"train_loss": "train_loss"}),
        (["net1/train_loss_a", "net1/train_loss_x"], Role.TRAIN_LOSS, {}),
        (["train_loss", "eval/math_loss", "eval/code_loss"], Role.VAL_LOSS, {"train_loss": "train_loss"}),
        (["val_acc", "val_accuracy"], Role.VAL_METRIC, {}),
        (["grad_norm_g", "grad_norm_d"], Role.GRAD_NORM, {}),
        (["lr-Adam", "lr-SGD"], Role.LEARNING_RATE, {}),
    ],
)  # fmt: skip
def test_what_two_tags_could_play_equally_well_is_not_guessed(
    names: list[str], role: Role, rest: dict[str, str]
) -> None:
    found = bind(a_run(names))
    assert set(found.ambiguous) == {role}
    doubtful = found.ambiguous[role]
    assert list(doubtful) == sorted(doubtful)
    assert set(doubtful) == set(names) - set(rest.values())
    assert {r.value: b.tag for r, b in found.bound.items()} == rest


def test_equal_curves_under_two_names_are_not_in_doubt() -> None:
    run = a_run(
        ["Train/Learning_Rate", "Val/Learning_Rate", "Train/Accuracy", "Epoch/Training_Accuracy"]
    )
    run["Epoch/Training_Accuracy"] = Series.of("", np.arange(20), run["Train/Accuracy"].values)
    found = bind(run)
    assert not found.ambiguous
    assert found.bound[Role.TRAIN_METRIC].tag == "Epoch/Training_Accuracy"
    assert found.bound[Role.LEARNING_RATE].tag == "Train/Learning_Rate"


def test_rates_of_parameter_groups_are_one_schedule() -> None:
    rate = np.linspace(1e-3, 1e-5, 20)
    groups = {"lr/backbone": rate / 10, "lr/head": rate}
    found = bind(a_run([*groups], **groups))
    assert not found.ambiguous
    assert Role.LEARNING_RATE in found.bound
    assert roles(a_run(["lr-Adam/pg2", "lr-Adam/pg10", "lr-Adam/pg1"])) == {
        "learning_rate": "lr-Adam/pg1"
    }


def test_norms_logged_layer_by_layer_are_neither_bound_nor_in_doubt() -> None:
    layers = [f"grad_norm/{name}.weight" for name in ("conv", "fc", "head")]
    assert not bind(a_run(layers)).ambiguous
    assert roles(a_run(layers)) == {}
    assert roles(a_run([*layers, "grad_norm/total"])) == {"grad_norm": "grad_norm/total"}


def test_the_total_comes_before_its_terms_and_the_raw_curve_before_the_smoothed() -> None:
    terms = ["train/ce_loss", "train/dice_loss", "val/ce_loss", "val/dice_loss"]
    found = bind(a_run([*terms, "train/loss", "val/loss"]))
    assert (found.bound[Role.TRAIN_LOSS].tag, found.bound[Role.VAL_LOSS].tag) == (
        "train/loss",
        "val/loss",
    )
    assert not found.parts
    assert roles(a_run(["loss", "loss_smoothed"])) == {"train_loss": "loss"}


def test_terms_on_validation_are_judged_by_pairs_where_only_training_has_a_total() -> None:
    found = bind(
        a_run(["train/loss", "train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss"])
    )
    assert set(found.bound) == {Role.TRAIN_LOSS}
    assert [part[Role.VAL_LOSS].tag for part in found.parts] == ["val/box_loss", "val/cls_loss"]


def test_the_loss_without_penalties_is_known_beside_the_total() -> None:
    found = roles(a_run(["total_loss", "data_loss", "regularization_loss", "val_loss"]))
    assert found == {
        "train_loss": "total_loss", "val_loss": "val_loss", "data_loss": "data_loss",
        "regularization_loss": "regularization_loss",
    }  # fmt: skip
    assert "data_loss" not in roles(a_run(["total_loss", "ce_loss", "dice_loss"]))
    assert roles(a_run(["loss", "cls_loss", "reg_loss"])) == {"train_loss": "loss"}


def test_two_players_have_no_training_loss_unless_it_stands_apart() -> None:
    pairs = [("D_loss", "G_loss"), ("lossD", "lossG"), ("Loss/discriminator", "Loss/generator"),
             ("netD/loss", "netG/loss"), ("critic_loss", "gen_loss")]  # fmt: skip
    for d, g in pairs:
        assert roles(a_run([d, g])) == {"d_loss": d, "g_loss": g}
    apart = roles(a_run(["D_loss", "G_loss", "train/loss", "val/loss"]))
    assert apart["train_loss"] == "train/loss"
    assert "train_loss" not in roles(a_run(["D_loss", "G_loss", "loss_l1", "loss_vgg"]))


def test_policy_and_value_words_do_not_make_a_supervised_run_reinforcement() -> None:
    names = ["train/loss", "val/loss", "train/policy_loss", "train/value_loss", "val/policy_loss"]
    assert roles(a_run(names)) == {"train_loss": "train/loss", "val_loss": "val/loss"}
    preferences = ["train/loss", "eval/loss", "train/rewards/chosen", "train/rewards/margins"]
    assert roles(a_run(preferences)) == {"train_loss": "train/loss", "val_loss": "eval/loss"}


def test_validation_comes_before_test() -> None:
    names = [
        f"{side}/{name}" for side in ("train", "validation", "test") for name in ("loss", "acc")
    ]
    assert roles(a_run(names)) == {
        "train_loss": "train/loss", "val_loss": "validation/loss",
        "train_metric": "train/acc", "val_metric": "validation/acc",
    }  # fmt: skip


def test_an_override_wins() -> None:
    run = a_run(["train_loss", "val_loss", "objective/train", "eval/bleu", "eval/accuracy"])
    found = bind(
        run,
        {
            Role.TRAIN_LOSS: Override("objective/train"),
            Role.VAL_METRIC: Override("eval/bleu", Better.HIGHER),
            Role.KL: Override("train_loss"),
        },
    )
    loss, metric = found.bound[Role.TRAIN_LOSS], found.bound[Role.VAL_METRIC]
    assert (loss.tag, loss.how, loss.quantity) == ("objective/train", "configured", "loss")
    assert (metric.tag, metric.how, metric.quantity) == ("eval/bleu", "configured", "bleu")
    assert found.bound[Role.VAL_LOSS].tag == "val_loss"
    assert found.bound[Role.KL].tag == "train_loss"


def test_an_override_turns_the_direction_and_settles_doubt() -> None:
    run = a_run(["loss/train", "train_loss", "val_custom"])
    found = bind(
        run,
        {
            Role.TRAIN_LOSS: Override("train_loss"),
            Role.VAL_METRIC: Override("val_custom", Better.LOWER),
        },
    )
    assert not found.ambiguous
    assert found.bound[Role.VAL_METRIC].better is Better.LOWER
    assert found.bound[Role.TRAIN_LOSS].tag == "train_loss"


def test_an_override_whose_tag_is_missing_leaves_the_role_unbound() -> None:
    found = bind(a_run(["train_loss", "val_loss"]), {Role.VAL_LOSS: Override("nowhere")})
    assert set(found.bound) == {Role.TRAIN_LOSS}


HOSTILE = ["", " ", "///", "\x00\x1b[31m", "a" * 10_000, "loss" * 2_500, "/" * 10_000, "aB" * 5_000,
           "a=" * 400, "_ " * 490, "9" * 900, "lr" + "9" * 900, "loss/²", "\ud800", "训练/损失", "[bold]loss"]  # fmt: skip


def test_hostile_tags_neither_crash_nor_cost() -> None:
    started = time.process_time()
    found = bind(a_run(HOSTILE))
    assert time.process_time() - started < 0.5
    assert set(found.bound) | set(found.ambiguous) <= {
        Role.TRAIN_LOSS, Role.BATCH_LOSS, Role.LEARNING_RATE,
    }  # fmt: skip


@given(st.lists(st.text(max_size=40), max_size=12, unique=True))
def test_any_tags_at_all_are_bound_to_tags_of_the_run(names: list[str]) -> None:
    found = bind(a_run(names, n=3))
    assert {b.tag for b in found.bound.values()} <= set(names)
    assert {tag for tied in found.ambiguous.values() for tag in tied} <= set(names)


def test_binding_is_fast_and_takes_hundreds_of_tags() -> None:
    usual = a_run(
        [
            "train/loss",
            "val/loss",
            "train/acc",
            "val/acc",
            "lr",
            *map("layer{}/w".format, range(15)),
        ]
    )
    many = a_run(
        [f"block{k}/{name}" for k in range(60) for name in ("loss", "acc", "grad_norm", "lr", "w")]
    )
    bind(usual), bind(many)
    started = time.process_time()
    for _ in range(50):
        bind(usual)
    assert (time.process_time() - started) / 50 < 0.01
    started = time.process_time()
    bind(many)
    assert time.process_time() - started < 0.2


def test_no_tags_play_no_roles() -> None:
    assert bind({}).bound == {}
    empty = Series.of("loss", [], [])
    assert bind({"loss": empty}).bound == {}


@pytest.mark.parametrize(("epochs", "by_the_batch"), [(8, True), (40, False), (None, False)])
def test_a_lone_loss_with_several_points_an_epoch_is_one_per_batch(
    epochs: float | None, by_the_batch: bool
) -> None:
    found = bind(a_run({"train/loss": 40}), stated=lambda: epochs)
    assert (Role.BATCH_LOSS in found.bound) is by_the_batch
    beside = bind(a_run({"train/loss": 40, "val/loss": 40}), stated=lambda: epochs)
    assert Role.BATCH_LOSS not in beside.bound  # validation tells the epochs
