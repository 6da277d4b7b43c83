"""How faults are injected into two-player training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.gallery.faults import Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class AdversarialRecipe:
    """A generator against a discriminator, with the non-saturating loss."""

    g_rate: float = 1e-3
    d_rate: float = 1e-3
    d_steps: int = 1
    g_width: int = 48
    d_width: int = 48
    latent: int = 4
    smoothing: float = 0.1  # real samples are called real by one minus this
    batch_size: int = 64
    steps: int = 900
    beta1: float = 0.5
    nan_at: float | None = None


def _change(**values: float) -> Callable[[AdversarialRecipe], AdversarialRecipe]:
    return lambda recipe: replace(recipe, **values)  # type: ignore[arg-type]  # whole numbers fit


ADVERSARIAL_FAULTS: dict[str, Fault] = {
    "healthy": Fault({"": lambda recipe: recipe}),
    "discriminator-wins": Fault(
        {
            "mild": _change(g_rate=3e-5, d_rate=3e-3, smoothing=0.0),
            "clear": _change(g_rate=1e-5, d_rate=3e-3, d_steps=3, d_width=96, smoothing=0.0),
            "strong": _change(g_rate=1e-6, d_rate=5e-3, d_steps=5, d_width=96, smoothing=0.0),
            "narrow": _change(g_width=2, latent=1, d_width=96, d_rate=3e-3, smoothing=0.0),
        }
    ),
    "nan": Fault({"late": _change(nan_at=0.6)}),
    "healthy-other-optimizer": Fault({"": _change(beta1=0.0, d_steps=2)}),
    "short": Fault({"": _change(steps=500)}),
    "noisy-but-healthy": Fault({"": _change(batch_size=16)}),
}
