"""Train a small network on scikit-learn's handwritten digits and log it to TensorBoard.

Runs in about a second and needs numpy, scikit-learn and tensorboardX:

    python train.py --optimizer adam --lr 1e-3 --scheduler cosine --logdir runs/first
    tensorboard --logdir runs
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from network import ACTIVATIONS, INITS, MLP, cross_entropy
from optim import OPTIMIZERS, SCHEDULERS, Optimizer, clip_by_norm, learning_rate
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

SPLIT_SEED = 0  # the same split for every --seed, so that runs can be compared
HISTOGRAM_RECORDS = 8
NOT_HYPERPARAMETERS = {"logdir", "checkpoint", "resume", "stop_at_step", "log_every"}


def hidden_sizes(text):
    """'64,32' -> (64, 32); '' -> (), which is softmax regression."""
    return tuple(int(size) for size in text.split(",") if size)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    data = parser.add_argument_group("data").add_argument
    data("--train-size", type=int, default=1000, help="training samples")
    data("--val-size", type=int, default=797, help="validation samples; 0 switches it off")
    data("--label-noise", type=float, default=0.0, help="share of labels drawn at random")
    data(
        "--imbalance",
        type=float,
        default=0.0,
        help="tell the digit 8 from the rest, with only this share of eights; 0: all ten digits",
    )
    net = parser.add_argument_group("network").add_argument
    net("--hidden", default="64,64", help="sizes of the hidden layers, '' for none")
    net("--activation", choices=sorted(ACTIVATIONS), default="relu", help="of hidden units")
    net("--dropout", type=float, default=0.0, help="share of hidden units dropped in training")
    net("--init", choices=INITS, default="he", help="initialisation of the weights")
    net("--init-scale", type=float, default=1.0, help="factor on the initial weights")
    opt = parser.add_argument_group("optimization").add_argument
    opt("--optimizer", choices=OPTIMIZERS, default="adam", help="update rule")
    opt("--lr", type=float, default=1e-3, help="learning rate at its peak")
    opt("--momentum", type=float, default=0.9, help="of momentum; first beta of adam and adamw")
    opt("--weight-decay", type=float, default=0.0, help="L2; decoupled with adamw")
    opt("--scheduler", choices=SCHEDULERS, default="constant", help="course of the learning rate")
    opt("--warmup", type=float, default=0.0, help="share of the run with a rising learning rate")
    opt("--clip-norm", type=float, default=0.0, help="limit of the gradient's norm; 0: none")
    opt("--batch-size", type=int, default=64, help="samples a step")
    opt("--epochs", type=int, default=40, help="passes over the training samples")
    opt("--seed", type=int, default=0, help="of initialisation, order and dropout")
    add("--logdir", type=Path, default=Path("runs/digits"), help="folder for TensorBoard events")
    add("--log-every", type=int, default=1, help="steps between records of batch curves")
    add("--checkpoint", type=Path, help="file (.npz) to save the state to, every ten epochs")
    add("--resume", action="store_true", help="start from --checkpoint")
    add("--stop-at-step", type=int, help="quit at this step without saving, as if pre-empted")
    args = parser.parse_args(argv)
    if args.resume and args.checkpoint is None:
        parser.error("--resume needs --checkpoint")
    return args


def load_data(args):
    """((x, y) of training, (x, y) of validation); x: (n, 64) in 0…1, y: class numbers."""
    x, y = load_digits(return_X_y=True)
    x = x / 16.0
    rng = np.random.default_rng(SPLIT_SEED)
    if args.imbalance > 0:
        y = (y == 8).astype(int)
        rest, eights = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
        keep = round(len(rest) * args.imbalance / (1.0 - args.imbalance))
        kept = np.concatenate([rest, rng.permutation(eights)[:keep]])
        x, y = x[kept], y[kept]
    noisy = rng.random(len(y)) < args.label_noise
    y = np.where(noisy, rng.integers(0, y.max() + 1, len(y)), y)
    if args.val_size == 0:
        order = rng.permutation(len(y))[: args.train_size]
        return (x[order], y[order]), None
    x_train, x_val, y_train, y_val = train_test_split(
        x, y, train_size=args.train_size, test_size=args.val_size, stratify=y,
        random_state=SPLIT_SEED,
    )  # fmt: skip
    return (x_train, y_train), (x_val, y_val)


def save_checkpoint(path, model, optimizer, epoch):
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = {"epoch": epoch, "updates": optimizer.updates}
    np.savez(path, **model.params, **optimizer.state, **counts)


def load_checkpoint(path, model, optimizer):
    """Fill model and optimizer in place; returns the number of finished epochs."""
    with np.load(path, allow_pickle=False) as saved:
        for arrays in (model.params, optimizer.state):
            for name, array in arrays.items():
                array[...] = saved[name]
        optimizer.updates = int(saved["updates"])
        return int(saved["epoch"])


def session_summaries(args):
    """The records that show the hyperparameters in TensorBoard: two for the start, one for the end.

    SummaryWriter.add_hparams would put them into a run of their own.
    """
    values = {k: v for k, v in vars(args).items() if k not in NOT_HYPERPARAMETERS}
    return hparams(values, {"loss/val": 0, "accuracy/val": 0})


def log_histograms(writer, model, gradients, step):
    tensors = dict(model.params)
    for layer in range(1, model.depth + 1):
        tensors[f"gradients/layer{layer}"] = gradients[f"weights/layer{layer}"]
    for layer, activation in enumerate(model.activations, start=1):
        tensors[f"activations/layer{layer}"] = activation
    for tag, values in tensors.items():
        if np.isfinite(values).all():
            writer.add_histogram(tag, values, step, bins=40)


def evaluate(model, x, y, imbalanced):
    """Validation scalars by tag."""
    logits = model.forward(x)
    predicted = logits.argmax(axis=1)
    scores = {"loss/val": cross_entropy(logits, y)[0], "accuracy/val": (predicted == y).mean()}
    if imbalanced:
        scores["balanced_accuracy/val"] = balanced_accuracy_score(y, predicted)
    return scores


def train(args):
    (x, y), validation = load_data(args)
    model = MLP(
        (x.shape[1], *hidden_sizes(args.hidden), int(y.max()) + 1),
        np.random.default_rng(args.seed),
        args.activation, args.init, args.init_scale, args.dropout,
    )  # fmt: skip
    optimizer = Optimizer(args.optimizer, model.params, args.weight_decay, args.momentum)
    first_epoch = load_checkpoint(args.checkpoint, model, optimizer) if args.resume else 0
    rng = np.random.default_rng([args.seed, first_epoch])

    batches = math.ceil(len(y) / args.batch_size)
    total = args.epochs * batches
    histogram_steps = set(np.linspace(0, total - 1, HISTOGRAM_RECORDS, dtype=int).tolist())
    step, bad_epochs = first_epoch * batches, 0

    writer = SummaryWriter(str(args.logdir))
    experiment, session_start, session_end = session_summaries(args)
    writer.file_writer.add_summary(experiment, step)
    writer.file_writer.add_summary(session_start, step)
    for epoch in range(first_epoch, args.epochs):
        losses, hits = [], 0
        order = rng.permutation(len(y))
        for batch in np.array_split(order, batches):
            if step == args.stop_at_step:
                writer.close()
                print(f"stopped at step {step}")
                return
            lr = learning_rate(step, total, args.lr, args.scheduler, args.warmup)
            logits = model.forward(x[batch], rng)
            loss, d_logits = cross_entropy(logits, y[batch])
            gradients = model.backward(d_logits)
            if step in histogram_steps:
                log_histograms(writer, model, gradients, step)
            norm = clip_by_norm(gradients, args.clip_norm)
            if step % args.log_every == 0:
                writer.add_scalar("batch/loss", loss, step)
                writer.add_scalar("lr", lr, step)
                writer.add_scalar("grad_norm", norm, step)
            optimizer.step(gradients, lr)
            losses.append(loss * len(batch))
            hits += int((logits.argmax(axis=1) == y[batch]).sum())
            step += 1

        train_loss = sum(losses) / len(y)
        scores = {"epoch": epoch + 1, "loss/train": train_loss, "accuracy/train": hits / len(y)}
        if validation is not None:
            scores |= evaluate(model, *validation, imbalanced=args.imbalance > 0)
        for tag, value in scores.items():
            writer.add_scalar(tag, value, step)
        print("  ".join(f"{tag} {value:.4g}" for tag, value in scores.items()))

        if args.checkpoint and (epoch + 1) % 10 == 0:
            save_checkpoint(args.checkpoint, model, optimizer, epoch + 1)
        bad_epochs = 0 if np.isfinite(train_loss) else bad_epochs + 1
        if bad_epochs == 3:
            print("the loss is no longer finite: giving up")
            break
    writer.file_writer.add_summary(session_end, step)
    writer.close()


def main(argv=None):
    args = parse_args(argv)
    # Diverging is one of the things this script is for: it shows in the curves.
    with np.errstate(all="ignore"):
        train(args)


if __name__ == "__main__":
    main()
