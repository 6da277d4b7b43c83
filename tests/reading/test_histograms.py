"""Histograms come out of their records, and out of nothing else."""

from __future__ import annotations

from tbdiag.reading.histograms import decode


def test_a_record_that_is_no_message_is_an_empty_histogram() -> None:
    assert decode(b"\xff\xff\xff").size == 0
