"""Small environments for reinforcement learning, many copies at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from benchmarks.gallery.recipe import Floats, Rows


class Environment(Protocol):
    """Copies of an environment that restart by themselves."""

    observations: int
    actions: int

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        """That many copies, with their chances drawn from `rng`."""
        ...

    def reset(self) -> Floats:
        """The first observations, (copies, observations)."""
        ...

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """Observations after an action of each copy, rewards, and whether an episode ended."""
        ...


class CartPole:
    """A pole on a cart, one point for each step that it stands; ends after 200 steps."""

    observations, actions = 4, 2

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        return self._rng.uniform(-0.05, 0.05, (n, 4))

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state, self._age = self._fresh(self._copies), np.zeros(self._copies)
        return self._state

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        x, v, angle, turn = self._state.T
        force = np.where(action == 1, 10.0, -10.0)
        sine, cosine = np.sin(angle), np.cos(angle)
        push = (force + 0.05 * turn**2 * sine) / 1.1
        bend = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        slide = push - 0.05 * bend * cosine / 1.1
        moved = (x + 0.02 * v, v + 0.02 * slide, angle + 0.02 * turn, turn + 0.02 * bend)
        self._state, self._age = np.stack(moved, 1), self._age + 1
        fell = (np.abs(self._state[:, 0]) > 2.4) | (np.abs(self._state[:, 2]) > 0.209)
        done = fell | (self._age >= 200)
        reward = np.ones(self._copies)
        self._state[done], self._age[done] = self._fresh(int(done.sum())), 0
        return self._state, reward, done.astype(float)


class Tracking:
    """A mass on a line that has to be brought to a target; 40 steps."""

    observations, actions = 4, 3

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _seen(self) -> Floats:
        return np.concatenate([self._state, self._ages[:, None] / 40], 1)

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._rng.uniform(-1, 1, (self._copies, 3))
        self._state[:, 1] = 0.0
        self._ages = self._rng.integers(0, 40, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        place, speed, target = self._state.T
        speed = np.clip(0.9 * speed + 0.08 * (action - 1), -0.4, 0.4)
        place = place + speed
        self._state, self._ages = np.stack([place, speed, target], 1), self._ages + 1
        reward = -np.minimum(np.abs(place - target), 2.0)
        done = self._ages >= 40
        fresh = self._rng.uniform(-1, 1, (int(done.sum()), 3))
        fresh[:, 1] = 0.0
        self._state[done], self._ages[done] = fresh, 0
        return self._seen(), reward, done.astype(float)


class Grid:
    """Six by six cells with pits; a point at the goal, minus one in a pit, a little for coming nearer.

    40 steps at most.
    """

    observations, actions = 36, 4
    _pits = ((1, 1), (1, 4), (3, 2), (4, 4))
    _moves = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Rows:
        return self._rng.integers(0, 4, (n, 2))

    def _seen(self) -> Floats:
        seen: Floats = np.eye(36)[self._cell[:, 0] * 6 + self._cell[:, 1]]
        return seen

    def reset(self) -> Floats:
        """See `Environment`."""
        self._cell = self._fresh(self._copies)
        self._ages = self._rng.integers(0, 30, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        far = self._cell.sum(1)
        self._cell = np.clip(self._cell + self._moves[action], 0, 5)
        self._ages = self._ages + 1
        fell = np.zeros(self._copies, dtype=bool)
        for row, column in self._pits:
            fell |= (self._cell[:, 0] == row) & (self._cell[:, 1] == column)
        home = (self._cell == 5).all(1)
        reward = 1.0 * home - 1.0 * fell - 0.01 + 0.05 * (self._cell.sum(1) - far)
        done = fell | home | (self._ages >= 40)
        self._cell[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._seen(), reward, done.astype(float)


class Pendulum:
    """A pendulum near its top, to be held there by pushes left, none or right; 60 steps."""

    observations, actions = 3, 3

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        return self._rng.uniform(-1.2, 1.2, (n, 2))

    def _seen(self) -> Floats:
        angle, turn = self._state.T
        return np.stack([np.cos(angle), np.sin(angle), turn / 4], 1)

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._fresh(self._copies)
        self._ages = self._rng.integers(0, 60, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        angle, turn = self._state.T
        turn = np.clip(turn + 0.05 * (10 * np.sin(angle) + 12.0 * (action - 1)), -8, 8)
        angle = angle + 0.05 * turn
        angle = (angle + np.pi) % (2 * np.pi) - np.pi
        self._state, self._ages = np.stack([angle, turn], 1), self._ages + 1
        reward = -(angle**2 + 0.05 * turn**2) / 10
        done = self._ages >= 60
        self._state[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._seen(), reward, done.astype(float)


class Catch:
    """A ball that falls through ten rows, and a paddle on the ground of nine columns."""

    observations, actions = 3, 3

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        return self._rng.integers(0, 9, (n, 2)).astype(float)

    def _seen(self) -> Floats:
        return np.concatenate([self._state / 4 - 1, self._ages[:, None] / 5 - 1], 1)

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._fresh(self._copies)
        self._ages = self._rng.integers(0, 10, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        drift = self._rng.integers(-1, 2, self._copies)
        self._state = np.clip(self._state + np.stack([drift, action - 1], 1), 0, 8)
        self._ages = self._ages + 1
        done = self._ages >= 10
        caught = np.abs(self._state[:, 0] - self._state[:, 1]) <= 1
        reward = np.where(done, np.where(caught, 1.0, -1.0), 0.0)
        self._state[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._seen(), reward, done.astype(float)


class Hover:
    """A rocket that has to stay at a height; it ends on the ground, too high up, or after 100 steps."""

    observations, actions = 2, 2

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        return self._rng.uniform(-0.5, 0.5, (n, 2))

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._fresh(self._copies)
        self._ages = np.zeros(self._copies)
        return self._state

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        height, speed = self._state.T
        speed = speed + 0.12 * np.where(action == 1, 1.0, -0.7)
        height = height + 0.12 * speed + 0.01 * self._rng.standard_normal(self._copies)
        self._state, self._ages = np.stack([height, speed], 1), self._ages + 1
        reward = 1.0 - np.minimum(np.abs(height), 1.0)
        done = (np.abs(height) > 1.5) | (self._ages >= 100)
        self._state[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._state, reward, done.astype(float)


class Pursuit:
    """A hunter in the plane after a prey that wanders; 30 steps, and ten points for a catch."""

    observations, actions = 4, 5
    _moves = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]) * 0.15

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        return self._rng.uniform(-1, 1, (n, 4))

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._fresh(self._copies)
        self._ages = self._rng.integers(0, 30, self._copies)
        return self._state

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        hunter = self._state[:, :2] + self._moves[action]
        prey = self._state[:, 2:] + 0.08 * self._rng.standard_normal((self._copies, 2))
        self._state = np.clip(np.concatenate([hunter, prey], 1), -1.2, 1.2)
        self._ages = self._ages + 1
        far = np.linalg.norm(self._state[:, :2] - self._state[:, 2:], axis=1)
        caught = far < 0.2
        reward = np.where(caught, 10.0, -far)
        done = caught | (self._ages >= 30)
        self._state[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._state, reward, done.astype(float)


class Corridor:
    """A corridor of fifteen cells with a reward at its end alone, and wind; 60 steps."""

    observations, actions = 15, 2

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _seen(self) -> Floats:
        seen: Floats = np.eye(15)[self._cell]
        return seen

    def reset(self) -> Floats:
        """See `Environment`."""
        self._cell = self._rng.integers(0, 8, self._copies)
        self._ages = self._rng.integers(0, 60, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        wind = self._rng.random(self._copies) < 0.15
        self._cell = np.clip(self._cell + np.where(wind, -1, 2 * action - 1), 0, 14)
        self._ages = self._ages + 1
        home = self._cell == 14
        reward = np.where(home, 5.0, -0.02)
        done = home | (self._ages >= 60)
        n = int(done.sum())
        self._cell[done], self._ages[done] = self._rng.integers(0, 4, n), 0
        return self._seen(), reward, done.astype(float)


class Shelves:
    """A shop that orders goods each evening: what is asked for and not there is lost; 40 days."""

    observations, actions = 4, 4

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _seen(self) -> Floats:
        season = 2 * np.pi * self._days / 20
        state = [self._stock / 6 - 1, self._coming / 3 - 0.5, np.sin(season), np.cos(season)]
        return np.stack(state, 1)

    def reset(self) -> Floats:
        """See `Environment`."""
        self._stock: Floats = self._rng.integers(0, 12, self._copies).astype(float)
        self._coming: Floats = np.zeros(self._copies)
        self._days = self._rng.integers(0, 40, self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        wanted = self._rng.poisson(3.0 + 2.0 * np.sin(2 * np.pi * (self._days + 2) / 20))
        stock = np.minimum(self._stock + self._coming, 20.0)
        sold = np.minimum(stock, wanted)
        self._coming = 2.0 * np.asarray(action, dtype=np.float64)
        self._stock, self._days = stock - sold, self._days + 1
        reward = sold - 0.25 * self._stock - 0.3 * self._coming - 0.2 * (action > 0)
        done = self._days >= 40
        n = int(done.sum())
        self._stock[done], self._coming[done] = self._rng.integers(0, 12, n), 0.0
        self._days[done] = 0
        return self._seen(), reward, done.astype(float)


class Ovens:
    """An oven that keeps its heat, to be held at a warmth that changes once; 30 minutes."""

    observations, actions = 4, 3

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _fresh(self, n: int) -> Floats:
        """Warmth of the oven, of its walls, the warmth that is wanted, and the minute of its change."""
        drawn = self._rng.uniform(-1, 1, (n, 4))
        drawn[:, 3] = self._rng.integers(8, 22, n)
        return drawn

    def _seen(self) -> Floats:
        return np.concatenate([self._state[:, :3], self._ages[:, None] / 15 - 1], 1)

    def reset(self) -> Floats:
        """See `Environment`."""
        self._state = self._fresh(self._copies)
        self._ages = np.zeros(self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        air, wall, wanted, change = self._state.T
        wall = wall + 0.25 * (action - 1.0) + 0.02 * self._rng.standard_normal(self._copies)
        wall = np.clip(wall, -1.5, 1.5)
        air = air + 0.3 * (wall - air)
        turned = np.where(self._ages == change, -wanted, wanted)
        self._state, self._ages = np.stack([air, wall, turned, change], 1), self._ages + 1
        reward = -np.abs(air - turned) - 0.05 * (action == 2)
        done = self._ages >= 30
        self._state[done], self._ages[done] = self._fresh(int(done.sum())), 0
        return self._seen(), reward, done.astype(float)


class Lanes:
    """A car on a road of five lanes: what lies ahead is seen two rows far, and costs a point when hit; 25 rows."""

    observations, actions = 12, 3

    def __init__(self, copies: int, rng: np.random.Generator) -> None:
        self._rng, self._copies = rng, copies

    def _row(self, n: int) -> Floats:
        """Which lanes of a row are taken: one or two of the five."""
        order = self._rng.random((n, 5)).argsort(1)
        taken: Floats = (order < self._rng.integers(1, 3, (n, 1))).astype(float)
        return taken

    def _seen(self) -> Floats:
        place = (self._lane - 2.0) / 2.0
        return np.concatenate(
            [self._next, self._after, place[:, None], self._ages[:, None] / 12 - 1], 1
        )

    def reset(self) -> Floats:
        """See `Environment`."""
        self._lane = self._rng.integers(0, 5, self._copies)
        self._next, self._after = self._row(self._copies), self._row(self._copies)
        self._ages = np.zeros(self._copies)
        return self._seen()

    def step(self, action: Rows) -> tuple[Floats, Floats, Floats]:
        """See `Environment`."""
        self._lane = np.clip(self._lane + action - 1, 0, 4)
        crashed = self._next[np.arange(self._copies), self._lane] > 0
        self._next, self._after = self._after, self._row(self._copies)
        self._ages = self._ages + 1
        reward = np.where(crashed, -1.0, 1.0) - 0.1 * (action != 1)
        done = self._ages >= 25
        n = int(done.sum())
        self._lane[done], self._ages[done] = self._rng.integers(0, 5, n), 0
        return self._seen(), reward, done.astype(float)


ENVIRONMENTS: dict[str, type[Environment]] = {
    "cart-pole": CartPole,
    "tracking": Tracking,
    "grid": Grid,
    "pendulum": Pendulum,
    "catch": Catch,
    "hover": Hover,
    "pursuit": Pursuit,
    "corridor": Corridor,
    "shelves": Shelves,
    "ovens": Ovens,
    "lanes": Lanes,
}
