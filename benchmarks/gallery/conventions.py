"""How users name their curves: the tags, axes and other habits of each convention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Convention:
    """Plain name of a curve → its tag, with the event file's sub-folder before ``::``.

    What has no tag is not logged. ``tensors`` formats the names of histograms by their kind, ``sizes`` those
    of curves that tell the norm of a gradient or the share of zeros among activations in their place.
    """

    tags: dict[str, str]
    tensors: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    epochs: bool = False  # curves by the epoch have the epoch as their step, else the step
    first_epoch: int = 1
    percent: bool = False
    decimals: int | None = None
    hparams: Literal["plugin", "yaml", "json", "text", ""] = "plugin"
    names: dict[str, str] = field(default_factory=dict)  # of hyperparameters


_TENSORS = {
    "weights": "weights/{name}",
    "biases": "biases/{name}",
    "gradients": "gradients/{name}",
    "activations": "activations/{name}",
}
_TORCH_TENSORS = {
    "weights": "{name}.weight",
    "biases": "{name}.bias",
    "gradients": "{name}.weight.grad",
    "activations": "{name}.output",
}

CONVENTIONS: dict[str, Convention] = {
    "plain": Convention(
        tags={
            "batch_loss": "batch/loss",
            "train_loss": "loss/train",
            "val_loss": "loss/val",
            "train_metric": "accuracy/train",
            "val_metric": "accuracy/val",
            "val_balanced": "balanced_accuracy/val",
            "rate": "lr",
            "norm": "grad_norm",
            "epoch": "epoch",
            "loss_scale": "loss_scale",
        },
        tensors=_TENSORS,
    ),
    "keras": Convention(
        tags={
            "train_loss": "train::epoch_loss",
            "val_loss": "validation::epoch_loss",
            "train_metric": "train::epoch_accuracy",
            "val_metric": "validation::epoch_accuracy",
            "val_balanced": "validation::epoch_balanced_accuracy",
            "rate_by_epoch": "train::epoch_learning_rate",
            "batch_loss": "train::batch_loss",
            "loss_scale": "train::loss_scale",
        },
        tensors={
            "weights": "train::dense/{name}/kernel_0",
            "biases": "train::dense/{name}/bias_0",
            "gradients": "train::gradients/{name}/kernel",
            "activations": "train::activations/{name}",
        },
        epochs=True,
        first_epoch=0,
        hparams="json",
        names={"lr": "learning_rate"},
    ),
    "lightning": Convention(
        tags={
            "batch_loss": "train_loss_step",
            "train_loss": "train_loss_epoch",
            "val_loss": "val_loss",
            "train_metric": "train_acc",
            "val_metric": "val_acc",
            "val_balanced": "val_balanced_acc",
            "rate": "lr-{optimizer}",
            "norm": "grad_2.0_norm_total",
            "epoch": "epoch",
            "loss_scale": "grad_scale",
        },
        tensors=_TORCH_TENSORS,
        hparams="yaml",
        names={"lr": "learning_rate", "epochs": "max_epochs"},
    ),
    "huggingface": Convention(
        tags={
            "batch_loss": "train/loss",
            "val_loss": "eval/loss",
            "val_metric": "eval/accuracy",
            "val_balanced": "eval/balanced_accuracy",
            "rate": "train/learning_rate",
            "norm": "train/grad_norm",
            "epoch": "train/epoch",
            "loss_scale": "train/loss_scale",
        },
        tensors=_TENSORS,
        decimals=4,
        hparams="text",
        names={
            "lr": "learning_rate",
            "batch_size": "per_device_train_batch_size",
            "epochs": "num_train_epochs",
            "clip_norm": "max_grad_norm",
            "scheduler": "lr_scheduler_type",
        },
    ),
    "words": Convention(
        tags={
            "train_loss": "Epoch Loss/Train",
            "val_loss": "Epoch Loss/Validation",
            "train_metric": "Epoch Accuracy/Train",
            "val_metric": "Epoch Accuracy/Validation",
            "val_balanced": "Epoch Balanced Accuracy/Validation",
            "rate_by_epoch": "Learning Rate",
            "norm": "Gradient Norm",
            "batch_loss": "Batch Loss/Train",
            "loss_scale": "Loss Scale",
        },
        tensors={
            "weights": "Weights/{name}",
            "gradients": "Gradients/{name}",
            "activations": "Activations/{name}",
        },
        epochs=True,
        percent=True,
        hparams="",
    ),
    "bare": Convention(
        tags={
            "train_loss": "loss",
            "val_loss": "val_loss",
            "train_metric": "acc",
            "val_metric": "val_acc",
            "val_balanced": "val_balanced_acc",
            "rate_by_epoch": "lr",
            "batch_loss": "loss_batch",
            "norm": "grad_norm",
            "loss_scale": "scale",
        },
        tensors=_TORCH_TENSORS,
        epochs=True,
        first_epoch=0,
        hparams="plugin",
    ),
    "loop": Convention(
        tags={
            "batch_loss": "Loss/train_step",
            "train_loss": "Loss/train",
            "val_loss": "Loss/test",
            "train_metric": "Accuracy/train",
            "val_metric": "Accuracy/test",
            "val_balanced": "BalancedAccuracy/test",
            "rate": "LR",
            "norm": "grad/total_norm",
            "loss_scale": "amp/scale",
        },
        tensors={
            "weights": "{name}/weight",
            "biases": "{name}/bias",
            "gradients": "{name}/grad",
            "activations": "{name}/activation",
        },
        hparams="plugin",
        names={"lr": "learning_rate", "weight_decay": "wd", "batch_size": "bs"},
    ),
    "catalyst": Convention(
        tags={
            "batch_loss": "train_log::loss/batch",
            "train_loss": "train_log::loss/epoch",
            "val_loss": "valid_log::loss/epoch",
            "train_metric": "train_log::accuracy/epoch",
            "val_metric": "valid_log::accuracy/epoch",
            "val_balanced": "valid_log::balanced_accuracy/epoch",
            "rate": "train_log::lr/batch",
            "norm": "train_log::grad_norm/batch",
            "loss_scale": "train_log::loss_scale/batch",
        },
        tensors={
            "weights": "train_log::weights/{name}",
            "gradients": "train_log::gradients/{name}",
            "activations": "train_log::activations/{name}",
        },
        epochs=True,
        hparams="json",
    ),
    "parameters": Convention(
        tags={
            "batch_loss": "Train/BatchLoss",
            "train_loss": "Train/Loss",
            "val_loss": "Val/Loss",
            "train_metric": "Train/Acc",
            "val_metric": "Val/Acc",
            "val_balanced": "Val/BalancedAcc",
            "rate_by_epoch": "Train/LR",
            "loss_scale": "Train/LossScale",
        },
        tensors={"weights": "{name}.weight", "biases": "{name}.bias"},
        epochs=True,
        hparams="",
    ),
    "watched": Convention(
        tags={
            "batch_loss": "step/train_loss",
            "train_loss": "epoch/train_loss",
            "val_loss": "epoch/valid_loss",
            "train_metric": "epoch/train_accuracy",
            "val_metric": "epoch/valid_accuracy",
            "val_balanced": "epoch/valid_balanced_accuracy",
            "rate": "step/lr",
            "loss_scale": "step/scale",
        },
        tensors={
            "weights": "parameters/{name}",
            "biases": "parameters/{name}_bias",
            "gradients": "gradients/{name}",
        },
        hparams="json",
    ),
    "steps": Convention(
        tags={
            "batch_loss": "train/loss",
            "rate": "train/lr",
            "norm": "train/grad_norm",
            "loss_scale": "train/scale",
        },
        tensors=_TENSORS,
        hparams="json",
        names={"lr": "learning_rate"},
    ),
    "grad-norms": Convention(
        tags={
            "batch_loss": "train/loss_step",
            "train_loss": "train/loss_epoch",
            "val_loss": "val/loss",
            "train_metric": "train/acc",
            "val_metric": "val/acc",
            "val_balanced": "val/balanced_acc",
            "rate": "lr-{optimizer}",
            "norm": "grad_2.0_norm_total",
            "epoch": "epoch",
            "loss_scale": "grad_scale",
        },
        sizes={"gradients": "grad_2.0_norm/{name}.weight"},
        hparams="yaml",
        names={"lr": "learning_rate", "epochs": "max_epochs"},
    ),
    "evaluated": Convention(
        tags={
            "batch_loss": "train/loss",
            "val_loss": "eval/loss",
            "val_metric": "eval/accuracy",
            "val_balanced": "eval/balanced_accuracy",
            "rate": "train/learning_rate",
            "norm": "train/grad_norm",
            "epoch": "train/epoch",
            "loss_scale": "train/loss_scale",
        },
        decimals=4,
        hparams="text",
        names={"lr": "learning_rate", "epochs": "num_train_epochs", "clip_norm": "max_grad_norm"},
    ),
    "zeros": Convention(
        tags={
            "batch_loss": "Loss/train_batch",
            "train_loss": "Loss/train",
            "val_loss": "Loss/valid",
            "train_metric": "Accuracy/train",
            "val_metric": "Accuracy/valid",
            "val_balanced": "BalancedAccuracy/valid",
            "rate_by_epoch": "LearningRate",
            "norm": "GradNorm/total",
            "loss_scale": "LossScale",
        },
        sizes={"gradients": "GradNorm/{name}", "activations": "DeadFraction/{name}"},
        epochs=True,
        hparams="json",
    ),
    "sb3": Convention(
        tags={
            "return": "rollout/ep_rew_mean",
            "length": "rollout/ep_len_mean",
            "kl": "train/approx_kl",
            "clipped": "train/clip_fraction",
            "minus_entropy": "train/entropy_loss",  # it is the entropy's negative
            "explained": "train/explained_variance",
            "rate": "train/learning_rate",
            "loss": "train/loss",
            "policy_loss": "train/policy_gradient_loss",
            "value_loss": "train/value_loss",
        },
        hparams="",
    ),
    "cleanrl": Convention(
        tags={
            "return": "charts/episodic_return",
            "length": "charts/episodic_length",
            "rate": "charts/learning_rate",
            "kl": "losses/approx_kl",
            "clipped": "losses/clipfrac",
            "entropy": "losses/entropy",
            "explained": "losses/explained_variance",
            "policy_loss": "losses/policy_loss",
            "value_loss": "losses/value_loss",
        },
        hparams="text",
    ),
    "gan-loop": Convention(
        tags={"d_loss": "Loss/D", "g_loss": "Loss/G", "d_real": "D(x)", "d_fake": "D(G(z))"},
    ),
    "gan-bare": Convention(
        tags={"d_loss": "d_loss", "g_loss": "g_loss", "d_real": "d_real", "d_fake": "d_fake"},
        hparams="json",
    ),
}

# What a run logs at each level of care; None: all that the convention has a tag for.
DETAIL: dict[str, frozenset[str] | None] = {
    "full": None,
    "usual": None,
    "sparse": frozenset({"train_loss", "val_loss", "val_metric"}),
    "curve-only": frozenset({"train_loss"}),
}
