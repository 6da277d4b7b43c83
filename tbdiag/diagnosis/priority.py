"""Roots first: which findings are mere consequences of others, and in which order they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tbdiag.detectors.base import Detector
from tbdiag.model.finding import Confidence, Finding, Severity

# From cause to consequence: what comes earlier is looked at first.
FAMILIES = ("NUM", "INI", "GRD", "RLX", "GAN", "OPT", "GEN", "VAL", "LOG", "SYS", "SET")

# Notes of what a run would gain, or cannot show, which stand behind what is wrong with it.
REMARKS = ("OPT006", "OPT011", "VAL001")

# What was lost, which stands behind what may have cost it.
OUTCOMES = frozenset({"RLX004"})

_SURE = tuple(Confidence)  # from low to high


def ordered(findings: Sequence[Finding], detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    """Roots before consequences, then the most severe, then remarks last, then by family and code.

    What a root `leads` stands behind it all the same, even where that is graver. A finding is a
    consequence where another root of the run, no less severe, lists its code in ``explains``. A
    cause is settled before what it explains, else from the front of the chain, so a consequence
    never suppresses its own cause.
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
    settled.sort(
        key=lambda f: (f.suppressed_by is not None, f.severity.rank, _remark(f), *_chain(f))
    )
    leads = {detector.code: detector.leads for detector in detectors if detector.leads}
    return tuple(_led(settled, leads))


def _led(found: Sequence[Finding], leads: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    """``found`` with each root moved right before the first of those roots that it leads."""
    placed: list[Finding] = []
    for finding in found:
        led = leads.get(finding.code, ()) if finding.suppressed_by is None else ()
        behind = (
            at
            for at, other in enumerate(placed)
            if other.code in led and other.suppressed_by is None
        )
        placed.insert(next(behind, len(placed)), finding)
    return placed


def _remark(finding: Finding) -> int:
    """0 for what is wrong, above for a mere remark, in the order in which these stand."""
    if finding.severity is not Severity.NOTE or finding.code not in REMARKS:
        return 0
    return 1 + REMARKS.index(finding.code)


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


def _chain(finding: Finding) -> tuple[int, int, bool, int, str, str]:
    """The place in the chain of causes: within a family the graver one is the cause, or the surer."""
    family = finding.code[:3]
    place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    tag = finding.evidence[0].tag if finding.evidence else ""
    return (
        place,
        finding.severity.rank,
        finding.code in OUTCOMES,
        -_SURE.index(finding.confidence),
        finding.code,
        tag,
    )
