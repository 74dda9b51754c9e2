from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.waiver_faults import waiver_faults
from sbir_gate.gate.reporting.messages import diagnosis_texts
from sbir_gate.model.diagnosis import Flaw
from sbir_gate.model.verdict import Policy
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import make_limit, make_policy, make_run, scaled, with_lost_links
from tests.findings import problem

TODAY = date(2026, 2, 1)


def waiver(metric="wall_seconds", limit=50.0, expires=date(2026, 12, 31)):
    return Waiver(metric, limit, "because", "ana", expires, "7", "w.yaml:3")


def found(*waivers, latest=None, policy=None):
    return [
        (diagnosis.place, problem(diagnosis))
        for diagnosis in waiver_faults(policy or make_policy(), Waivers(waivers, TODAY), latest, make_run())
    ]


def test_a_waiver_that_may_yet_be_needed_is_sound():
    assert found(waiver(), waiver("awards", 9.0), waiver("match_rate", 3.0)) == []


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            waiver(expires=date(2026, 1, 31)),
            "the waiver for wall_seconds expired on 2026-01-31 and is not applied",
        ),
        (
            waiver("records_per_second"),
            "the waiver for records_per_second is for a metric that nothing can fail: it has no such limit",
        ),
        (
            waiver("wall_secnods"),
            "the waiver for wall_secnods is for a metric that has no limit",
        ),
        (waiver(limit=25.0), "the waiver for wall_seconds reaches up to 25%, and the limit is 25%"),
        (waiver("awards", 5.0), "the waiver for awards allows 5 awards, and gate.max_lost as many or more"),
    ],
)
def test_one_that_does_nothing_is_named(one, said):
    assert found(one) == [("w.yaml:3", said)]


@pytest.mark.parametrize(
    ("metric", "near"),
    [("wall_secnods", "wall_seconds"), ("award", "awards"), ("fixture_edit", "fixture-edit")],
)
def test_the_name_that_a_misspelled_metric_is_close_to_is_the_hint(metric, near):
    (diagnosis,) = waiver_faults(make_policy(), Waivers((waiver(metric),), TODAY), None, None)
    assert diagnosis.flaw is Flaw.WAIVER_MISSPELLED
    assert diagnosis_texts(diagnosis)[1] == f"did you mean {near}?"


def test_a_metric_that_is_close_to_no_other_is_not_called_misspelled():
    (diagnosis,) = waiver_faults(make_policy(), Waivers((waiver("links/exact"),), TODAY), None, None)
    assert diagnosis.flaw is Flaw.WAIVER_WITHOUT_LIMIT


def test_the_former_name_of_a_waiver_is_named():
    outdated = replace(waiver("awards", 9.0), former_name="records")
    assert found(outdated) == [("w.yaml:3", "the waiver metric records is now named awards")]


def test_one_that_the_latest_run_does_not_need_is_named():
    assert found(waiver(), latest=make_run()) == [
        ("w.yaml:3", "the waiver for wall_seconds is not needed by the latest Run")
    ]
    assert found(waiver(), latest=scaled(make_run(), "wall_seconds", 1.4)) == []


def test_lost_awards_that_need_one_are_seen():
    assert found(waiver("awards", 9.0), latest=with_lost_links(make_run(), 7)) == []
    assert len(found(waiver("awards", 9.0), latest=with_lost_links(make_run(), 1))) == 1


def test_a_limit_that_only_warns_needs_no_waiver():
    policy = Policy((make_limit("wall_seconds", fail_percent=None),))
    assert len(found(waiver(), policy=policy)) == 1
