"""Train a tiny transformer with the Hugging Face Trainer; needs transformers, accelerate, tensorboard.

    python train.py --output_dir runs/first --learning_rate 1e-3

`HfArgumentParser` makes a flag of every field: those of `Task` below and the hundred and more of
TrainingArguments. The Trainer logs them all to TensorBoard, where tbdiag finds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
)


@dataclass
class Task:
    train_size: int = field(default=512, metadata={"help": "training samples"})
    hidden_size: int = field(default=32, metadata={"help": "width of the model"})
    dropout: float = field(default=0.0, metadata={"help": "share of units dropped in training"})


def parity(samples, seed):
    """Sequences of 12 tokens; the label is whether the token 3 stands in the first half."""
    random = torch.Generator().manual_seed(seed)
    tokens = torch.randint(3, 8, (samples, 12), generator=random)
    labels = (tokens[:, :6] == 3).any(1).long()
    return [{"input_ids": t, "labels": label} for t, label in zip(tokens, labels, strict=True)]


def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def main():
    task, args = HfArgumentParser((Task, TrainingArguments)).parse_args_into_dataclasses()
    args.report_to = ["tensorboard"]
    args.logging_steps, args.eval_strategy = 8, "epoch"
    config = BertConfig(
        vocab_size=8,
        hidden_size=task.hidden_size,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * task.hidden_size,
        hidden_dropout_prob=task.dropout,
        max_position_embeddings=16,
        train_size=task.train_size,  # so that the Trainer logs it with the model's configuration
    )
    trainer = Trainer(
        model=BertForSequenceClassification(config),
        args=args,
        train_dataset=parity(task.train_size, seed=1),
        eval_dataset=parity(400, seed=2),
        compute_metrics=accuracy,
    )
    trainer.train()


if __name__ == "__main__":
    main()
