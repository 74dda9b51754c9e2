from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.comparing.edited_fixture import judge_change
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.companions import OnBaseFixture
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.fixture_edits import FixtureEdits, RowEdits
from sbir_gate.model.verdict import Outcome, not_judged
from sbir_gate.model.waiver import Waiver, Waivers
from tests.factories import make_policy, make_run, scaled, with_lost_links, with_metric
from tests.findings import reasons, rules

POLICY = make_policy()
TODAY = date(2026, 2, 1)
EDITS = FixtureEdits("b" * 40, awards=RowEdits(removed=4))


def on(fixture, run):
    """Return the Run as one of a session, on a fixture."""
    return replace(run, session="s", fixture=replace(run.fixture, fingerprint=fixture * 64))


def beside(run, there, *, base=None, reference=None):
    """Return the verdict on an edited fixture, with head's Run there."""
    head = replace(on("h", run), fixture_edits=EDITS)
    on_base = OnBaseFixture(on("b", there), on("b", base or make_run()))
    return judge_change(head, reference or on("h", make_run()), POLICY, on_base)


def test_without_an_edit_nothing_is_judged_otherwise():
    head, base = with_lost_links(make_run(), 7), make_run()
    assert judge_change(head, base, POLICY) == judge(head, base, POLICY)


def test_awards_are_judged_on_the_fixture_of_the_base_and_not_on_head_s():
    assert beside(with_lost_links(make_run(), 7), make_run()).outcome is Outcome.PASS
    found = beside(make_run(), with_lost_links(make_run(), 7))
    assert found.outcome is Outcome.FAIL
    assert reasons(found)[0].startswith("on the base's fixture: 7 awards lost")
    assert found.records.worsened == 7


def test_time_is_judged_on_the_fixture_of_head_and_not_on_the_base_s():
    slow = scaled(make_run(), "wall_seconds", 2.0)
    assert beside(make_run(), slow).outcome is Outcome.PASS
    found = beside(slow, make_run())
    assert found.outcome is Outcome.FAIL
    assert reasons(found)[0].startswith("Wall time rose")


@pytest.mark.parametrize(
    ("edits", "is_judged"),
    [
        (FixtureEdits("b" * 40, awards=RowEdits(removed=4)), False),
        (FixtureEdits("b" * 40, recipients=RowEdits(removed=4, added=3)), False),
        (FixtureEdits("b" * 40, is_counted=False), False),
        (FixtureEdits("b" * 40, awards=RowEdits(added=4, removed=4)), True),
        (FixtureEdits("b" * 40, truth=RowEdits(removed=4)), True),
    ],
)
def test_times_on_fewer_rows_than_the_base_has_are_not_judged(edits, is_judged):
    head = replace(on("h", make_run()), fixture_edits=edits)
    on_base = OnBaseFixture(on("b", make_run()), on("b", make_run()))
    found = judge_change(head, on("h", make_run()), POLICY, on_base)
    assert found.outcome is Outcome.PASS
    assert (not_judged(found.changes) == ()) is is_judged
    assert (Rule.SMALLER_FIXTURE in rules(found.notes)) is not is_judged


def test_the_absolute_limits_hold_on_both_fixtures():
    low = with_metric(make_run(), "match_rate", [0.5])
    own, there = beside(low, make_run()), beside(make_run(), low)
    assert reasons(own)[0].startswith("on this change's own fixture: Match rate: 0.500, below")
    assert reasons(there)[0].startswith("on the base's fixture: Match rate: 0.500, below")
    assert {change.metric for change in own.own_fixture_changes} >= {"match_rate", "precision"}


def test_a_baseline_is_compared_with_all_that_was_measured_on_its_fixture():
    head = replace(on("h", make_run()), fixture_edits=EDITS)
    baseline = replace(on("b", make_run()), session="other")
    slow = OnBaseFixture(on("b", scaled(make_run(), "wall_seconds", 2.0)))
    found = judge_change(head, baseline, POLICY, slow)
    assert found.outcome is Outcome.FAIL
    assert reasons(found)[0].startswith("on the base's fixture: Wall time rose")
    assert judge_change(head, baseline, POLICY, OnBaseFixture(on("b", make_run()))).outcome is Outcome.PASS


def obstacle(text):
    return Finding(Rule.FIXTURE_EDIT_UNJUDGED, Severity.FAIL, facts={"obstacle": text})


@pytest.mark.parametrize("text", ["", "the enricher ended with exit status 1"])
def test_what_was_not_judged_on_the_fixture_of_the_base_is_never_a_pass(text):
    found = obstacle(text) if text else None
    head = replace(on("h", make_run()), fixture_edits=replace(EDITS, obstacle=found))
    for reference in (None, on("h", make_run()), on("b", make_run())):
        found = judge_change(head, reference, POLICY)
        assert found.outcome is Outcome.INCOMPARABLE
        assert reasons(found)[0].startswith("cannot be judged on the base's fixture: ")
        assert reasons(found)[0].endswith(text)


@pytest.mark.parametrize("severity", Severity)
def test_a_saved_run_does_not_decide_how_severe_its_obstacle_is(severity):
    claimed = replace(obstacle("it broke"), severity=severity)
    head = replace(on("h", make_run()), fixture_edits=replace(EDITS, obstacle=claimed))
    there = OnBaseFixture(on("b", make_run()), on("b", make_run()))
    for on_base in (None, there):
        found = judge_change(head, on("h", make_run()), POLICY, on_base)
        assert found.outcome is Outcome.INCOMPARABLE
        assert found.findings[0] == obstacle("it broke")


@pytest.mark.parametrize(
    ("edits", "limit", "outcome"),
    [
        (EDITS, 4, Outcome.WARN),
        (EDITS, 3, Outcome.INCOMPARABLE),
        (replace(EDITS, is_counted=False), 1000, Outcome.INCOMPARABLE),
    ],
)
def test_a_waiver_reaches_as_far_as_the_rows_that_it_names(edits, limit, outcome):
    head = replace(on("h", make_run()), fixture_edits=replace(edits, obstacle=obstacle("it broke")))
    waiver = Waiver("fixture-edit", limit, "columns", "ana", date(2026, 12, 31), "7", "waivers.yaml:2")
    found = judge_change(head, on("h", make_run()), POLICY, waivers=Waivers((waiver,), TODAY))
    assert found.outcome is outcome
    assert found.waivers == ((waiver,) if outcome is Outcome.WARN else ())
    expired = Waivers((replace(waiver, expires=date(2026, 1, 1)),), TODAY)
    found = judge_change(head, on("h", make_run()), POLICY, waivers=expired)
    assert found.outcome is Outcome.INCOMPARABLE
    assert Rule.WAIVER_EXPIRED in rules(found.notes)


def test_a_waiver_that_one_fixture_needs_is_not_called_unused():
    waiver = Waiver("awards", 9, "known", "ana", date(2026, 12, 31), "7", "waivers.yaml:2")
    head = replace(on("h", make_run()), fixture_edits=EDITS)
    there = OnBaseFixture(on("b", with_lost_links(make_run(), 7)), on("b", make_run()))
    waivers = Waivers((waiver,), TODAY)
    found = judge_change(head, on("h", make_run()), POLICY, there, waivers=waivers)
    assert Rule.WAIVER_UNUSED not in rules(found.notes)
    assert found.waivers == (waiver,)
    there = OnBaseFixture(on("b", make_run()), on("b", make_run()))
    found = judge_change(head, on("h", make_run()), POLICY, there, waivers=waivers)
    assert Rule.WAIVER_UNUSED in rules(found.notes)
