"""Small curves of plausible shape for tags."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tbdiag.model.role import RoleMap
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind


def falling(n: int, tag: str = "") -> np.ndarray:
    """A loss of n points, a little different for every tag."""
    return (
        0.2
        + 2.0 * np.exp(-np.arange(n) / max(n / 3, 1))
        + (len(tag) % 7 + sum(map(ord, tag)) % 97) / 1e3
    )


def rising(n: int, tag: str = "") -> np.ndarray:
    """An accuracy of n points, a little different for every tag."""
    return 0.9 - 0.8 * np.exp(-np.arange(n) / max(n / 3, 1)) - (sum(map(ord, tag)) % 89) / 1e4


def a_run(
    points: Mapping[str, int] | list[str], n: int = 20, **values: np.ndarray
) -> dict[str, Series]:
    """Curves by tag: ``points`` gives their lengths (``n`` each for a list), falling like a loss."""
    lengths = points if isinstance(points, Mapping) else dict.fromkeys(points, n)
    return {
        tag: Series.of(tag, np.arange(length), values.get(tag, falling(length, tag)))
        for tag, length in lengths.items()
    }


def roles(run: Mapping[str, Series]) -> dict[str, str]:
    """The bound roles of a run by name, each with its tag."""
    return tags(bind(run))


def tags(found: RoleMap) -> dict[str, str]:
    """The tag in every bound role."""
    return {role.value: binding.tag for role, binding in found.bound.items()}
