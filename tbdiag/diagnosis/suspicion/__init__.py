"""What a run looks like on which no rule found anything wrong.

Rules name what they can give a reason for. Some runs show by no single sign that their rate is too low, and yet all their
curves together look like those of such runs. Then the rule for that says so, as a note and with low
confidence, with those features that spoke most for it. Where they look a little like such runs, that rule cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Suspicion
from tbdiag.diagnosis.suspicion.features import FEATURES, FEWEST, features
from tbdiag.diagnosis.suspicion.trained import trained
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series

HEALTHY = "healthy"
LIKELY = 0.5  # the probability above which a kind is likelier than all others together
POSSIBLE = 0.25  # the probability above which a rule does not clear a run
_REASONS = 2
_LIKENESS = "likeness"


def suspect(case: Case, rules: Mapping[str, Detector]) -> Iterator[tuple[Detector, Finding | str]]:
    """Those of ``rules``, by kind, whose runs the case looks like: one with its finding, or some with a reason for doubt."""
    curve = _shown(case)
    if curve is None:
        return
    classifier, seen = trained(), features(case)
    for at, share in enumerate(classifier.shares(seen).tolist()):
        kind = classifier.kinds[at]
        rule = rules.get(kind)
        if share <= POSSIBLE or rule is None or rule.suspicion is None:
            continue
        if share > LIKELY:
            why = _foremost(classifier.reasons(seen, kind, HEALTHY))
            yield rule, _finding(rule, rule.suspicion, curve, share, why)
        else:
            yield (
                rule,
                f"the curves look somewhat like those of runs {rule.suspicion.whose} ({share:.0%}): too little to"
                " say so, too much to rule it out",
            )


def is_suspicion(finding: Finding) -> bool:
    """Whether a finding speaks only of what the run looks like."""
    return any(each.name == _LIKENESS for shown in finding.evidence for each in shown.measures)


def _finding(
    rule: Detector, suspicion: Suspicion, curve: Series, share: float, why: list[str]
) -> Finding:
    most = f", most by {' and '.join(why)}" if why else ""
    last = int(curve.steps[-1])
    return rule.finding(
        f"up to step {last:,} the curves look like those of runs {suspicion.whose} ({share:.0%}){most}",
        Evidence(
            tag=curve.tag,
            span=(int(curve.steps[0]), last),
            note="looks like such a run",
            measures=(Measure(_LIKENESS, share, ">", LIKELY),),
        ),
        severity=Severity.NOTE,
        confidence=Confidence.LOW,
        remedies=suspicion.remedies,
    )


def _shown(case: Case) -> Series | None:
    """The loss on which a suspicion is shown: of validation, else of training; None where both are short."""
    for role in (Role.VAL_LOSS, Role.TRAIN_LOSS):
        curve = case.curve(role)
        if curve is not None and len(curve) >= FEWEST:
            return curve
    return None


def _foremost(said: Floats) -> list[str]:
    """The features that speak most for it, where ``said`` (n,) is what each says and NaN nothing."""
    texts = tuple(FEATURES.values())
    speaking = np.nan_to_num(said, nan=-np.inf)
    return [texts[at] for at in np.argsort(-speaking)[:_REASONS].tolist() if speaking[at] > 0]
