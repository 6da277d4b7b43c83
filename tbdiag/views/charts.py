"""Which charts a run has, and in which order: those that findings speak of first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tbdiag.model.role import Role
from tbdiag.model.run import Run

_TOGETHER = (
    (Role.TRAIN_LOSS, Role.VAL_LOSS),
    (Role.TRAIN_METRIC, Role.VAL_METRIC),
    (Role.D_LOSS, Role.G_LOSS),
    (Role.REWARD, Role.VAL_REWARD),
)


def charts(run: Run, findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The charts of a run: their title, the tags with their roles, and numbers of findings in them.

    Training and validation share one. Histograms are drawn only where a finding speaks of them.
    """
    roles = {binding.tag: role for role, binding in run.roles.bound.items()}
    concerned = _concerned(findings, run.id)
    groups = _groups(run, roles, concerned)
    found = []
    for tags in groups:
        first = roles.get(tags[0])
        numbers = sorted({n for tag in tags for n in concerned.get(tag, ())})
        found.append(
            {
                "title": _title(run, tags, first),
                "curves": [
                    {
                        "tag": tag,
                        "role": roles[tag].value if tag in roles else "",
                        "kind": "scalar" if tag in run.series else "histogram",
                    }
                    for tag in tags
                ],
                "findings": numbers,
            }
        )
    found.sort(key=lambda each: (not each["findings"], each["findings"][:1], _rank(roles, each)))
    return found


def shared(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The charts of several runs laid over each other: what they measure, and each run's tag for it.

    Curves belong together where they play one role, else where they have one name; first come those that
    most runs have.
    """
    found: dict[str, dict[str, str]] = {}
    titles: dict[str, str] = {}
    for run in runs:
        roles = {binding.tag: (role, binding) for role, binding in run.roles.bound.items()}
        for tag in run.series:
            role, binding = roles.get(tag, (None, None))
            key = tag if role is None or binding is None else f"{role.value} {binding.quantity}"
            found.setdefault(key, {})[run.id] = tag
            if role is not None:
                titles[key] = role.phrase
    ranks = {role.phrase: at for at, role in reversed([*enumerate(_SHOWN)])}
    keys = sorted(
        found,
        key=lambda key: (-len(found[key]), ranks.get(titles.get(key, ""), len(_SHOWN)), key),
    )
    return [{"title": titles.get(key, key), "tags": found[key]} for key in keys]


_SHOWN = (
    *(Role.VAL_LOSS, Role.VAL_METRIC, Role.TRAIN_LOSS, Role.TRAIN_METRIC),
    *(role for role in Role if role is not Role.EPOCH),
)


def _rank(roles: Mapping[str, Role], chart: Mapping[str, Any]) -> int:
    """Losses and metrics first, then the other roles, then what has none; the epoch at last."""
    role = roles.get(chart["curves"][0]["tag"])
    if role is Role.EPOCH:
        return len(_SHOWN) + 1
    return len(_SHOWN) if role is None else _SHOWN.index(role)


def _concerned(findings: Sequence[Mapping[str, Any]], run: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        for evidence in finding["evidence"]:
            if evidence.get("run", run) == run:
                found.setdefault(evidence["tag"], []).append(number)
    return found


def _groups(
    run: Run, roles: Mapping[str, Role], concerned: Iterable[str]
) -> Iterable[tuple[str, ...]]:
    bound = {role: tag for tag, role in roles.items() if tag in run.series}
    taken: set[str] = set()
    for pair in _TOGETHER:
        tags = tuple(bound[role] for role in pair if role in bound)
        if tags:
            taken.update(tags)
            yield tags
    for part in run.roles.parts:
        tags = tuple(
            binding.tag
            for binding in part.values()
            if binding.tag in run.series and binding.tag not in taken
        )
        if tags:
            taken.update(tags)
            yield tags
    for tag in sorted(run.series):
        if tag not in taken:
            yield (tag,)
    for tag in concerned:
        if tag not in run.series and tag in run.histograms:
            yield (tag,)


def _title(run: Run, tags: Sequence[str], role: Role | None) -> str:
    if len(tags) > 1 and role is not None:
        binding = run.roles.bound.get(role)
        if role in (Role.TRAIN_METRIC, Role.VAL_METRIC, Role.TRAIN_LOSS) and binding:
            return binding.quantity.replace("_", " ")
    return tags[0] if len(tags) == 1 else " and ".join(tags)
