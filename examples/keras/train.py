"""Train a small network with Keras; needs keras, tensorflow and tbdiag.

    python train.py

There are no flags: `tbdiag.params` gives the defaults, overridden where tbdiag started the run, and
TBDIAG_LOGDIR is the folder that such a run logs to. `tbdiag init` reads the call below.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import keras
import numpy as np

import tbdiag

params = tbdiag.params(
    lr=1e-3,
    weight_decay=0.0,
    dropout=0.0,
    width=32,
    batch_size=32,
    epochs=10,
    train_size=512,
    seed=0,
)
logdir = Path(os.environ.get("TBDIAG_LOGDIR", "logs/rings"))


def rings(samples, seed):
    """Points inside and outside of a circle, with a few wrong labels."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(samples, 2)).astype("float32")
    wrong = random.random(samples) < 0.05
    return x, ((np.linalg.norm(x, axis=1) > 1.2) ^ wrong).astype("int32")


keras.utils.set_random_seed(params.seed)
model = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(params.width, activation="relu"),
        keras.layers.Dropout(params.dropout),
        keras.layers.Dense(2),
    ]
)
model.compile(
    optimizer=keras.optimizers.AdamW(params.lr, weight_decay=params.weight_decay),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
logdir.mkdir(parents=True, exist_ok=True)
(logdir / "hparams.json").write_text(json.dumps(params))
model.fit(
    *rings(params.train_size, seed=1),
    validation_data=rings(400, seed=2),
    batch_size=params.batch_size,
    epochs=params.epochs,
    callbacks=[keras.callbacks.TensorBoard(logdir)],
    verbose=0,
)
