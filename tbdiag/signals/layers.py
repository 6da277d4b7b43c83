"""The tensors of a run by layer, of which only a few records are ever decoded."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tbdiag.model.histogram import Histogram, Histograms
from tbdiag.model.once import once
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.naming.layers import (
    LayerTag,
    Part,
    Quantity,
    Statistic,
    Words,
    network_order,
    size_tag,
    tensor_tag,
)
from tbdiag.signals.medians import median
from tbdiag.signals.tensors import norm, rms, same

RECORDS = 8  # of each tensor, evenly spaced: decoding all would cost more than reading them
# Words of which every size or share of a tensor has one, asked for before a tag is taken apart.
_SIZED = re.compile("grad|sparsity|zero|dead")
# A norm's scale after a first step: its mean, and the ends, which TensorFlow puts half a one away from a single value.
_OFF_ONE, _LEAST_ONE, _MOST_ONE = 0.1, 0.5, 1.5


class Tensor:
    """The histograms of one tensor, at no more than `RECORDS` of its steps, decoded once."""

    def __init__(self, tag: LayerTag, histograms: Histograms) -> None:
        self.name = tag
        self._histograms = histograms
        last = len(histograms) - 1
        self._places = np.unique(np.linspace(0, last, min(RECORDS, last + 1)).round().astype(int))
        self._records: dict[int, Histogram] = {}

    @property
    def tag(self) -> str:
        """The tag that it was logged under."""
        return self._histograms.tag

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last step that was logged."""
        return int(self._histograms.steps[0]), int(self._histograms.steps[-1])

    @once
    def steps(self) -> Ints:
        """The steps of the records that are looked at, (m,)."""
        steps: Ints = self._histograms.steps[self._places]
        return steps

    def __len__(self) -> int:
        return len(self._places)

    def record(self, index: int) -> Histogram:
        """One of the records that are looked at."""
        index = range(len(self))[index]
        if index not in self._records:
            self._records[index] = self._histograms.records[int(self._places[index])]
        return self._records[index]

    @property
    def records(self) -> Iterator[Histogram]:
        """All the records that are looked at, in order."""
        return (self.record(index) for index in range(len(self)))

    @once
    def size(self) -> float:
        """How many numbers the tensor has; 0 where nothing was logged."""
        return self.record(0).size

    @once
    def rms(self) -> Floats:
        """Its root mean square at each record, (m,)."""
        return self._measured(rms)

    @once
    def norm(self) -> Floats:
        """Its norm at each record, (m,)."""
        return self._measured(norm)

    @once
    def frozen(self) -> bool:
        """Whether all its records are the same, to the last bit of what was logged."""
        first = self.record(0)
        return all(same(first, self.record(place)) for place in range(len(self) - 1, 0, -1))

    def _measured(self, measure: Callable[[Histogram], float]) -> Floats:
        return np.array([measure(record) for record in self.records], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Depths:
    """The sizes of one quantity over the depth of the network.

    ``tags`` (l,) of the layers, from the input to the output where ``ordered``; ``steps`` (m,),
    ``spans`` (l,) what was logged of each; ``rms`` and ``norms`` (l, m), equal where only norms are known.
    """

    tags: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    steps: Ints
    rms: Floats
    norms: Floats
    ordered: bool

    def __len__(self) -> int:
        return len(self.tags)


class Layers:
    """The tensors of a run: weights, gradients, updates and activations, each as `Tensor`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @once
    def _tensors(self) -> Mapping[Quantity, tuple[Tensor, ...]]:
        found: dict[Quantity, list[Tensor]] = {}
        for tag, histograms in self._run.histograms.items():
            name = tensor_tag(tag)
            if name is not None and len(histograms):
                found.setdefault(name.quantity, []).append(Tensor(name, histograms))
        return {quantity: tuple(each) for quantity, each in found.items()}

    def of(self, quantity: Quantity, *parts: Part) -> tuple[Tensor, ...]:
        """The tensors of a quantity in the order they were logged, of some parts if given."""
        tensors = self._tensors.get(quantity, ())
        return tuple(each for each in tensors if each.name.part in parts) if parts else tensors

    @once
    def kernels(self) -> tuple[Tensor, ...]:
        """The weights between units; tensors of ones are norms, whatever they are called."""
        return tuple(
            each
            for each in self.of(Quantity.PARAMETER, Part.KERNEL)
            if each.size > 1 and not of_ones(each.record(0))
        )

    @once
    def last(self) -> tuple[Tensor, int] | None:
        """The weights of the last layer, and how many numbers it gives: as many as it has biases.

        None where the order of the layers is not known, the last one has no biases, or weights that are no
        multiple of them.
        """
        kernels = self.kernels
        order = network_order(
            [each.name.layer for each in kernels],
            [each.tag for each in self.of(Quantity.PARAMETER)],
        )
        if not order:
            return None
        last = kernels[order[-1]]
        for bias in self.of(Quantity.PARAMETER, Part.BIAS):
            if bias.name.layer == last.name.layer:
                n = round(bias.size)
                return (last, n) if 0 < n < last.size and round(last.size) % n == 0 else None
        return None

    @once
    def kept(self) -> float:
        """The size of the weights at the last record over that at the first: the median layer's, NaN for none."""
        shares = [
            float(each.rms[-1] / each.rms[0])
            for each in self.kernels
            if len(each) > 1 and each.rms[0] > 0
        ]
        return median(shares) if shares else math.nan

    @once
    def unnamed_norms(self) -> bool:
        """Whether tensors of ones stand among the weights: norms that no name tells."""
        return any(of_ones(each.record(0)) for each in self.of(Quantity.PARAMETER, Part.KERNEL))

    @once
    def activations(self) -> tuple[Tensor, ...]:
        """What plain hidden units give; gates, outputs and attention aside."""
        return tuple(each for each in self.of(Quantity.ACTIVATION) if not each.name.gate)

    @once
    def sizes(self) -> tuple[tuple[LayerTag, Series], ...]:
        """Scalars that tell the size of a layer's gradient, or the zeros among its activations."""
        return tuple(
            (name, series)
            for tag, series in self._run.series.items()
            if (name := _sized(tag)) is not None and len(series)
        )

    @once
    def gradients(self) -> Depths | None:
        """The gradients of the weights by depth, where two layers or more were logged."""
        scales = {
            each.name.layer
            for each in self.of(Quantity.PARAMETER, Part.KERNEL)
            if of_ones(each.record(0))
        }
        tensors = self.of(Quantity.GRADIENT, Part.KERNEL)
        tensors = tuple(each for each in tensors if each.size > 1 and each.name.layer not in scales)
        if len(tensors) >= 2:
            order = self._order([each.name.layer for each in tensors], [t.tag for t in tensors])
            chosen = [tensors[place] for place in order or range(len(tensors))]
            n = min(len(each) for each in chosen)
            return Depths(
                tags=tuple(each.tag for each in chosen),
                spans=tuple(each.span for each in chosen),
                steps=chosen[0].steps[_spread(len(chosen[0]), n)],
                rms=np.array([each.rms[_spread(len(each), n)] for each in chosen]),
                norms=np.array([each.norm[_spread(len(each), n)] for each in chosen]),
                ordered=order is not None,
            )
        return self._gradients_by_norm

    @once
    def _gradients_by_norm(self) -> Depths | None:
        sizes = [
            (name, series)
            for name, series in self.sizes
            if name.part is Part.KERNEL and name.statistic in (Statistic.NORM, Statistic.SPREAD)
        ]
        if len(sizes) < 2 or len({name.statistic for name, _ in sizes}) > 1:
            return None
        order = self._order([name.layer for name, _ in sizes], [each.tag for _, each in sizes])
        curves = [sizes[place][1] for place in order or range(len(sizes))]
        n = min(RECORDS, *(len(each) for each in curves))
        values = np.array([_blocks(each.values, n) for each in curves])
        return Depths(
            tags=tuple(each.tag for each in curves),
            spans=tuple((int(each.steps[0]), int(each.steps[-1])) for each in curves),
            steps=curves[0].steps[_spread(len(curves[0]), n)],
            rms=values,
            norms=values,
            ordered=order is not None,
        )

    def _order(self, layers: Sequence[Words], tags: Sequence[str]) -> tuple[int, ...] | None:
        """The order of these layers: that of the weights where they are the same ones."""
        logged = [each.tag for each in self.of(Quantity.PARAMETER)] or list(tags)
        kernels = [each.name.layer for each in self.kernels]
        if set(layers) <= set(kernels) and len(set(layers)) == len(layers):
            order = network_order(kernels, logged)
            if order is None:
                return None
            places = {kernels[place]: rank for rank, place in enumerate(order)}
            return tuple(sorted(range(len(layers)), key=lambda place: places[layers[place]]))
        return network_order(layers, tags)


@lru_cache(maxsize=4096)  # the runs of a scan mostly log under the same tags
def _sized(tag: str) -> LayerTag | None:
    return size_tag(tag) if _SIZED.search(tag.lower()) else None


def of_ones(record: Histogram) -> bool:
    """Whether the numbers are ones, or were before the first steps: no weights between units begin so."""
    return abs(record.mean - 1) < _OFF_ONE and record.low >= _LEAST_ONE and record.high <= _MOST_ONE


def _spread(length: int, n: int) -> Ints:
    """The places of ``n`` evenly spaced ones of ``length`` records."""
    places: Ints = np.linspace(0, length - 1, n).round().astype(np.int64)
    return places


def _blocks(values: Floats, n: int) -> Floats:
    """The medians of ``n`` equal parts of the values."""
    return np.array([median(part) for part in np.array_split(values, n)])
