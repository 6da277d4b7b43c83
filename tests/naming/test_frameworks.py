"""The curves of every framework play the roles that a person would give them."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind
from tests.naming.curves import a_run, roles, tags

RLLIB = "ray/tune/info/learner/default_policy/"
LEARNERS = "ray/tune/learners/default_policy/"

# framework -> (tags with their numbers of points, expected roles)
FRAMEWORKS: dict[str, tuple[dict[str, int], dict[str, str]]] = {
    "keras": (
        {
            "train/epoch_loss": 20, "train/epoch_accuracy": 20, "train/epoch_learning_rate": 20,
            "validation/epoch_loss": 20, "validation/epoch_accuracy": 20,
            "validation/evaluation_loss_vs_iterations": 20,
            "validation/evaluation_accuracy_vs_iterations": 20,
        },
        {
            "train_loss": "train/epoch_loss", "val_loss": "validation/epoch_loss",
            "train_metric": "train/epoch_accuracy", "val_metric": "validation/epoch_accuracy",
            "learning_rate": "train/epoch_learning_rate",
        },
    ),
    "keras, update_freq=batch": (
        {
            "train/epoch_loss": 20, "train/batch_loss": 3000, "train/batch_accuracy": 3000,
            "train/epoch_accuracy": 20, "validation/epoch_loss": 20, "validation/epoch_accuracy": 20,
            "batch_loss": 1,
        },
        {
            "train_loss": "train/epoch_loss", "batch_loss": "train/batch_loss",
            "val_loss": "validation/epoch_loss", "train_metric": "train/epoch_accuracy",
            "val_metric": "validation/epoch_accuracy",
        },
    ),
    "keras, precision-recall curve": (
        {"train/epoch_loss": 9, "train/epoch_prc": 9, "validation/epoch_loss": 9, "validation/epoch_prc": 9},
        {
            "train_loss": "train/epoch_loss", "val_loss": "validation/epoch_loss",
            "train_metric": "train/epoch_prc", "val_metric": "validation/epoch_prc",
        },
    ),
    "keras 2": (
        {"loss": 20, "val_loss": 20, "acc": 20, "val_acc": 20},
        {"train_loss": "loss", "val_loss": "val_loss", "train_metric": "acc", "val_metric": "val_acc"},
    ),
    "tf2 custom loop": (
        {"train/loss": 20, "train/accuracy": 20, "test/v_loss": 20, "test/v_accuracy": 20},
        {
            "train_loss": "train/loss", "val_loss": "test/v_loss",
            "train_metric": "train/accuracy", "val_metric": "test/v_accuracy",
        },
    ),
    "stardist": (
        {
            f"{side}/epoch_{name}": 30
            for side in ("train", "validation")
            for name in ("loss", "prob_loss", "dist_loss", "dist_dist_iou_metric", "dist_relevant_mae",
                         "dist_relevant_mse", "prob_kld")
        } | {"train/epoch_learning_rate": 30, "validation/evaluation_loss_vs_iterations": 30},
        {
            "train_loss": "train/epoch_loss", "val_loss": "validation/epoch_loss",
            "train_metric": "train/epoch_dist_dist_iou_metric",
            "val_metric": "validation/epoch_dist_dist_iou_metric",
            "learning_rate": "train/epoch_learning_rate",
        },
    ),
    "tf object detection": (
        {
            "train/Loss/total_loss": 50, "train/Loss/localization_loss": 50,
            "train/Loss/classification_loss": 50, "train/Loss/regularization_loss": 50,
            "train/learning_rate": 50,
            "eval/Loss/total_loss": 1, "eval/Loss/localization_loss": 1,
            "eval/Loss/classification_loss": 1, "eval/Loss/regularization_loss": 1,
            "eval/DetectionBoxes_Precision/mAP": 1, "eval/DetectionBoxes_Precision/mAP@.50IOU": 1,
            "eval/DetectionBoxes_Precision/mAP (small)": 1, "eval/DetectionBoxes_Recall/AR@100": 1,
        },
        {
            "train_loss": "train/Loss/total_loss", "batch_loss": "train/Loss/total_loss",
            "val_loss": "eval/Loss/total_loss", "val_metric": "eval/DetectionBoxes_Precision/mAP", "learning_rate": "train/learning_rate",
            "regularization_loss": "train/Loss/regularization_loss",
        },
    ),
    "tf1 estimator": (
        {
            "loss": 60, "average_loss": 60, "global_step/sec": 60, "eval/loss": 10, "eval/average_loss": 10,
            "eval/accuracy": 10, "eval/auc": 10, "eval/accuracy_baseline": 10,
            "eval/auc_precision_recall": 10, "learning_rate": 60,
        },
        {
            "train_loss": "loss", "val_loss": "eval/loss", "val_metric": "eval/accuracy",
            "learning_rate": "learning_rate",
        },
    ),
    "tf1 cifar tutorial": (
        {
            "total_loss__raw_": 900, "total_loss_1": 900, "cross_entropy__raw_": 900,
            "cross_entropy_1": 900, "learning_rate": 900, "global_step/sec": 900, "conv1/sparsity": 900,
            "input_producer/fraction_of_32_full": 900, "shuffle_batch/fraction_over_200_of_76_full": 900,
            "local3/weight_loss__raw_": 900, "local4/weight_loss__raw_": 900,
        },
        {
            "train_loss": "total_loss__raw_", "batch_loss": "total_loss__raw_",
            "data_loss": "cross_entropy__raw_", "learning_rate": "learning_rate",
        },
    ),
    "tf1 by hand": (
        {"loss": 900, "accuracy": 900, "eval/loss": 9, "eval/accuracy": 9, "conv/summaries/mean": 900,
         "conv/summaries/stddev_1": 900, "conv/summaries/min": 900, "conv/summaries/max": 900},
        {
            "train_loss": "loss", "batch_loss": "loss", "val_loss": "eval/loss",
            "train_metric": "accuracy", "val_metric": "eval/accuracy",
        },
    ),
    "lightning": (
        {
            "train_loss_step": 400, "train_loss_epoch": 20, "val_loss": 20, "test_loss": 1, "epoch": 440,
            "hp_metric": 1, "lr-Adam": 400, "train_acc_epoch": 20, "val_acc": 20,
        },
        {
            "train_loss": "train_loss_epoch", "batch_loss": "train_loss_step", "val_loss": "val_loss",
            "train_metric": "train_acc_epoch", "val_metric": "val_acc", "learning_rate": "lr-Adam",
        },
    ),
    "lightning, one tag per epoch": (
        {"train_loss": 400, "valid_loss_epoch": 20, "epoch": 400, "hp_metric": 1,
         **{f"valid_loss_step/epoch_{k}": 30 for k in range(20)},
         "train_mean_squared_error": 20, "valid_mean_squared_error": 20,
         "lr-SGD": 400, "lr-SGD-momentum": 400, "lr-SGD/pg1": 400, "lr-SGD/pg2": 400},
        {
            "train_loss": "train_loss", "batch_loss": "train_loss", "val_loss": "valid_loss_epoch",
            "train_metric": "train_mean_squared_error", "val_metric": "valid_mean_squared_error",
            "learning_rate": "lr-SGD",
        },
    ),
    "lightning, steps only": (
        {"train_loss_step": 400, "epoch": 400, "hp_metric": 1, "val_ExpRate": 10, "val_char_acc": 1},
        {"train_loss": "train_loss_step", "batch_loss": "train_loss_step", "val_metric": "val_ExpRate"},
    ),
    "hugging face": (
        {
            "train/loss": 100, "train/train_loss": 1, "eval/loss": 10, "eval/accuracy": 10,
            "eval/runtime": 10, "eval/samples_per_second": 10, "eval/steps_per_second": 10,
            "train/learning_rate": 100, "train/grad_norm": 100, "train/total_flos": 1,
            "train/train_runtime": 1, "train/train_samples_per_second": 1,
        },
        {
            "train_loss": "train/loss", "val_loss": "eval/loss", "val_metric": "eval/accuracy",
            "learning_rate": "train/learning_rate", "grad_norm": "train/grad_norm",
        },
    ),
    "stable-baselines3 ppo": (
        dict.fromkeys(
            ["train/loss", "train/value_loss", "train/policy_gradient_loss", "train/entropy_loss",
             "train/approx_kl", "train/clip_fraction", "train/clip_range", "train/explained_variance",
             "train/std", "train/learning_rate", "rollout/ep_rew_mean", "rollout/ep_len_mean",
             "eval/mean_reward", "eval/mean_ep_length", "time/fps"], 40),
        {
            "learning_rate": "train/learning_rate", "reward": "rollout/ep_rew_mean",
            "val_reward": "eval/mean_reward", "kl": "train/approx_kl", "entropy": "train/entropy_loss",
            "clip_fraction": "train/clip_fraction", "explained_variance": "train/explained_variance",
            "policy_loss": "train/policy_gradient_loss", "value_loss": "train/value_loss",
        },
    ),
    "stable-baselines3 sac": (
        dict.fromkeys(["train/actor_loss", "train/critic_loss", "train/ent_coef", "train/ent_coef_loss",
                       "train/learning_rate", "rollout/ep_rew_mean", "rollout/ep_len_mean"], 40),
        {
            "learning_rate": "train/learning_rate", "reward": "rollout/ep_rew_mean",
            "policy_loss": "train/actor_loss", "value_loss": "train/critic_loss",
        },
    ),
    "stable-baselines3 a2c": (
        dict.fromkeys(["train/entropy_loss", "train/explained_variance", "train/learning_rate",
                       "train/policy_loss", "train/value_loss", "train/std", "rollout/ep_rew_mean",
                       "rollout/ep_len_mean", "time/fps"], 40),
        {
            "learning_rate": "train/learning_rate", "reward": "rollout/ep_rew_mean",
            "entropy": "train/entropy_loss", "explained_variance": "train/explained_variance",
            "policy_loss": "train/policy_loss", "value_loss": "train/value_loss",
        },
    ),
    "stable-baselines3 dqn": (
        dict.fromkeys(["train/loss", "train/learning_rate", "rollout/ep_rew_mean", "rollout/ep_len_mean",
                       "rollout/exploration_rate", "time/fps"], 40),
        {"learning_rate": "train/learning_rate", "reward": "rollout/ep_rew_mean"},
    ),
    "cleanrl": (
        dict.fromkeys(["charts/learning_rate", "charts/episodic_return", "charts/episodic_length",
                       "charts/SPS", "losses/value_loss", "losses/policy_loss", "losses/entropy",
                       "losses/old_approx_kl", "losses/approx_kl", "losses/clipfrac",
                       "losses/explained_variance"], 40),
        {
            "learning_rate": "charts/learning_rate", "reward": "charts/episodic_return",
            "kl": "losses/approx_kl", "entropy": "losses/entropy", "clip_fraction": "losses/clipfrac",
            "explained_variance": "losses/explained_variance", "policy_loss": "losses/policy_loss",
            "value_loss": "losses/value_loss",
        },
    ),
    "trl ppo": (
        dict.fromkeys(["train/objective/kl", "train/objective/entropy", "train/objective/scores",
                       "train/objective/non_score_reward", "train/objective/rlhf_reward",
                       "train/policy/approxkl_avg", "train/policy/clipfrac_avg",
                       "train/policy/entropy_avg", "train/loss/policy_avg", "train/loss/value_avg",
                       "train/val/clipfrac_avg", "train/val/ratio", "train/lr"], 40),
        {
            "learning_rate": "train/lr", "reward": "train/objective/rlhf_reward",
            "kl": "train/policy/approxkl_avg", "entropy": "train/policy/entropy_avg",
            "clip_fraction": "train/policy/clipfrac_avg", "policy_loss": "train/loss/policy_avg",
            "value_loss": "train/loss/value_avg",
        },
    ),
    "skrl": (
        dict.fromkeys(["Reward / Total reward (mean)", "Reward / Total reward (max)",
                       "Reward / Instantaneous reward (mean)", "Episode / Total timesteps (mean)",
                       "Loss / Policy loss", "Loss / Value loss", "Loss / Entropy loss",
                       "Policy / Standard deviation", "Learning / Learning rate"], 40),
        {
            "learning_rate": "Learning / Learning rate", "reward": "Reward / Total reward (mean)",
            "entropy": "Loss / Entropy loss", "policy_loss": "Loss / Policy loss",
            "value_loss": "Loss / Value loss",
        },
    ),
    "finrl": (
        dict.fromkeys(["train/policy_loss", "train/value_loss", "train/reward", "train/learning_rate",
                       "train/explained_variance", "time/fps"], 40),
        {
            "learning_rate": "train/learning_rate", "reward": "train/reward",
            "explained_variance": "train/explained_variance", "policy_loss": "train/policy_loss",
            "value_loss": "train/value_loss",
        },
    ),
    "rllib": (
        dict.fromkeys(
            [RLLIB + "total_loss", RLLIB + "policy_loss", RLLIB + "vf_loss", RLLIB + "cur_lr",
             RLLIB + "kl", RLLIB + "cur_kl_coeff", RLLIB + "entropy", RLLIB + "entropy_coeff",
             RLLIB + "vf_explained_var", "ray/tune/episode_reward_mean", "ray/tune/episode_reward_min",
             "ray/tune/episode_reward_max", "ray/tune/episode_len_mean", "ray/tune/time_since_restore",
             "ray/tune/timers/learn_time_ms", "ray/tune/perf/cpu_util_percent"], 40),
        {
            "reward": "ray/tune/episode_reward_mean", "learning_rate": RLLIB + "cur_lr",
            "kl": RLLIB + "kl", "entropy": RLLIB + "entropy",
            "explained_variance": RLLIB + "vf_explained_var", "policy_loss": RLLIB + "policy_loss",
            "value_loss": RLLIB + "vf_loss",
        },
    ),
    "rllib, new stack": (
        dict.fromkeys(
            [LEARNERS + "total_loss", LEARNERS + "policy_loss", LEARNERS + "vf_loss",
             LEARNERS + "vf_loss_unclipped", LEARNERS + "entropy", LEARNERS + "curr_kl_coeff",
             LEARNERS + "vf_explained_var", LEARNERS + "default_optimizer_learning_rate",
             LEARNERS + "gradients_default_optimizer_global_norm",
             "ray/tune/env_runners/episode_return_mean", "ray/tune/env_runners/episode_return_min",
             "ray/tune/env_runners/episode_return_max", "ray/tune/env_runners/episode_len_mean"], 40),
        {
            "reward": "ray/tune/env_runners/episode_return_mean",
            "learning_rate": LEARNERS + "default_optimizer_learning_rate",
            "grad_norm": LEARNERS + "gradients_default_optimizer_global_norm",
            "entropy": LEARNERS + "entropy", "explained_variance": LEARNERS + "vf_explained_var",
            "policy_loss": LEARNERS + "policy_loss", "value_loss": LEARNERS + "vf_loss",
        },
    ),
    "ml-agents": (
        dict.fromkeys(["Losses/Value Loss", "Losses/Policy Loss", "Environment/Cumulative Reward",
                       "Environment/Episode Length", "Policy/Extrinsic Reward", "Policy/Learning Rate",
                       "Policy/Entropy", "Policy/Extrinsic Value Estimate", "Is Training"], 40),
        {
            "reward": "Environment/Cumulative Reward", "learning_rate": "Policy/Learning Rate",
            "policy_loss": "Losses/Policy Loss", "value_loss": "Losses/Value Loss",
            "entropy": "Policy/Entropy",
        },
    ),
    "rsl-rl": (
        dict.fromkeys(["Loss/value_function", "Loss/surrogate", "Loss/learning_rate", "Train/mean_reward",
                       "Train/mean_episode_length", "Train/mean_reward/time", "Episode/rew_collision",
                       "Episode/rew_torques", "Perf/total_fps", "Policy/mean_noise_std"], 40),
        {
            "reward": "Train/mean_reward", "learning_rate": "Loss/learning_rate",
            "policy_loss": "Loss/surrogate", "value_loss": "Loss/value_function",
        },
    ),
    "rsl-rl, newer": (
        dict.fromkeys(["Loss/value", "Loss/surrogate", "Loss/entropy", "Loss/learning_rate",
                       "Train/mean_reward", "Train/mean_episode_length", "Policy/mean_noise_std",
                       "Curriculum/terrain_levels", "Metrics/base_velocity/error_vel_xy"], 40),
        {
            "reward": "Train/mean_reward", "learning_rate": "Loss/learning_rate",
            "entropy": "Loss/entropy", "policy_loss": "Loss/surrogate", "value_loss": "Loss/value",
        },
    ),
    "pymarl": (
        dict.fromkeys(["loss", "td_error_abs", "return_mean", "test_return_mean", "return_std",
                       "test_return_std", "grad_norm", "ep_length_mean"], 40),
        {"reward": "return_mean", "val_reward": "test_return_mean", "grad_norm": "grad_norm"},
    ),
    "detectron2": (
        dict.fromkeys(["total_loss", "loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls",
                       "loss_rpn_loc", "fast_rcnn/cls_accuracy", "fast_rcnn/fg_cls_accuracy",
                       "mask_rcnn/accuracy", "lr", "data_time", "rank_data_time", "time", "eta_seconds",
                       "rpn/num_pos_anchors", "roi_head/num_bg_samples"], 40),
        {"train_loss": "total_loss", "learning_rate": "lr", "step_time": "time"},
    ),
    "detectron2 with a hook": (
        dict.fromkeys(["total_loss", "loss_cls", "loss_box_reg", "validation_loss", "bbox/AP", "bbox/AP50",
                       "lr"], 20),
        {"train_loss": "total_loss", "val_loss": "validation_loss", "val_metric": "bbox/AP",
         "learning_rate": "lr"},
    ),
    "catboost, classifier": (
        dict.fromkeys(["learn/Logloss", "test/Logloss", "test/AUC"], 60),
        {"train_loss": "learn/Logloss", "val_loss": "test/Logloss", "val_metric": "test/AUC"},
    ),
    "catboost, regressor": (
        dict.fromkeys(["learn/MAE", "test/MAE"], 60),
        {"train_loss": "learn/MAE", "val_loss": "test/MAE"},
    ),
    "allennlp": (
        {
            "train/loss/loss_train": 2000, "train/epoch_metrics/loss": 2000, "train/loss": 20,
            "validation/loss": 20, "validation/accuracy": 20, "train/accuracy": 20,
            "train/epoch_metrics/accuracy": 2000, "train/gradient_norm": 2000,
            **{f"train/gradient_mean/layer_{k}.weight": 2000 for k in range(3)},
            **{f"train/parameter_mean/layer_{k}.weight": 2000 for k in range(3)},
        },
        {
            "train_loss": "train/loss", "batch_loss": "train/loss/loss_train", "val_loss": "validation/loss",
            "train_metric": "train/accuracy", "val_metric": "validation/accuracy",
            "grad_norm": "train/gradient_norm",
        },
    ),
    "allennlp, reading": (
        dict.fromkeys(["validation/loss", "validation/em", "validation/f1", "validation/start_acc",
                       "validation/end_acc", "validation/span_acc"], 19),
        {"val_loss": "validation/loss", "val_metric": "validation/f1"},
    ),
    "catalyst": (
        {
            "train_log/loss/batch": 900, "train_log/loss/epoch": 30, "valid_log/loss/epoch": 30,
            "valid_log/loss/batch": 300, "train_log/accuracy/batch": 900, "train_log/accuracy/epoch": 30,
            "valid_log/accuracy/epoch": 30, "valid_log/accuracy/batch": 300, "train_log/lr/epoch": 30,
            "train_log/lr/batch": 900, "train_log/momentum/epoch": 30, "train_log/_timer/data_time": 900,
        },
        {
            "train_loss": "train_log/loss/epoch", "batch_loss": "train_log/loss/batch",
            "val_loss": "valid_log/loss/epoch", "train_metric": "train_log/accuracy/epoch",
            "val_metric": "valid_log/accuracy/epoch", "learning_rate": "train_log/lr/epoch",
        },
    ),
    "ludwig": (
        {"combined/step_training_loss": 600, "label/step_training_loss": 600,
         "combined/step_learning_rate": 600},
        {
            "train_loss": "combined/step_training_loss", "batch_loss": "combined/step_training_loss",
            "learning_rate": "combined/step_learning_rate",
        },
    ),
    "fastspeech2": (
        {f"{side}/Loss/{name}": n for side, n in (("train", 90), ("val", 1))
         for name in ("total_loss", "mel_loss", "mel_postnet_loss", "pitch_loss", "energy_loss")},
        {"train_loss": "train/Loss/total_loss", "batch_loss": "train/Loss/total_loss",
         "val_loss": "val/Loss/total_loss"},
    ),
    "vits": (
        dict.fromkeys(["loss/g/total", "loss/d/total", "loss/g/mel", "loss/g/kl", "loss/g/fm", "loss/g/0",
                       "loss/g/1", "loss/d_r/0", "loss/d_r/1", "loss/d_g/0", "loss/d_g/1",
                       "learning_rate"], 90),
        {"d_loss": "loss/d/total", "g_loss": "loss/g/total", "learning_rate": "learning_rate"},
    ),
    "transformer tutorial": (
        {"train loss": 2000}, {"train_loss": "train loss", "batch_loss": "train loss"},
    ),
    "sagemaker debugger": (
        {"loss/mul:0": 40, "conv1/weights:0": 40, "gradients/conv1/mul_grad/Sum:0": 40},
        {"train_loss": "loss/mul:0"},
    ),
    "schnetpack": ({"test_loss": 1, "test_energy_mae": 1, "epoch": 1}, {}),
    "digits example": (
        {"batch/loss": 640, "lr": 640, "grad_norm": 640, "loss/train": 40, "loss/val": 40,
         "accuracy/train": 40, "accuracy/val": 40, "balanced_accuracy/val": 40},
        {
            "train_loss": "loss/train", "batch_loss": "batch/loss", "val_loss": "loss/val",
            "train_metric": "accuracy/train", "val_metric": "accuracy/val",
            "balanced_metric": "balanced_accuracy/val", "learning_rate": "lr", "grad_norm": "grad_norm",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_binds_as_a_person_would(framework: str) -> None:
    points, expected = FRAMEWORKS[framework]
    run = a_run(points)
    found = bind(run)
    seen = {role: tag for role, tag in tags(found).items() if role != "epoch"}
    assert seen == expected
    assert not found.ambiguous
    assert not found.parts


EPOCHS = [
    ["epoch", "train_loss"],
    ["train/epoch", "train/loss"],
    ["ray/tune/iterations_since_restore", "ray/tune/episode_reward_mean"],
    ["episode", "return_mean"],
    ["Epoch number", "Epoch Training Loss"],
]


@pytest.mark.parametrize("names", EPOCHS)
def test_the_counter_of_epochs_is_bound(names: list[str]) -> None:
    run = a_run(names)
    run[names[0]] = Series.of(names[0], np.arange(20), np.arange(20) // 4)
    assert roles(run)["epoch"] == names[0]


def test_an_epoch_that_goes_down_is_none() -> None:
    assert "epoch" not in roles(a_run(["epoch", "loss"]))


@pytest.mark.parametrize(
    ("names", "metric"),
    [
        (["metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95"], 3),
        (
            [
                "metrics/precision(B)",
                "metrics/recall(B)",
                "metrics/mAP50(B)",
                "metrics/mAP50-95(B)",
            ],
            3,
        ),
    ],
)
@pytest.mark.parametrize("third", ["obj", "dfl"])
@pytest.mark.parametrize("rates", [["x/lr0", "x/lr1", "x/lr2"], ["lr/pg0", "lr/pg1", "lr/pg2"]])
def test_yolo_is_judged_part_by_part(
    names: list[str], metric: int, third: str, rates: list[str]
) -> None:
    terms = ["box", "cls", third]
    losses = [f"{side}/{term}_loss" for side in ("train", "val") for term in terms]
    found = bind(a_run([*losses, *names, *rates]))
    assert tags(found) == {"val_metric": names[metric], "learning_rate": rates[0]}
    assert found.bound[Role.VAL_METRIC].quantity == "map"
    assert not found.ambiguous
    assert [{role: b.tag for role, b in part.items()} for part in found.parts] == [
        {Role.TRAIN_LOSS: f"train/{term}_loss", Role.VAL_LOSS: f"val/{term}_loss"}
        for term in sorted(terms)
    ]


def test_a_validation_loss_that_is_switched_off_is_not_bound() -> None:
    off = {f"val/{term}_loss": np.zeros(20) for term in ("box", "cls")}
    found = bind(a_run(["train/box_loss", "train/cls_loss", *off, "metrics/mAP_0.5"], **off))
    assert tags(found) == {"val_metric": "metrics/mAP_0.5"}
    assert [list(part) for part in found.parts] == [[Role.TRAIN_LOSS], [Role.TRAIN_LOSS]]
    alone = a_run(["train/loss", "val/loss"], **{"val/loss": np.zeros(20)})
    assert roles(alone) == {"train_loss": "train/loss"}
