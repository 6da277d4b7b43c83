"""The tasks, by kind: on three kinds the policy was tuned by others than it is reported on."""

from __future__ import annotations

from benchmarks.advisor import datasets, losses, networks
from benchmarks.advisor.training import Kind, Task

TUNING: tuple[Kind, ...] = ("dense", "regression")
REPORT: tuple[Kind, ...] = ("convolutional", "recurrent or attention", "unusual")
# Nothing was ever chosen by these: they were first run when there was a policy to report.
UNSEEN = ("waves", "text", "patches")

TASKS: tuple[Task, ...] = (
    Task(
        name="noisy digits", kind="dense", what="a perceptron on digits with wrong labels",
        data=datasets.noisy_digits, network=networks.perceptron(64, 10), loss=losses.cross_entropy,
        epochs=40, width=64, classes=True,
    ),
    Task(
        name="clusters", kind="dense", what="a perceptron on overlapping clusters in 20 features",
        data=datasets.clusters, network=networks.perceptron(20, 5), loss=losses.cross_entropy,
        epochs=30, width=64, classes=True,
    ),
    Task(
        name="spirals", kind="dense", what="a tanh network on three noisy spirals",
        data=datasets.spirals, network=networks.perceptron(2, 3, smooth=True), loss=losses.cross_entropy,
        epochs=40, width=32, classes=True,
    ),
    Task(
        name="friedman", kind="regression", what="Friedman's first function with noise",
        data=datasets.friedman, network=networks.perceptron(10, 1), loss=losses.squared, epochs=40, width=32,
    ),
    Task(
        name="progression", kind="regression", what="the progression of diabetes, standardised",
        data=datasets.progression, network=networks.perceptron(10, 1), loss=losses.squared, epochs=40, width=32,
    ),
    Task(
        name="tumours", kind="dense", what="a perceptron on breast tumours with wrong labels",
        data=datasets.tumours, network=networks.perceptron(30, 2, depth=1), loss=losses.cross_entropy,
        epochs=30, width=32, classes=True,
    ),
    Task(
        name="moons", kind="dense", what="a perceptron on two moons that overlap",
        data=datasets.moons, network=networks.perceptron(2, 2), loss=losses.cross_entropy,
        epochs=24, width=32, classes=True,
    ),
    Task(
        name="shells", kind="dense", what="a deep perceptron on shells around each other",
        data=datasets.shells, network=networks.perceptron(6, 4, depth=4), loss=losses.cross_entropy,
        epochs=30, width=32, classes=True,
    ),
    Task(
        name="friedman's third", kind="regression", what="Friedman's third function with noise",
        data=datasets.friedman_third, network=networks.perceptron(4, 1, smooth=True), loss=losses.squared,
        epochs=40, width=32,
    ),
    Task(
        name="halves", kind="regression", what="the lower halves of digits from the upper ones",
        data=datasets.halves, network=networks.perceptron(32, 32), loss=losses.squared, epochs=30, width=64,
    ),
    Task(
        name="ripples", kind="regression", what="waves of several lengths in noise",
        data=datasets.ripples, network=networks.perceptron(2, 1, depth=3), loss=losses.squared,
        epochs=40, width=32,
    ),
    Task(
        name="squares", kind="dense", what="a perceptron on the squares of a board",
        data=datasets.squares, network=networks.perceptron(2, 2, depth=3), loss=losses.cross_entropy,
        epochs=40, width=32, classes=True,
    ),
    Task(
        name="circles", kind="dense", what="a tanh network on two circles beside noise",
        data=datasets.circles, network=networks.perceptron(10, 2, smooth=True), loss=losses.cross_entropy,
        epochs=24, width=48, classes=True,
    ),
    Task(
        name="friedman's second", kind="regression", what="Friedman's second function with outliers, by Huber's loss",
        data=datasets.friedman_second, network=networks.perceptron(4, 1), loss=losses.huber(0.5),
        epochs=30, width=32,
    ),
    Task(
        name="roll", kind="regression", what="the place on a rolled-up sheet",
        data=datasets.roll, network=networks.perceptron(3, 1, smooth=True, depth=3), loss=losses.squared,
        epochs=30, width=48,
    ),
    Task(
        name="images", kind="convolutional", what="two convolutions on digits as images",
        data=datasets.images, network=networks.image_network, loss=losses.cross_entropy,
        epochs=20, width=16, classes=True,
    ),
    Task(
        name="waves", kind="convolutional", what="convolutions along noisy waves of three shapes",
        data=datasets.waves, network=networks.wave_network, loss=losses.cross_entropy,
        epochs=20, width=16, classes=True,
    ),
    Task(
        name="text", kind="recurrent or attention",
        what="a recurrent network that tells the next character",
        data=datasets.text, network=networks.text_network, loss=losses.cross_entropy,
        epochs=20, width=32, classes=True,
    ),
    Task(
        name="patches", kind="recurrent or attention", what="attention over the patches of digits",
        data=datasets.tokens, network=networks.token_network, loss=losses.cross_entropy,
        epochs=24, width=24, classes=True,
    ),
    Task(
        name="counts", kind="unusual", what="counts by their Poisson deviance",
        data=datasets.counts, network=networks.perceptron(8, 1), loss=losses.deviance, epochs=40, width=32,
    ),
    Task(
        name="points", kind="unusual",
        what="the progression of diabetes in its own units, 25 to 346, by Huber's loss",
        data=datasets.progression_in_points, network=networks.perceptron(10, 1), loss=losses.huber(25.0),
        epochs=40, width=32, rate=1e-2,
    ),
    Task(
        name="autoencoder", kind="unusual", what="digits in units of 0 to 16 through 8 numbers",
        data=datasets.pixels, network=networks.narrow_network, loss=losses.squared, epochs=40, width=64,
    ),
)  # fmt: skip


def named(name: str) -> Task:
    """The task of that name; raises KeyError."""
    return {task.name: task for task in TASKS}[name]


def part(kinds: tuple[Kind, ...]) -> list[Task]:
    """The tasks of these kinds, in order."""
    return [task for task in TASKS if task.kind in kinds]
