"""The classifier as `tools/learn.py` trained it, from the file beside this module and back."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tbdiag.diagnosis.suspicion.features import NAMES
from tbdiag.signals.additive import Classifier, Scale

FILE = Path(__file__).with_name("classifier.json")
_DIGITS = 4


@cache
def trained() -> Classifier:
    """The classifier that comes with tbdiag; raises ValueError where it was trained on other features."""
    return decoded(json.loads(FILE.read_text("utf-8")))


def encoded(classifier: Classifier) -> dict[str, Any]:
    """The classifier as JSON, to four digits: one line for each kind and feature."""
    scale = classifier.scale
    return {
        "kinds": list(classifier.kinds),
        "features": {
            name: [_short(each[at]) for each in (scale.low, scale.high, scale.mean, scale.sd)]
            for at, name in enumerate(NAMES)
        },
        "intercepts": [_short(each) for each in classifier.intercepts],
        "weights": {
            kind: {
                name: [_short(each) for each in classifier.weights[k, at]]
                for at, name in enumerate(NAMES)
            }
            for k, kind in enumerate(classifier.kinds)
        },
    }


def decoded(content: dict[str, Any]) -> Classifier:
    """The classifier that `encoded` made ``content`` of; raises ValueError for one of other features."""
    if tuple(content["features"]) != NAMES:
        raise ValueError("the classifier was trained on other features: run tools/learn.py")
    low, high, mean, sd = np.array(list(content["features"].values())).T
    weights = [list(each.values()) for each in content["weights"].values()]
    return Classifier(
        kinds=tuple(content["kinds"]),
        scale=Scale(low, high, mean, sd),
        weights=np.array(weights),
        intercepts=np.array(content["intercepts"]),
    )


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
