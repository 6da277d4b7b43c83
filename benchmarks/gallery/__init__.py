"""Labelled training runs: real training with injected faults, for calibrating and measuring rules."""

from __future__ import annotations
