"""What a folder's earlier summaries and new ones make together: a history, bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tbdiag.summaries.events import Entry

# Of each tag, so many of the newest steps are kept: as many as TensorBoard shows. Pictures, documents
# and layouts would only fill the disk; of them the newest view counts.
_KEPT = {"scalars": 1000, "text": 10}


def merged(former: Sequence[Entry], new: Sequence[Entry]) -> list[Entry]:
    """All that stays of both, in order of their steps; equal arguments give equal lists.

    The view that saw later points counts, whichever was written first; of the other one those steps
    stay that came before it, since a training that was started over has voided the rest.
    """
    if not former or not new:
        return _ordered(former or new)
    older, newer = sorted((former, new), key=_seen)  # stable: of equals the new one counts
    top = max(each.step for each in newer)
    told = {(each.tag, each.step) for each in newer}
    earlier = [
        each
        for each in older
        if each.step < top and each.plugin in _KEPT and (each.tag, each.step) not in told
    ]
    return _bounded(_ordered([*earlier, *newer]))


def _seen(entries: Sequence[Entry]) -> tuple[float, int]:
    return max((each.wall, each.step) for each in entries)


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda each: (each.step, each.tag))


def _bounded(entries: Sequence[Entry]) -> list[Entry]:
    left = Counter({each.tag: _KEPT.get(each.plugin, len(entries)) for each in entries})
    kept = []
    for each in reversed(entries):
        if left[each.tag] > 0:
            left[each.tag] -= 1
            kept.append(each)
    return kept[::-1]
