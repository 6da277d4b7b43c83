"""How many samples an accuracy was measured on, read off the values themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tbdiag.model.series import Floats

# Twice the spacing of float32: a count divided, scaled to percent and back, strays less.
_RESOLUTION = 2.0**-22
_DECIMALS = (2, 3, 4, 5)
_SLACK = 1.001  # for errors of computing, which are far below those of the values
_UP_TO = (2_000, 20_000)  # sizes that are tried first: most sets are small
# Sizes of evaluation batches that people use, and how much each counts a priori.
_BATCHES = {
    **dict.fromkeys((8, 16, 32, 64, 100, 128, 256, 512, 1024), 0.1),
    **dict.fromkeys((4, 10, 20, 25, 50, 200, 250, 500, 1000), 0.03),
}
_LOGGED_BATCH = 2.0
_OTHER_BATCH = 0.25  # how much less those count where one was logged: most evaluate with the same
_NEGLIGIBLE = 0.01
_DOUBT = 0.01  # probability that a set is larger than the bound which few distinct values give
_DROPS_LAST = 0.1  # the share of evaluations that leave the last, smaller batch out
_SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)  # in log odds: how the last batch may differ from the rest


@dataclass(frozen=True, slots=True)
class SetSize:
    """The set holds ``least`` to ``most`` samples; ``most`` is certain, ``least`` is an estimate.

    Where not ``sure``, ``most`` holds in 99 cases of a hundred only.
    """

    least: int
    most: int
    sure: bool = True

    @property
    def exact(self) -> bool:
        """Whether the size is one number."""
        return self.sure and self.least == self.most


def set_size(
    shares: Floats,
    *,
    batches: Sequence[int] = (),
    chance: float = 1e-3,
    ambiguity: float = 0.3,
    largest: int = 200_000,
) -> SetSize | None:
    """The number of samples behind accuracies ``shares`` (n,) between 0 and 1, None if untold.

    Accuracies of N samples lie on the grid k/N, to within float32 or the decimals that were kept.
    The smallest such N up to ``largest`` is accepted where values that are not on a grid would lie
    on one as fine with a probability below ``chance``, and where it is as improbable that the counts
    behind all distinct values are multiples of the same number by chance. Where the values are too
    few for that, N is at most the multiple beyond which the truth lies in one case of a hundred. A mean of the means of unequal batches lies
    on a grid that is finer than 1/N: unless its odds against the plain reading are at most
    ``ambiguity``, the answer is a range. ``batches`` are batch sizes known to be in use.
    """
    distinct = _distinct(shares[(shares > 0) & (shares < 1)])
    size = _grid_size(distinct, chance, largest)
    if size is None:
        return None
    if 2.0 ** -len(distinct) > chance:
        most = size * _multiple(len(distinct))
        return SetSize(size, most, sure=False) if most <= largest else None
    known = _BATCHES
    if batches:
        others = {batch: _OTHER_BATCH * likely for batch, likely in _BATCHES.items()}
        known = others | dict.fromkeys(batches, _LOGGED_BATCH)
    plain = _evaluated(size, known) / size
    readings = dict(_readings(size, known))
    odds = {
        reading: readings[reading] * fit * (_popularity(reading.samples) / reading.samples) / plain
        for reading, fit in zip(readings, _fits(tuple(readings), shares, size), strict=True)
    }
    total = sum(odds.values())
    if total <= ambiguity:
        return SetSize(size, size)
    likely_enough = (r.samples for r, each in odds.items() if each > _NEGLIGIBLE * total)
    return SetSize(min(likely_enough), size)


def _distinct(values: Floats) -> Floats:
    """What `numpy.unique` gives, without its toll on short arrays; sorts ``values`` (n,)."""
    values.sort()
    fresh = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=fresh[1:])
    return values[fresh]


def _multiple(values: int) -> int:
    """The largest likely ratio of the set's size to the grid of so many distinct ``values``.

    Counts are all multiples of g with a probability of g to the power of −n, so that the tail beyond
    a ratio of k is less than k^(1 − n)/(n − 1).
    """
    ratio = 1
    while (
        sum(each**-values for each in range(ratio + 1, ratio + 50))
        + (ratio + 50.0) ** (1 - values) / (values - 1)
        > _DOUBT
    ):
        ratio += 1
    return ratio


def _grid_size(values: Floats, chance: float, largest: int) -> int | None:
    """The grid of distinct ``values``, told from the grid of the decimals that were kept."""
    if len(values) < 2:
        return None
    size = _grid(values, _RESOLUTION * values, chance, largest)
    if size is None:
        return None
    decimals = _decimals(values)
    if decimals is not None and size == 10**decimals and decimals > 2:
        # Rounded values lie on the grid of their decimals, however many samples there were.
        return _grid(values, np.full(len(values), 0.5 * 10.0**-decimals), chance, largest)
    return size


def _decimals(values: Floats) -> int | None:
    for decimals in _DECIMALS:
        if np.all(np.abs(values - np.round(values, decimals)) <= _RESOLUTION * values):
            return decimals
    return None


def _grid(values: Floats, errors: Floats, chance: float, largest: int) -> int | None:
    """The smallest N with every value within its error of some k/N, if that is no coincidence."""
    least = _fewest(values, errors)
    for most in (*(each for each in _UP_TO if each < largest), largest):
        size = _smallest(values, errors, least, most) if least <= most else None
        if size is not None:
            luck = math.log(size) + float(np.log(np.minimum(2 * size * errors, 1.0)).sum())
            return size if luck < math.log(chance) else None
        least = max(least, most + 1)
    return None


def _fewest(values: Floats, errors: Floats) -> int:
    """A size below which no grid k/N can be: values apart by more than their errors differ in k."""
    apart, doubt = np.diff(values), _SLACK * (errors[1:] + errors[:-1])
    told = apart > doubt
    return max(2, int(1 / float((apart + doubt)[told].min()))) if told.any() else 2


def _smallest(values: Floats, errors: Floats, least: int, most: int) -> int | None:
    """The smallest N from ``least`` to ``most`` with every value within its error of some k/N."""
    sizes = _candidates(float(values[0]), float(errors[0]), least, most)
    for value, error in zip(values, errors, strict=True):
        off = value * sizes
        off -= np.rint(off)
        np.abs(off, out=off)
        sizes = sizes[off <= error * sizes]
        if not len(sizes):
            return None
    return int(sizes[0])


def _candidates(value: float, error: float, least: int, most: int) -> Floats:
    """Sizes from ``least`` to ``most``, among them all with ``value`` within ``error`` of a k/N."""
    if error * most > value / 4:
        return np.arange(least, most + 1, dtype=np.float64)
    # Every k then belongs to one size at most, and there are fewer of them than of sizes.
    numerators = np.arange(max(round(least * value), 1), round(most * value) + 1)
    sizes: Floats = np.rint(numerators / value)
    return sizes[(sizes >= least) & (sizes <= most)]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A mean of batch means: batches of ``batch`` samples and a last one of ``rest``."""

    batch: int
    rest: int
    samples: int

    @property
    def weights(self) -> tuple[int, int]:
        """What one correct sample of a full batch, and of the last one, adds on the grid."""
        common = math.gcd(self.batch, self.rest)
        return self.rest // common, self.batch // common


def _readings(size: int, known: Mapping[int, float]) -> Iterator[tuple[_Reading, float]]:
    """Every mean of batch means that lies on the grid 1/size, with its prior probability."""
    for batch, likely in known.items():
        if batch < 2 or size % batch:
            continue
        for rest in range(1, batch):
            count, odd = divmod(size, math.lcm(batch, rest))
            if not odd and count > 1:
                yield _Reading(batch, rest, (count - 1) * batch + rest), likely


def _popularity(size: int) -> float:
    """How often sets have this size, beside others near it: sixfold for each trailing zero."""
    zeros = 0
    while size % 10 == 0:
        size, zeros = size // 10, zeros + 1
    return 6.0**zeros


def _evaluated(size: int, known: Mapping[int, float]) -> float:
    """How often exactly ``size`` samples are counted: all of a set, or its full batches only."""
    dropped = sum(
        likely * max(_popularity(whole) for whole in range(size + 1, size + batch))
        for batch, likely in known.items()
        if batch > 1 and size % batch == 0
    )
    return _popularity(size) + _DROPS_LAST * dropped


def _fits(readings: Sequence[_Reading], shares: Floats, size: int) -> Iterator[float]:
    """How much likelier the values are under each of the readings than on a plain grid.

    The numerators, modulo the weight of a sample in a full batch, tell how many were right in the
    last batch: near the accuracy if the reading is true, anything if it is not.
    """
    counts = np.round(shares * size).astype(np.int64)
    share = np.clip(shares, 0.5 / size, 1 - 0.5 / size)
    odds = (np.log(share) - np.log1p(-share) + np.array(_SHIFTS)[:, None])[..., None]
    wrong = np.logaddexp(0, odds)
    for reading in readings:
        modulus, weight = reading.weights
        if modulus == 1:
            yield 1.0
            continue
        rest = reading.rest
        right = counts * pow(weight, -1, modulus) % modulus
        possible = right[:, None] + np.arange(0, rest + 1, modulus)
        log_p = _log_binomials(rest)[np.minimum(possible, rest)] + possible * odds - rest * wrong
        p = np.where(possible <= rest, np.exp(log_p), 0.0).sum(axis=2)
        found = np.log(np.maximum(modulus * p, 1e-9)).sum(axis=1)
        yield math.exp(min(float(found.max()) - math.log(len(_SHIFTS)), 50.0))


@lru_cache(maxsize=256)
def _log_binomials(n: int) -> Floats:
    """The logarithms of the numbers of ways to choose 0 to n of n, shape (n + 1,)."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    binomials: Floats = logs[-1] - logs - logs[::-1]
    return binomials
