"""Roots first: which findings are mere consequences of others, and in which order they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tbdiag.detectors.base import Detector
from tbdiag.model.finding import Finding

# From cause to consequence: what comes earlier is looked at first.
FAMILIES = ("NUM", "INI", "GRD", "RLX", "GAN", "OPT", "GEN", "VAL", "LOG", "SYS", "SET")

# What a run would gain by going on, which stands behind what is wrong with it.
REMARKS = frozenset({"OPT006"})


def ordered(findings: Sequence[Finding], detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    """Roots before consequences, then the most severe, then remarks last, then by family and code.

    A finding is a consequence where another root of the run, no less severe, lists its code in
    ``explains``. A cause is settled before what it explains, else from the front of the chain, so a
    consequence never suppresses its own cause.
    """
    if len(findings) < 2:
        return tuple(findings)
    explains = {detector.code: detector.explains for detector in detectors}
    queue = sorted(findings, key=lambda f: (_depth(f, findings, explains), *_chain(f)))
    settled: list[Finding] = []
    for finding in queue:
        cause = next(
            (
                root.code
                for root in settled
                if root.suppressed_by is None
                and finding.code in explains.get(root.code, ())
                and root.severity.rank <= finding.severity.rank
            ),
            None,
        )
        settled.append(finding if cause is None else finding.suppressed(cause))
    return tuple(
        sorted(
            settled,
            key=lambda f: (
                f.suppressed_by is not None,
                f.severity.rank,
                f.code in REMARKS,
                *_chain(f),
            ),
        )
    )


def _depth(
    finding: Finding,
    findings: Sequence[Finding],
    explains: Mapping[str, tuple[str, ...]],
    seen: frozenset[str] = frozenset(),
) -> int:
    """How many causes, one behind the other, the findings hold for this one; circles end."""
    seen |= {finding.code}
    return max(
        (
            1 + _depth(cause, findings, explains, seen)
            for cause in findings
            if finding.code in explains.get(cause.code, ())
            and cause.code not in seen
            and cause.severity.rank <= finding.severity.rank
        ),
        default=0,
    )


def _chain(finding: Finding) -> tuple[int, int, str, str]:
    """The place in the chain of causes: within a family the graver one is the cause."""
    family = finding.code[:3]
    place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    tag = finding.evidence[0].tag if finding.evidence else ""
    return place, finding.severity.rank, finding.code, tag
