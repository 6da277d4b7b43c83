"""A remedy made concrete: from which value to which the run's own setting goes."""

from __future__ import annotations

from tbdiag.model.remedy import Remedy, Scale, SetTo, Shift
from tbdiag.model.run import Run, Scalar
from tbdiag.naming.knobs import knob
from tbdiag.views.text import number


def turned(run: Run, remedy: Remedy) -> str:
    """``lr 0.01 → 0.001``, under the run's own name; empty where unknown or already so."""
    for name, hparam in sorted(run.hparams.items()):
        if remedy.knob is None or knob(name) is not remedy.knob:
            continue
        then = _after(hparam.value, remedy)
        same = then is None or _shown(then) == _shown(hparam.value)
        return "" if same else f"{name} {_shown(hparam.value)} → {_shown(then)}"
    return ""


def _after(now: Scalar, remedy: Remedy) -> float | str | None:
    if isinstance(remedy.change, SetTo):
        return remedy.change.value
    if isinstance(now, bool | str | None):
        return None
    match remedy.change:
        case Scale(by):
            then = now * by
        case Shift(by, low, high):
            then = min(max(now + by, low), high)
        case _:
            return None
    return round(then) if isinstance(now, int) and abs(then) >= 1 else then


def _shown(value: Scalar) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)
