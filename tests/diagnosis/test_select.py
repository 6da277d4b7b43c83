"""Selection: the command line goes before the file, and no wrong word or threshold passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from tbdiag.case import Case
from tbdiag.config import Config
from tbdiag.detectors import registry
from tbdiag.detectors.base import Detector, Sample, Threshold
from tbdiag.diagnosis import select as module
from tbdiag.diagnosis.examine import Selection
from tbdiag.diagnosis.select import load, named, select
from tbdiag.errors import ConfigError, UnknownRuleError
from tbdiag.model.finding import Finding, Severity


@dataclass(frozen=True, kw_only=True)
class Plain(Detector):
    """A rule for these tests."""

    severity, since = Severity.NOTE, "0.1.0"

    def check(self, case: Case) -> Iterator[Finding]:
        yield from ()

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        yield from ()


@dataclass(frozen=True, kw_only=True)
class LossSpikes(Plain):
    """A rule with thresholds of every kind."""

    code = "NUM004"
    height: Annotated[float, Threshold("how high", above=0)] = 10.0
    window: Annotated[int, Threshold("how wide", at_least=5, at_most=99)] = 50
    strict: Annotated[bool, Threshold("whether")] = False


@dataclass(frozen=True, kw_only=True)
class NoLearning(Plain):
    """A rule of another family."""

    code = "OPT004"


@dataclass(frozen=True, kw_only=True)
class Plateau(Plain):
    """A second rule of that family."""

    code = "OPT005"


@pytest.fixture(autouse=True)
def _three_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (registry, module):
        monkeypatch.setattr(each, "every_rule", lambda: (LossSpikes, NoLearning, Plateau))


def codes(selection: Selection) -> list[str]:
    return [each.code for each in selection.detectors]


def test_without_a_word_every_rule_runs_as_it_is() -> None:
    found = select(Config())
    assert found.detectors == (LossSpikes(), NoLearning(), Plateau())
    assert (dict(found.skipped), dict(found.ignored)) == ({}, {})


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["OPT"], ["OPT004", "OPT005"]),
        (["opt005"], ["OPT005"]),
        (["loss-spikes"], ["NUM004"]),
        (["loss_spikes, OPT004"], ["NUM004", "OPT004"]),
        (["OPT005", "NUM"], ["NUM004", "OPT005"]),
    ],
)
def test_rules_are_chosen_by_code_name_or_family(only: list[str], expected: list[str]) -> None:
    found = select(Config(), only)
    assert codes(found) == expected
    assert set(found.skipped) == {"NUM004", "OPT004", "OPT005"} - set(expected)


def test_the_command_line_replaces_what_the_file_selects() -> None:
    config = Config(select=("NUM",))
    assert codes(select(config)) == ["NUM004"]
    assert codes(select(config, ["OPT004"])) == ["OPT004"]


def test_an_ignored_rule_runs_and_carries_its_reason() -> None:
    found = select(Config(ignore={"plateau": "warm-up ablation"}), ignore=["NUM"])
    assert codes(found) == ["NUM004", "OPT004", "OPT005"]
    assert found.ignored == {
        "OPT005": "warm-up ablation",
        "NUM004": "ignored on the command line",
    }


def test_only_a_rule_asked_for_by_its_own_name_is_no_longer_ignored_by_the_file() -> None:
    config = Config(ignore={"OPT": "known"})
    assert select(config, ["OPT"]).ignored == {"OPT004": "known", "OPT005": "known"}
    assert select(config, ["OPT004"]).ignored == {}
    assert set(select(config, ["OPT004"], ["OPT004"]).ignored) == {"OPT004"}


def test_an_unknown_word_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownRuleError, match=r'^there is no rule "OTP"; did you mean "OPT"\?$'):
        select(Config(), ["OTP"])
    with pytest.raises(UnknownRuleError, match=r'"platau"; did you mean "plateau"\?, and .*"XYZ"$'):
        select(Config(), ["platau"], ["XYZ"])
    with pytest.raises(UnknownRuleError, match='did you mean "loss-spikes"'):
        named("loss-spike")


def test_thresholds_come_from_the_file_by_name_or_code() -> None:
    by_name = Config(rules={"loss-spikes": {"height": 3, "window": 7, "strict": True}})
    by_code = Config(rules={"NUM004": {"height": 3, "window": 7, "strict": True}})
    expected = LossSpikes(height=3, window=7, strict=True)
    assert select(by_name).detectors[0] == select(by_code).detectors[0] == expected


def test_mistakes_of_file_and_rules_come_out_together_in_order(tmp_path: Path) -> None:
    path = tmp_path / "tbdiag.toml"
    path.write_text(
        'logdri = "x"\n'
        'select = ["OPT",\n  "XYZ9"]\n'
        'ignore = { platau = "why" }\n'
        "[rules.loss-spikes]\nheigth = 3\nheight = -1\nwindow = 7.5\nstrict = 1\n"
        "[rules.NUM004]\nheight = inf\nwindow = 100\n"
        "[rules.nothing-such]\nx = 1\n"
        "[space]\nlr = 3\n",
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [each.removeprefix(f"{path}:") for each in caught.value.problems] == [
        '1: unknown key "logdri"; did you mean "logdir"?',
        '3: there is no rule "XYZ9"',
        '4: there is no rule "platau"; did you mean "plateau"?',
        '6: "rules.loss-spikes.heigth" is no threshold of loss-spikes; did you mean "height"?',
        '7: "rules.loss-spikes.height" must be above 0, not -1',
        '8: "rules.loss-spikes.window" must be an integer, not 7.5',
        '9: "rules.loss-spikes.strict" must be true or false, not 1',
        "10: [rules.NUM004] is the same rule as [rules.loss-spikes]",
        '11: "rules.NUM004.height" must be finite, not inf',
        '12: "rules.NUM004.window" must be at most 99, not 100',
        '13: there is no rule "nothing-such"',
        '16: "space.lr" must be a range with low and high, or a list of choices',
    ]


def test_a_configuration_built_by_hand_is_judged_too() -> None:
    with pytest.raises(ConfigError, match="must be above 0"):
        select(Config(rules={"NUM004": {"height": 0}}))


@pytest.mark.parametrize("name", ["height", "window"])
def test_true_is_no_number(name: str) -> None:
    with pytest.raises(ConfigError, match=f'{name}" must be an? (number|integer), not True'):
        select(Config(rules={"NUM004": {name: True}}))


def test_the_digest_names_version_codes_thresholds_and_selection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = select(Config()).digest
    assert base == select(Config(select=("NUM", "OPT"))).digest
    others = [
        select(Config(), ["OPT"]).digest,
        select(Config(rules={"NUM004": {"window": 51}})).digest,
        select(Config(ignore={"OPT": "known"})).digest,
    ]
    monkeypatch.setattr(module, "__version__", "9.9.9")
    digests = {base, select(Config()).digest, *others}
    assert len(digests) == 5
    assert all(len(each) == 64 for each in digests)
