"""A case and its detectors: exactly one outcome for each rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tbdiag.detectors.base import Detector


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rules as configured: ``detectors`` run; ``skipped`` and ``ignored`` map code → reason.

    ``digest`` names the configuration: equal digests mean equal thresholds and selection.
    """

    detectors: tuple[Detector, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
