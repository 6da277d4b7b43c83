"""Look for the recipe of a problem's healthy control by random search; prints the best few.

python -m benchmarks.gallery.tune digits-low --tries 30

What was found is written into the problem's definition by hand, as data.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.gallery.problems import problems
from benchmarks.gallery.recipe import Problem, Recipe
from benchmarks.gallery.training import supervised


def candidate(recipe: Recipe, rng: np.random.Generator) -> Recipe:
    """A recipe near the given one: rate, weight decay, optimizer and schedule drawn anew."""
    optimizer = str(rng.choice(["adam", "adamw", "momentum"]))
    centre = 5e-3 if optimizer.startswith("adam") else 0.05
    decay = 10 ** rng.uniform(-5, -2)
    return replace(
        recipe,
        optimizer=optimizer,
        rate=float(f"{centre * 10 ** rng.uniform(-0.8, 1.0):.2g}"),
        weight_decay=float(f"{decay * (20 if optimizer == 'adamw' else 1):.2g}"),
        schedule=str(rng.choice(["cosine", "linear", "step", "exponential"])),
        warmup=float(rng.choice([0.0, 0.05])),
        epochs=round(recipe.epochs * float(rng.choice([0.5, 0.75, 1.0]))),
    )


def scored(problem: Problem, recipe: Recipe) -> tuple[float, float]:
    """Mean held-out loss at the end over two seeds, and its mean climb above the best."""
    outcomes = [supervised(problem, recipe, seed)[1] for seed in (1, 2)]
    ends = [each["test_tail"] for each in outcomes]
    climbs = [each["test_tail"] / each["test_best"] - 1 for each in outcomes]
    return float(np.mean(ends)), float(np.mean(climbs))


def main() -> None:
    """Search, and print the recipes in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem")
    parser.add_argument("--tries", type=int, default=30)
    args = parser.parse_args()
    (problem,) = (each for each in problems() if each.name == args.problem)
    rng = np.random.default_rng(0)
    found = []
    with np.errstate(all="ignore"):
        for number in range(args.tries):
            recipe = candidate(problem.recipe, rng) if number else problem.recipe
            end, climb = scored(problem, recipe)
            found.append((end, climb, recipe))
    found.sort(key=lambda each: each[0])
    for end, climb, r in found[:6]:
        print(
            f"{end:.4g} climb {climb:.3f}: {r.optimizer} {r.rate} wd {r.weight_decay}"
            f" {r.schedule} warmup {r.warmup} epochs {r.epochs}"
        )


if __name__ == "__main__":
    main()
