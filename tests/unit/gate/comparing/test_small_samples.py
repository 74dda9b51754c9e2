from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.other_data import judge_step
from sbir_gate.gate.comparing.run_checks import run_findings
from sbir_gate.gate.comparing.small_samples import with_chance
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.verdict import Outcome
from tests.factories import make_policy, make_run, with_metric
from tests.findings import rules

POLICY = make_policy()


def few(rate, awards, fingerprint="f" * 64):
    run = with_metric(make_run(), "match_rate", [rate])
    quality = replace(run.quality, wholes={"match_rate": awards})
    return replace(run, quality=quality, fixture=replace(run.fixture, fingerprint=fingerprint))


@pytest.mark.parametrize(("awards", "outcome"), [(12, Outcome.NO_BASELINE), (2000, Outcome.FAIL)])
def test_a_rate_below_its_minimum_fails_only_beyond_chance(awards, outcome):
    head = few(0.66, awards)
    verdict = with_chance(judge_step(head, None, POLICY), head, None, POLICY)
    assert verdict.outcome is outcome
    (answer, *_) = run_findings(head, None, POLICY, verdict)
    assert (answer.severity is Severity.FAIL) is (outcome is Outcome.FAIL)
    if outcome is not Outcome.FAIL:
        assert texts(answer.findings) == (
            "Match rate 0.660 of 12 may be below 0.7 by chance (95% interval 0.385 to 0.858)",
        )


@pytest.mark.parametrize(
    ("awards", "same", "outcome"),
    [(12, False, Outcome.PASS), (2000, False, Outcome.FAIL), (12, True, Outcome.FAIL)],
)
def test_so_does_a_fall_on_other_data_and_on_the_same_nothing_is_chance(awards, same, outcome):
    reference = few(0.95, awards)
    head = few(0.85, awards, "f" * 64 if same else "e" * 64)
    verdict = with_chance(judge_step(head, reference, POLICY), head, reference, POLICY)
    assert verdict.outcome is outcome
    assert (Rule.SMALL_SAMPLE in rules(verdict.notes)) is (outcome is Outcome.PASS)
