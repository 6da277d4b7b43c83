"""Proximal policy optimization of small networks, with PyTorch."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.gallery.environments import ENVIRONMENTS
from benchmarks.gallery.log import Clock, Session
from benchmarks.gallery.policy_faults import PolicyRecipe
from benchmarks.gallery.recipe import Problem
from benchmarks.gallery.training import STARTED, Outcome


def _net(inputs: int, width: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(),
        nn.Linear(width, outputs),
    )  # fmt: skip


def policy(problem: Problem, recipe: PolicyRecipe, seed: int) -> tuple[list[Session], Outcome]:
    """Train; what was logged, and the course of the return."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    training = _Training(problem.make(), recipe, seed, Clock(STARTED, problem.seconds, seed))
    for update in range(recipe.updates):
        training.update(update)
    return [training.session], training.outcome()


class _Training:
    """One run: rollouts and updates in turn."""

    def __init__(self, environment: str, recipe: PolicyRecipe, seed: int, clock: Clock) -> None:
        self.recipe, self.clock, self.session = recipe, clock, Session()
        made = ENVIRONMENTS[environment]
        self.env = made(recipe.n_envs, np.random.default_rng(seed))  # type: ignore[call-arg]
        self.actor = _net(self.env.observations, recipe.width, self.env.actions)
        self.critic = _net(self.env.observations, recipe.width, 1)
        with torch.no_grad():
            self.actor[-1].weight *= 0.1  # type: ignore[index, operator]  # as is usual for policies
        self.optimizer = torch.optim.Adam(
            [{"params": self.actor.parameters()}, {"params": self.critic.parameters()}], eps=1e-5
        )
        self.seen = self._tensor(self.env.reset())
        self.sums, self.lengths = np.zeros(recipe.n_envs), np.zeros(recipe.n_envs)
        self.episodes: deque[tuple[float, float]] = deque(maxlen=60)
        self.curves: dict[str, list[float]] = {
            "return": [],
            "kl": [],
            "entropy": [],
            "explained": [],
        }

    @staticmethod
    def _tensor(values: Any) -> torch.Tensor:
        return torch.from_numpy(np.asarray(values, dtype=np.float32))

    def _rate(self, done: float) -> float:
        recipe = self.recipe
        rate = recipe.learning_rate * (1.0 - 0.9 * done if recipe.linear_decay else 1.0)
        if recipe.jump_at is not None and done >= recipe.jump_at:
            rate *= recipe.jump
        return rate

    def _rollout(self) -> dict[str, torch.Tensor]:
        """Observations, actions, their log probabilities, advantages, values, returns; flat."""
        recipe, rows = self.recipe, []
        for _ in range(recipe.n_steps):
            with torch.no_grad():
                chances = torch.distributions.Categorical(logits=self.actor(self.seen))
                action = chances.sample()  # type: ignore[no-untyped-call]
                value = self.critic(self.seen)[:, 0]
                log_p = chances.log_prob(action)  # type: ignore[no-untyped-call]
            after, reward, done = self.env.step(action.numpy())
            rows.append(
                (
                    self.seen,
                    action,
                    log_p,
                    value,
                    self._tensor(recipe.reward_scale * reward),
                    self._tensor(done),
                )
            )
            self.sums += reward
            self.lengths += 1
            for at in np.flatnonzero(done):
                self.episodes.append((float(self.sums[at]), float(self.lengths[at])))
                self.sums[at] = self.lengths[at] = 0
            self.seen = self._tensor(after)
        with torch.no_grad():
            following, carried = self.critic(self.seen)[:, 0], torch.zeros(recipe.n_envs)
        advantages = []
        for _, _, _, value, reward, done in reversed(rows):
            delta = reward + recipe.gamma * following * (1 - done) - value
            carried = delta + recipe.gamma * recipe.gae_lambda * (1 - done) * carried
            advantages.append(carried)
            following = value
        names = ("seen", "action", "log_p", "value")
        found = {name: torch.cat([row[at] for row in rows]) for at, name in enumerate(names)}
        found["advantage"] = torch.cat(advantages[::-1])
        found["return"] = found["advantage"] + found["value"]
        return found

    def update(self, number: int) -> None:
        """A rollout, some passes over it, and what is logged of them."""
        recipe = self.recipe
        rate = self._rate(number / recipe.updates)
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.param_groups[1]["lr"] = rate * recipe.value_rate
        data = self._rollout()
        n, seen = len(data["return"]), []
        for _ in range(recipe.n_epochs):
            for rows in torch.randperm(n).chunk(recipe.minibatches):
                batch = {name: each[rows] for name, each in data.items()}
                seen.append(self._step(batch))  # an update, not a look-up
        means = {name: float(np.mean([each[name] for each in seen])) for name in seen[0]}
        spread = float(data["return"].var())
        explained = 1.0 - float((data["return"] - data["value"]).var()) / max(spread, 1e-9)
        step = (number + 1) * n
        wall = self.clock.tick()
        returns = [each[0] for each in self.episodes]
        mean_return = float(np.mean(returns)) if returns else math.nan
        scalars = {
            **means,
            "explained": explained,
            "rate": rate,
            "return": mean_return,
            "length": float(np.mean([each[1] for each in self.episodes])) if returns else math.nan,
        }
        for name, value in scalars.items():
            if not (math.isnan(value) and name in ("return", "length")):
                self.session.scalar(name, step, value, wall)
                self.session.scalar(f"minus_{name}", step, -value, wall)
        for name in self.curves:
            self.curves[name].append(scalars[name])

    def _step(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        recipe = self.recipe
        advantage = batch["advantage"]
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        chances = torch.distributions.Categorical(logits=self.actor(batch["seen"]))
        difference = chances.log_prob(batch["action"]) - batch["log_p"]  # type: ignore[no-untyped-call]
        ratio = difference.exp()
        low, high = 1 - recipe.clip_range, 1 + recipe.clip_range
        gain = torch.min(advantage * ratio, advantage * ratio.clamp(low, high)).mean()
        error = ((self.critic(batch["seen"])[:, 0] - batch["return"]) ** 2).mean()
        entropy = chances.entropy().mean()  # type: ignore[no-untyped-call]
        loss = -gain + recipe.vf_coef * error - recipe.ent_coef * entropy
        self.optimizer.zero_grad()
        loss.backward()
        both = [*self.actor.parameters(), *self.critic.parameters()]
        nn.utils.clip_grad_norm_(both, recipe.max_grad_norm)
        self.optimizer.step()
        with torch.no_grad():
            divergence = ((ratio - 1) - difference).mean()
            clipped = ((ratio - 1).abs() > recipe.clip_range).float().mean()
        return {
            "loss": float(loss.detach()),
            "policy_loss": float(-gain.detach()),
            "value_loss": float(error.detach()),
            "entropy": float(entropy.detach()),
            "kl": float(divergence),
            "clipped": float(clipped),
        }

    def outcome(self) -> Outcome:
        """Return, divergence, entropy and explained variance, over the course of the run."""
        returns = np.asarray(self.curves["return"])
        known = returns[np.isfinite(returns)]
        kernel = np.convolve(known, np.ones(5) / 5, "valid")
        late = {name: values[len(values) // 4 :] for name, values in self.curves.items()}
        return {
            "nonfinite": not all(np.isfinite(values[-1]) for values in self.curves.values()),
            "first_return": float(known[0]),
            "best_return": float(kernel.max()),
            "last_return": float(np.mean(known[-5:])),
            "kl": float(np.median(late["kl"])),
            "first_entropy": self.curves["entropy"][0],
            "early_entropy": float(
                np.mean(self.curves["entropy"][len(returns) // 4 : len(returns) // 3])
            ),
            "last_entropy": float(np.mean(self.curves["entropy"][-5:])),
            "explained": float(np.median(late["explained"])),
        }
