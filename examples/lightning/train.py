"""Train a small network with Lightning; needs lightning, torch and tensorboard.

    python train.py --lr 3e-3 --dropout 0.1

The flags are argparse's. `save_hyperparameters` writes them to hparams.yaml beside the events, where
tbdiag finds them; every run has a folder of its own below --logdir.
"""

from __future__ import annotations

import argparse

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(lightning.LightningModule):
    def __init__(self, lr, weight_decay, dropout, hidden, max_epochs, batch_size, train_size):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(
            nn.Linear(2, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2)
        )

    def step(self, name, batch):
        x, y = batch
        logits = self.model(x)
        loss = nn.functional.cross_entropy(logits, y)
        self.log(f"{name}_loss", loss, on_step=False, on_epoch=True)
        self.log(
            f"{name}_acc", (logits.argmax(1) == y).float().mean(), on_step=False, on_epoch=True
        )
        return loss

    def training_step(self, batch, _):
        return self.step("train", batch)

    def validation_step(self, batch, _):
        self.step("val", batch)

    def configure_optimizers(self):
        hparams = self.hparams
        return torch.optim.AdamW(
            self.parameters(), lr=hparams.lr, weight_decay=hparams.weight_decay
        )


def rings(samples, seed):
    """Points inside and outside of a circle, with a few wrong labels."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 2, generator=random)
    wrong = torch.rand(samples, generator=random) < 0.05
    return TensorDataset(x, ((x.norm(dim=1) > 1.2) ^ wrong).long())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-epochs", type=int, default=10)
    parser.add_argument("--train-size", type=int, default=512)
    parser.add_argument("--logdir", default="lightning_logs")
    args = parser.parse_args()
    hparams = {name: value for name, value in vars(args).items() if name != "logdir"}

    lightning.seed_everything(0)
    trainer = lightning.Trainer(
        max_epochs=args.max_epochs,
        accelerator="cpu",
        logger=TensorBoardLogger(args.logdir, name=None),
        callbacks=[LearningRateMonitor()],
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.fit(
        Classifier(**hparams),
        DataLoader(rings(args.train_size, seed=1), args.batch_size, shuffle=True),
        DataLoader(rings(400, seed=2), 400),
    )


if __name__ == "__main__":
    main()
