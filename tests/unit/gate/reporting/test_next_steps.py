from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.reporting.next_steps import next_steps
from sbir_gate.model.run import Call
from sbir_gate.model.verdict import Outcome
from sbir_gate.model.waiver import PLACEHOLDERS, Waivers
from sbir_gate.settings.waivers import load_waivers
from tests.factories import make_policy, make_run, scaled, with_lost_links, with_metric, without_metric

BASE = make_run()


@pytest.mark.parametrize(
    "head",
    [
        scaled(BASE, "wall_seconds", 1.4),
        with_lost_links(BASE, 7),
        with_metric(BASE, "match_rate", [0.6]),
        with_metric(BASE, "precision", [0.9]),
        with_metric(scaled(with_lost_links(BASE, 8), "wall_seconds", 1.333), "match_rate", [0.61]),
    ],
    ids=["time", "awards", "match rate", "precision", "all of them"],
)
def test_the_waivers_to_copy_can_be_read_and_let_the_regression_pass(head, tmp_path):
    verdict = judge(head, BASE, make_policy())
    assert verdict.outcome is Outcome.FAIL
    file = tmp_path / "waivers.yaml"
    text = next_steps(head, verdict).waivers
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="still has the placeholder of its reason and owner"):
        load_waivers(file, is_required=True)
    file.write_text(text.replace(PLACEHOLDERS["reason"], "agreed").replace(PLACEHOLDERS["owner"], "ana"))
    waivers = load_waivers(file, is_required=True)
    again = judge(head, BASE, make_policy(), waivers=Waivers(waivers, date(2026, 2, 1)))
    assert again.outcome is Outcome.WARN
    assert set(again.waivers) == set(waivers)


@pytest.mark.parametrize(
    "head",
    [
        with_metric(BASE, "rows_missing", [3.0]),
        with_metric(BASE, "match_rate", [float("nan")]),
        without_metric(BASE, "precision"),
    ],
    ids=["rows are missing", "not a number", "gone"],
)
def test_what_no_waiver_can_accept_is_offered_none(head):
    verdict = judge(head, BASE, make_policy())
    assert verdict.outcome is Outcome.FAIL
    assert next_steps(head, verdict).waivers == ""


def test_the_address_of_the_pull_request_is_filled_in():
    verdict = judge(scaled(BASE, "wall_seconds", 1.4), BASE, make_policy())
    address = "https://github.example/o/r/pull/7"
    assert f"pr: {address}\n" in next_steps(None, verdict, address).waivers


def test_a_verdict_is_reproduced_by_the_command_that_measured_it():
    head = scaled(replace(BASE, session="s", settings_file="my gate.yaml"), "wall_seconds", 1.4)
    verdict = judge(head, replace(BASE, session="s"), make_policy())
    assert next_steps(head, verdict).command == "sbir-gate run --config 'my gate.yaml' --base cccccccccccc"
    stored = judge(replace(head, session=""), BASE, make_policy())
    assert next_steps(replace(head, session=""), stored).command == "sbir-gate run --config 'my gate.yaml'"


def test_the_command_repeats_what_was_given_for_this_run_alone():
    overrides = {
        "fixtures.awards": "my awards.csv",
        "fixtures.truth": "null",
        "enricher.command": '["python", "mine.py"]',
        "enricher.python": ".venv/bin/python",
        "matching.acceptance_limit": "0.02",
        "benchmark.is_timed": "false",
    }
    head = replace(scaled(BASE, "wall_seconds", 1.4), enricher="python mine.py", overrides=overrides)
    verdict = replace(judge(head, BASE, make_policy()), policy_commit="d" * 40)
    assert next_steps(head, verdict).command == (
        "sbir-gate run --policy-from dddddddddddd --awards 'my awards.csv' --set fixtures.truth=null"
        " --enricher 'python mine.py' --set enricher.python=.venv/bin/python"
        " --set matching.acceptance_limit=0.02 --quick"
    )


def test_what_broke_is_reproduced_as_it_was_called():
    broken = replace(judge(BASE, None, make_policy()), outcome=Outcome.ERROR)
    assert next_steps(None, broken).command == "sbir-gate run"
    call = Call("python mine.py", "my gate.yaml", "main", {"enricher.command": '["python", "mine.py"]'})
    assert next_steps(None, replace(broken, call=call)).command == (
        "sbir-gate run --config 'my gate.yaml' --base main --enricher 'python mine.py'"
    )


def test_an_undecided_verdict_says_how_many_more_would_decide():
    head = with_metric(BASE, "wall_seconds", (1.2, 2.9, 1.9, 3.1, 2.3))
    verdict = judge(head, BASE, make_policy())
    assert verdict.outcome is Outcome.INCONCLUSIVE
    (advice,) = next_steps(head, verdict).advice
    assert advice.startswith("About ")
    assert "more repeats a side would decide" in advice


def test_a_pass_asks_for_nothing_and_a_first_run_for_a_merge():
    assert next_steps(BASE, judge(BASE, BASE, make_policy())).command == ""
    assert "Merge" in next_steps(BASE, judge(BASE, None, make_policy())).advice[0]


def test_a_lost_link_names_the_command_that_explains_it():
    lost = with_lost_links(replace(BASE, enricher="built-in", settings_file="my gate.yaml"), 7)
    first = "sbir-gate explain A0000 --config 'my gate.yaml' --against"
    assert next_steps(lost, judge(lost, BASE, make_policy())).explain == f"{first} baseline"
    beside = replace(lost, session="s")
    verdict = judge(beside, replace(BASE, session="s"), make_policy())
    assert next_steps(beside, verdict).explain == f"{first} base"


def test_a_link_lost_since_a_saved_run_is_explained_against_that():
    overrides = {"gate.baselines_folder": "theirs"}
    lost = with_lost_links(replace(BASE, enricher="built-in", overrides=overrides), 7)
    steps = next_steps(lost, judge(lost, BASE, make_policy()), against="old runs/1.json")
    assert steps.explain == "sbir-gate explain A0000 --against 'old runs/1.json'"


def test_a_lost_link_is_explained_of_the_same_input():
    overrides = {
        "fixtures.awards": "my awards.csv",
        "fixtures.truth": "null",
        "gate.name": "nightly",
        "gate.max_lost": "3",
        "gate.baselines_folder": "theirs",
        "reports.folder": "out",
        "history.folder": "kept",
        "enricher.python": ".venv/bin/python",
        "matching.acceptance_limit": "0.02",
        "benchmark.is_timed": "false",
    }
    head = with_lost_links(replace(BASE, enricher="built-in", overrides=overrides), 2)
    verdict = judge(head, BASE, make_policy())
    assert verdict.outcome is Outcome.WARN
    assert next_steps(head, verdict).explain == (
        "sbir-gate explain A0000 --against baseline --awards 'my awards.csv'"
        " --set matching.acceptance_limit=0.02 --set gate.name=nightly"
        " --set gate.baselines_folder=theirs --set reports.folder=out"
    )


def test_another_engine_is_asked_as_it_was_run():
    overrides = {"gate.baselines_folder": "theirs", "enricher.command": '["python", "mine.py"]'}
    head = with_lost_links(replace(BASE, enricher="python mine.py", overrides=overrides), 7)
    found = next_steps(head, judge(head, BASE, make_policy())).explain
    told = (
        "sbir-gate explain A0000 --against baseline --set gate.baselines_folder=theirs"
        """ --set 'enricher.command=["python", "mine.py"]'"""
    )
    assert found == told


@pytest.mark.parametrize("head", [BASE, scaled(BASE, "wall_seconds", 1.4)])
def test_without_a_lost_link_there_is_nothing_to_explain(head):
    assert next_steps(head, judge(head, BASE, make_policy())).explain == ""
