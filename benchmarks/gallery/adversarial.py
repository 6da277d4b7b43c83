"""Two-player training on points in the plane, with PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from benchmarks.gallery.adversarial_faults import AdversarialRecipe
from benchmarks.gallery.log import Clock, Session
from benchmarks.gallery.recipe import Floats, Problem
from benchmarks.gallery.training import STARTED, Outcome


def ring(n: int, rng: np.random.Generator) -> Floats:
    """Eight small clusters on a circle."""
    angle = rng.integers(0, 8, n) * np.pi / 4
    return np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.standard_normal((n, 2))


def arcs(n: int, rng: np.random.Generator) -> Floats:
    """Two interleaved half circles."""
    angle, upper = rng.uniform(0, np.pi, n), rng.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return np.stack([x, y], 1) + 0.06 * rng.standard_normal((n, 2))


def bars(n: int, rng: np.random.Generator) -> Floats:
    """Three upright bars beside each other."""
    place = rng.integers(-1, 2, n) * 0.8
    return np.stack([place, rng.uniform(-1, 1, n)], 1) + 0.05 * rng.standard_normal((n, 2))


def coil(n: int, rng: np.random.Generator) -> Floats:
    """One arm of a spiral."""
    along = np.sqrt(rng.random(n)) * 1.2
    angle = 4.0 * along
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], 1)
    found: Floats = x + 0.04 * rng.standard_normal((n, 2))
    return found


def petals(n: int, rng: np.random.Generator) -> Floats:
    """The rim of a flower of three petals."""
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = 0.7 + 0.35 * np.cos(3 * angle)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    found: Floats = x + 0.04 * rng.standard_normal((n, 2))
    return found


POINTS = {"ring": ring, "arcs": arcs, "bars": bars, "coil": coil, "petals": petals}
HINGED = {"petals"}  # judged by a margin of one, without logarithms


def _net(inputs: int, width: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )


def adversarial(
    problem: Problem, recipe: AdversarialRecipe, seed: int
) -> tuple[list[Session], Outcome]:
    """Train; what was logged, and the energy distance of what is generated to the data."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng, session = np.random.default_rng(seed), Session()
    clock = Clock(STARTED, problem.seconds, seed)
    points, hinged = POINTS[problem.make()], problem.make() in HINGED
    generator = _net(recipe.latent, recipe.g_width, 2)
    judge = _net(2, recipe.d_width, 1)
    betas = (recipe.beta1, 0.999)
    g_optimizer = torch.optim.Adam(generator.parameters(), recipe.g_rate, betas)
    d_optimizer = torch.optim.Adam(judge.parameters(), recipe.d_rate, betas)
    loss = nn.functional.binary_cross_entropy_with_logits
    n, d_losses = recipe.batch_size, []
    for step in range(recipe.steps):
        for _ in range(recipe.d_steps):
            real = torch.from_numpy(points(n, rng).astype(np.float32))
            if recipe.nan_at is not None and step == int(recipe.nan_at * recipe.steps):
                real[0, 0] = torch.nan
            fake = generator(torch.randn(n, recipe.latent)).detach()
            on_real, on_fake = judge(real), judge(fake)
            if hinged:
                d_loss = (1 - on_real).relu().mean() + (1 + on_fake).relu().mean()
            else:
                d_loss = loss(on_real, torch.full((n, 1), 1 - recipe.smoothing))
                d_loss = d_loss + loss(on_fake, torch.zeros(n, 1))
            d_optimizer.zero_grad()
            d_loss.backward()
            d_optimizer.step()
        judged = judge(generator(torch.randn(n, recipe.latent)))
        g_loss = -judged.mean() if hinged else loss(judged, torch.ones(n, 1))
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        d_losses.append(float(d_loss.detach()))
        wall = clock.tick()
        session.scalar("d_loss", step, d_losses[-1], wall)
        session.scalar("g_loss", step, float(g_loss.detach()), wall)
        session.scalar("d_real", step, float(on_real.detach().sigmoid().mean()), wall)
        session.scalar("d_fake", step, float(on_fake.detach().sigmoid().mean()), wall)
    with torch.no_grad():
        made = generator(torch.randn(500, recipe.latent)).numpy().astype(np.float64)
    broken = not np.isfinite(made).all()
    distance = float("nan") if broken else _energy(made, points(500, rng))
    late = d_losses[-recipe.steps // 5 :]
    return [session], {
        "nonfinite": broken,
        "distance": distance,
        "d_loss": float(np.mean(late)),
    }


def _energy(a: Floats, b: Floats) -> float:
    """The energy distance between two samples of points."""

    def mean(x: Floats, y: Floats) -> float:
        return float(np.linalg.norm(x[:, None] - y[None], axis=2).mean())

    return 2 * mean(a, b) - mean(a, a) - mean(b, b)
