"""Train a small network to tell two spirals apart; needs torch and tensorboard.

    python train.py --lr 3e-3 --logdir runs/first

It knows nothing of tbdiag: `tbdiag init` reads its flags as they are, and writes the tbdiag.toml by
which `tbdiag suggest` retrains it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def parse_args():
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--train-size", type=int, default=400, help="training samples")
    add("--val-size", type=int, default=400, help="validation samples")
    add("--noise", type=float, default=0.1, help="of the data")
    add("--hidden", type=int, default=32, help="units in each of the two hidden layers")
    add("--dropout", type=float, default=0.0, help="share of hidden units dropped in training")
    add("--optimizer", choices=sorted(OPTIMIZERS), default="adam", help="update rule")
    add("--lr", type=float, default=1e-3, help="learning rate at its start")
    add("--weight-decay", type=float, default=0.0, help="of the optimizer")
    add("--scheduler", choices=("constant", "cosine"), default="constant", help="of the rate")
    add("--nesterov", action="store_true", help="with sgd: momentum 0.9 that looks ahead")
    add("--batch-size", type=int, default=32, help="samples a step")
    add("--epochs", type=int, default=20, help="passes over the training samples")
    add("--seed", type=int, default=0, help="of the weights and the order of the samples")
    add("--logdir", default="runs/spirals", help="folder for TensorBoard events")
    return parser.parse_args()


def spirals(samples, noise, seed):
    """(n, 2) points, (n,) classes."""
    random = torch.Generator().manual_seed(seed)
    classes = torch.arange(samples) % 2
    angle = 3 * torch.pi * torch.rand(samples, generator=random).sqrt()
    turned = angle + torch.pi * classes
    points = torch.stack([angle * turned.cos(), angle * turned.sin()], dim=1) / 5
    return points + noise * torch.randn(samples, 2, generator=random), classes


def build(args):
    def layer(inputs):
        return nn.Linear(inputs, args.hidden), nn.ReLU(), nn.Dropout(args.dropout)

    return nn.Sequential(*layer(2), *layer(args.hidden), nn.Linear(args.hidden, 2))


def main():
    args = parse_args()
    torch.manual_seed(args.seed)
    x, y = spirals(args.train_size, args.noise, seed=1)
    x_val, y_val = spirals(args.val_size, args.noise, seed=2)
    model = build(args)
    more = {"momentum": 0.9, "nesterov": True} if args.nesterov else {}
    optimizer = OPTIMIZERS[args.optimizer](
        model.parameters(), lr=args.lr, weight_decay=args.weight_decay, **more
    )
    steps = args.epochs * len(x.split(args.batch_size))
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    cross_entropy = nn.CrossEntropyLoss()

    writer = SummaryWriter(args.logdir)
    # Hyperparameters beside the events; writer.add_hparams would put them into a run of their own.
    Path(args.logdir, "hparams.json").write_text(json.dumps(vars(args)))
    step = 0
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for batch in torch.randperm(len(x)).split(args.batch_size):
            loss = cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.get_total_norm(p.grad for p in model.parameters())
            writer.add_scalar("grad_norm", norm, step)
            writer.add_scalar("lr", optimizer.param_groups[0]["lr"], step)
            optimizer.step()
            if args.scheduler == "cosine":
                decay.step()
            total += loss.item() * len(batch)
            step += 1
        model.eval()
        with torch.no_grad():
            logits = model(x_val)
        writer.add_scalar("loss/train", total / len(x), step)
        writer.add_scalar("loss/val", cross_entropy(logits, y_val), step)
        writer.add_scalar("accuracy/val", (logits.argmax(1) == y_val).float().mean(), step)
        writer.add_scalar("epoch", epoch + 1, step)
    writer.close()


if __name__ == "__main__":
    main()
