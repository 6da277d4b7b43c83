"""Measurements of tbdiag on labelled runs and beside its peers."""

from __future__ import annotations
