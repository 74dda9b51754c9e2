from pathlib import Path

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.settings.commit_policy import is_policy, settings_of_commit
from sbir_gate.settings.keys import KNOWN_KEYS
from sbir_gate.settings.layers import assignment_layer, base_layer, text_layer

WALL = "gate.metrics.wall_seconds"


def layer(text, name="gate.yaml"):
    return text_layer(text.encode(), name)


def found(commit="", own="", operator=()):
    """Return what is in force, with base.yaml below both."""
    layers = (
        [base_layer(), *([layer(text, name)] if text else [])]
        for text, name in ((commit, "gate.yaml at commit abc"), (own, "gate.yaml"))
    )
    return settings_of_commit(*layers, [assignment_layer(operator)])


def edits(*arguments, **options):
    return [(edit.what, edit.before, edit.after) for edit in found(*arguments, **options).edits]


def test_nothing_changed_is_nothing_to_tell():
    same = "gate:\n  max_lost: 2\n"
    assert edits(same, same) == []
    assert found(same, same).effective.settings.gate.max_lost == 2


def test_a_limit_that_head_loosens_stays_and_both_values_are_told():
    loose = "gate:\n  max_lost: 900\n  metrics:\n    wall_seconds: {fail_percent: 300}\n"
    strict = "gate:\n  max_lost: 2\n"
    settings = found(strict, loose).effective.settings
    assert settings.gate.max_lost == 2
    assert settings.gate.metrics["wall_seconds"].fail_percent == 25
    assert edits(strict, loose) == [("gate.max_lost", "2", "900"), (f"{WALL}.fail_percent", "25", "300")]


def test_a_limit_that_only_head_has_counts_for_nothing_and_is_told():
    loose = "gate:\n  metrics:\n    match_rate: {smallest_change: 1}\n"
    assert found("", loose).effective.settings.gate.metrics["match_rate"].smallest_change == 0
    assert edits("", loose) == [("gate.metrics.match_rate.smallest_change", "not set", "1")]


def test_how_much_is_measured_is_policy_too():
    # one repeat tells nothing of the noise: nothing could ever fail
    assert found("", "benchmark:\n  repeats: 1\n").effective.settings.benchmark.repeats == 5


def test_what_is_under_test_is_head_s():
    own = "matching:\n  max_candidates: 2\nenricher:\n  command: mine {awards} {recipients} {output}\n"
    settings = found("", own).effective.settings
    assert settings.matching.max_candidates == 2
    assert settings.enricher.command[0] == "mine"
    assert edits("", own) == []


def test_paths_of_the_fixtures_are_head_s_but_told():
    own = "fixtures:\n  awards: easy.csv\n"
    assert str(found("", own).effective.settings.fixtures.awards) == "easy.csv"
    assert edits("", own) == [("fixtures.awards", "'fixtures/awards.csv'", "'easy.csv'")]


def test_the_operator_wins_over_both_and_hides_what_makes_no_difference():
    own = "gate:\n  max_lost: 900\n"
    assert found("", own, operator=["gate.max_lost=1"]).effective.settings.gate.max_lost == 1
    assert edits("", own, operator=["gate.max_lost=1"]) == []


def test_the_operator_s_awards_leave_the_draw_of_commit_and_head_out():
    text = "fixtures:\n  awards: own.csv\n  draw: draw.json\n"
    both = found(text, text, operator=["fixtures.awards=other.csv"])
    assert both.fixtures.draw is both.effective.settings.fixtures.draw is None
    assert both.edits == ()


def test_other_awards_of_head_s_own_file_leave_no_draw_out():
    own = "fixtures:\n  awards: easy.csv\n  draw: draw.json\n"
    both = found("fixtures:\n  awards: own.csv\n  draw: draw.json\n", own)
    assert both.fixtures.draw == both.effective.settings.fixtures.draw == Path("draw.json")
    operator = ["fixtures.awards=own.csv"]
    assert found("fixtures:\n  awards: own.csv\n  draw: draw.json\n", own, operator).fixtures.draw


def test_a_metric_that_only_head_judges_is_not_judged_yet():
    own = "gate:\n  metrics:\n    work/pages: {unit: count, direction: lower, kind: exact, fail_percent: 5}\n"
    assert "work/pages" not in found("", own).effective.settings.gate.metrics
    assert ("gate.metrics.work/pages.fail_percent", "not set", "5") in edits("", own)


def test_a_metric_that_head_no_longer_judges_is_judged():
    commit = (
        "gate:\n  metrics:\n    work/pages: {unit: count, direction: lower, kind: exact, fail_percent: 5}\n"
    )
    assert found(commit, "").effective.settings.gate.metrics["work/pages"].fail_percent == 5


def test_25_is_25_and_a_limit_of_null_is_none():
    commit = "gate:\n  metrics:\n    wall_seconds: {fail_percent: 25.0}\n"
    own = "gate:\n  metrics:\n    wall_seconds: {fail_percent: 25, maximum: null}\n"
    assert edits(commit, own) == []


def test_a_key_that_is_no_key_any_more_is_told_and_ignored():
    commit = "gate:\n  mercy: 3\n"
    assert edits(commit, "") == [("gate.mercy", "3", "no key any more")]


def test_a_key_of_the_policy_that_the_commit_lacks_takes_head_s_default():
    lines = [line for line in base_layer().entries if line.key != "gate.max_lost"]
    older = base_layer().__class__(entries=tuple(lines))
    settings = settings_of_commit([older], [base_layer()], [])
    assert settings.effective.settings.gate.max_lost == 5
    assert [(edit.what, edit.before, edit.after) for edit in settings.edits] == [
        ("gate.max_lost", "not set", "5")
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("gate: [", "gate.yaml at commit abc:1: not valid YAML"),
        (
            "gate:\n  max_lost: many\n",
            "gate.yaml at commit abc:2: gate.max_lost: must be a whole number ('many')",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_commit_file_and_line(text, fault):
    with pytest.raises(ConfigurationError) as caught:
        found(text, "")
    assert caught.value.message.startswith(fault)


def test_every_key_is_on_one_side_and_what_judges_is_policy():
    policy = {key for key in KNOWN_KEYS if is_policy(key)}
    judging = {key for key in KNOWN_KEYS if key.startswith(("gate.", "benchmark."))}
    assert judging - policy == {"gate.renamed"}  # it only maps names
    assert "enrichment.performance.match_rate_threshold" in policy
    assert "reading.max_reject_percent" in policy
    assert is_policy("a.key.of.tomorrow")
    assert not is_policy("matching.min_precision")
    assert not is_policy("enricher.command")


@pytest.mark.parametrize(
    ("own", "what"),
    [
        ("reports:\n  folder: elsewhere\n", "reports.folder"),
        ("enricher:\n  pass_environment: [MY_DEPLOYMENT]\n", "enricher.pass_environment"),
    ],
)
def test_where_the_verdict_is_written_and_what_the_enricher_sees_are_policy(own, what):
    settings = found("", own).effective.settings
    assert str(settings.reports.folder) == "reports"
    assert settings.enricher.pass_environment == ()
    assert [edit[0] for edit in edits("", own)] == [what]


def test_what_a_metric_is_called_is_the_change_own_affair():
    own = "gate:\n  renamed: [work/a -> work/b]\n"
    assert found("", own).effective.settings.gate.renamed == ("work/a -> work/b",)
    assert edits("", own) == []
