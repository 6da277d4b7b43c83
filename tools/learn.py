"""Train the classifier behind suspicions on the calibration part of the gallery.

python tools/learn.py --gallery build/gallery   # writes tbdiag/diagnosis/suspicion/classifier.json
python tools/learn.py --dry-run                 # only shows how often it is right

It prints for each kind how often the classifier is right about runs of problems that it was not trained on: all
runs of a tenth of the problems are left out in turn.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.diagnosis.answers import load
from benchmarks.diagnosis.labels import Label, read
from tbdiag.case import Case, Kind
from tbdiag.detectors.registry import rules
from tbdiag.diagnosis.suspicion import HEALTHY, LIKELY
from tbdiag.diagnosis.suspicion.features import NAMES, features
from tbdiag.diagnosis.suspicion.trained import FILE, encoded
from tbdiag.model.series import Floats
from tbdiag.signals.additive import Classifier, Scale

ROOT = Path(__file__).resolve().parent.parent
OTHER = "other"
# What looks alike is one kind; families that stand nowhere are `OTHER`, and are never suspected.
KINDS = {
    "rate-too-low": ("rate-too-low",),
    "rate-too-high": ("rate-too-high", "oscillation", "rate-of-another-optimizer"),
    "schedule-too-early": ("schedule-too-early",),
    "stopped-too-early": ("stopped-too-early",),
    "over-clipping": ("over-clipping",),
    "underfitting": ("underfitting",),
    "random-labels": ("random-labels",),
    "over-regularized": ("over-regularized",),
    "noisy-validation": ("noisy-validation",),
    "badly-scaled-weights": ("init-too-large", "uneven-init", "exploding-gradients"),
    "vanishing-gradients": ("vanishing-gradients",),
    "symmetric-init": ("symmetric-init",),
    "dead-units": ("dead-units", "saturated-units"),
    "frozen-layers": ("frozen-layers",),
}
PENALTY = 0.1  # inverse strength of the quadratic penalty
FOLDS = 20
COPIES = 3  # of each run, as if less of it had been logged
# What is often not logged: how often it is left out of a copy, and the features that go with it.
LEFT_OUT = (
    (0.4, ("batch_",)),
    (0.4, ("norm_", "promise")),
    (0.3, ("train_metric", "val_metric")),
    (0.3, ("constant", "annealed", "idle", "promise")),
    (0.3, ("adaptive",)),
    (0.1, ("val_", "gap", "first_gap")),
    (0.1, ("train_", "unlearned", "ready", "tau", "gap", "first_gap")),
)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Labelled runs: ``features`` (runs, n), and what each is."""

    labels: tuple[Label, ...]
    features: Floats

    @property
    def kinds(self) -> NDArray[np.str_]:
        """The kind of each run."""
        return np.array([kind(each) for each in self.labels])

    def subset(self, rows: Sequence[int]) -> Examples:
        """Some of the runs."""
        return Examples(tuple(self.labels[row] for row in rows), self.features[list(rows)])


def kind(label: Label) -> str:
    """What a run is to the classifier."""
    if not label.faulty:
        return HEALTHY
    return next((name for name, families in KINDS.items() if label.family in families), OTHER)


def gathered(folders: Sequence[Path]) -> Examples:
    """The supervised runs of the calibration part."""
    labels, rows = [], []
    for folder in folders:
        for label in read(folder, "calibration"):
            for run in load(folder / label.run)[:1]:
                case = Case(run)
                if case.kind is Kind.SUPERVISED:
                    labels.append(label)
                    rows.append(features(case))
    return Examples(tuple(labels), np.stack(rows))


def lessened(features: Floats, rng: np.random.Generator) -> Floats:
    """``features`` (runs, n) as if of each run some curves or settings had not been logged."""
    less = features.copy()
    for chance, starts in LEFT_OUT:
        rows = rng.random(len(features)) < chance
        columns = np.array([name.startswith(starts) for name in NAMES])
        less[rows[:, None] & columns] = np.nan
    return less


def learned(examples: Examples) -> Classifier:
    """The classifier of these runs, half of the weight on them as they are, and half on copies that tell less."""
    scale = Scale.of(examples.features)
    rng = np.random.default_rng(0)
    copies = (lessened(examples.features, rng) for _ in range(COPIES))
    forms = scale.forms(np.concatenate([examples.features, *copies]))
    model = LogisticRegression(C=PENALTY, max_iter=2000, tol=1e-4)
    weights = np.repeat([0.5, *[0.5 / COPIES] * COPIES], len(examples.labels))
    model.fit(forms.reshape(len(forms), -1), np.tile(examples.kinds, COPIES + 1), weights)
    return Classifier(
        kinds=tuple(str(each) for each in model.classes_),
        scale=scale,
        weights=model.coef_.reshape(-1, *forms.shape[1:]),
        intercepts=model.intercept_,
    )


def left_out(examples: Examples) -> list[tuple[str, float]]:
    """The likeliest kind of each run and its probability, by a classifier that never saw its problem."""
    told: list[tuple[str, float]] = [("", 0.0)] * len(examples.labels)
    problems = [each.task for each in examples.labels]
    for known, unknown in GroupKFold(FOLDS).split(examples.features, groups=problems):
        classifier = learned(examples.subset(known.tolist()))
        for row in unknown.tolist():
            shares = classifier.shares(examples.features[row])
            at = int(shares.argmax())
            told[row] = classifier.kinds[at], float(shares[at])
    return told


def shown(examples: Examples, told: Sequence[tuple[str, float]]) -> str:
    """How often each kind that a rule speaks of is suspected, and is right, above `LIKELY`."""
    codes = {rule.suspicion.kind: rule.code for rule in rules() if rule.suspicion is not None}
    lines = [
        f"{'kind':22s} {'runs':>5s} {'said':>5s} {'right':>6s} {'related':>8s} {'healthy':>8s}"
    ]
    actual = examples.kinds
    for name, code in codes.items():
        said = [
            label
            for label, (likely, share) in zip(examples.labels, told, strict=True)
            if likely == name and share > LIKELY
        ]
        right = sum(code in label.codes for label in said)
        related = sum(code in label.related for label in said)
        healthy = sum(not label.faulty for label in said)
        runs = int((actual == name).sum())
        lines.append(f"{name:22s} {runs:5d} {len(said):5d} {right:6d} {related:8d} {healthy:8d}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--gallery", type=Path, nargs="+", default=[ROOT / "build" / "gallery"], help="folders"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    args = parser.parse_args(argv)
    examples = gathered(args.gallery)
    problems = len({each.task for each in examples.labels})
    print(f"{len(examples.labels)} runs of {problems} problems, {len(NAMES)} features")
    print(shown(examples, left_out(examples)))
    if not args.dry_run:
        text = json.dumps(encoded(learned(examples)), indent=1)
        FILE.write_text(_compact(text) + "\n", encoding="utf-8")
    return 0


def _compact(text: str) -> str:
    """The JSON with each list of numbers on one line."""
    return re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)


if __name__ == "__main__":
    sys.exit(main())
