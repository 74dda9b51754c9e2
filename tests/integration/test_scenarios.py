"""Every scenario of fixtures/ through the engine and through the gate."""

from dataclasses import replace

import pytest

from sbir_gate.errors import EnricherError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.measuring.benchmark import BenchmarkResult
from sbir_gate.gate.measuring.metrics import derive_metrics
from sbir_gate.gate.measuring.output import check_rows, decision_key, digest, read_decisions
from sbir_gate.gate.measuring.quality import award_records, measure_quality
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.matches import DecisionKind
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.model.samples import Calibration, Sample
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings import policy
from tests.factories import CALIBRATION_SECONDS, make_run
from tests.factories_matching import enrich_files, make_settings
from tests.findings import reasons, rules
from tests.scenarios import load_scenarios, write_answers, write_scenario

SCENARIOS = load_scenarios()
POLICY = policy(make_settings())


def of_kind(*kinds, slow=()):
    chosen = [
        pytest.param(scenario, id=scenario.id, marks=[pytest.mark.slow] if scenario.kind in slow else [])
        for scenario in SCENARIOS
        if scenario.kind in kinds
    ]
    return pytest.mark.parametrize("scenario", chosen)


@pytest.fixture(scope="module")
def enriched_by_the_engine(tmp_path_factory):
    """Return a function from a scenario to the engine's decisions on it; each is enriched once."""
    done = {}

    def run(scenario):
        if scenario.id not in done:
            folder = tmp_path_factory.mktemp(scenario.id)
            files = write_scenario(scenario, folder)
            enrich_files(files.awards, files.recipients, folder / "enriched.csv")
            done[scenario.id] = read_decisions(folder / "enriched.csv")
        return done[scenario.id]

    return run


def answered(answers, folder):
    write_answers(answers, folder / "answers.csv")
    return read_decisions(folder / "answers.csv")


def run_of(scenario, *repeats):
    """Return the Run of an enricher that decided so in its repeats; times and memory are those of any Run."""
    first = repeats[0]
    award_ids = [award.award_id for award in scenario.awards]
    profiles = [
        AwardProfile(award.award_id, award.company, Phase.ONE, CompanySize.UNKNOWN, IdentifierType.NEITHER)
        for award in scenario.awards
    ]
    truth = {award_id: frozenset(scenario.right_recipients(award_id)) for award_id in award_ids}
    disagreeing = {
        key[0] for repeat in repeats for key in {*map(decision_key, repeat)} ^ {*map(decision_key, first)}
    }
    samples = tuple(Sample(1.7, 1.7, 210.0, 150.0, 0.1, digest(repeat)) for repeat in repeats)
    result = BenchmarkResult(
        samples=samples,
        decisions=first,
        disagreements=tuple(sorted(disagreeing)),
        faults=check_rows(first, award_ids),
        calibrations=tuple(Calibration(wall, wall) for wall in CALIBRATION_SECONDS[: len(samples) + 1]),
    )
    quality = measure_quality(first, profiles, truth)
    plain = make_run()
    return replace(
        plain,
        samples=samples,
        metrics=derive_metrics(result, quality, len(award_ids)),
        quality=quality,
        awards=award_records(first, profiles, truth, {}),
        fixture=replace(plain.fixture, awards=len(award_ids)),
        calibration_seconds=tuple(timing.wall_seconds for timing in result.calibrations),
    )


def failures_of(verdict):
    """Return the metrics that failed, and max_lost where the award-by-award comparison did."""
    failed = {change.metric for change in verdict.changes if change.severity is Severity.FAIL}
    return failed | ({"max_lost"} if verdict.records.severity is Severity.FAIL else set())


@of_kind("good", "bad", "edge", slow=("bad", "edge"))
def test_the_engine_decides_every_award_as_expected(scenario, enriched_by_the_engine):
    found = {
        decision.award_id: (decision.kind.value, decision.method, decision.recipient_id or None)
        for decision in enriched_by_the_engine(scenario)
    }
    expected = {
        award_id: (right.decision, right.method, right.recipient_id)
        for award_id, right in scenario.expected.items()
    }
    assert found == expected, scenario.reason


@of_kind("good")
def test_the_engine_passes_the_gate_on_what_is_known_to_be_good(scenario, enriched_by_the_engine, tmp_path):
    baseline = run_of(scenario, *[answered(scenario.right_answers(), tmp_path)] * 2)
    head = run_of(scenario, *[enriched_by_the_engine(scenario)] * 2)
    verdict = judge(head, baseline, POLICY)
    assert verdict.outcome in {Outcome.PASS, Outcome.WARN}, reasons(verdict)
    assert failures_of(verdict) == set()


@of_kind("edge", slow=("edge",))
def test_an_edge_case_never_counts_as_a_regression_against_its_right_answers(
    scenario, enriched_by_the_engine, tmp_path
):
    baseline = run_of(scenario, *[answered(scenario.right_answers(), tmp_path)] * 2)
    head = run_of(scenario, *[enriched_by_the_engine(scenario)] * 2)
    # where right answers link few or no awards, the absolute minimum of the match rate must say so
    allowed = {"match_rate"} if head.quality.match_rate < 0.70 else set()
    assert failures_of(judge(head, baseline, POLICY)) <= allowed


@of_kind("bad")
def test_the_gate_fails_a_sabotaged_enricher_and_names_the_failure(scenario, tmp_path):
    baseline = run_of(scenario, *[answered(scenario.right_answers(), tmp_path)] * 2)
    if scenario.failure == "error":
        with pytest.raises(EnricherError) as raised:
            answered(scenario.sabotage, tmp_path)
        assert raised.value.hint
        return
    first = answered(scenario.sabotage, tmp_path)
    second = answered(scenario.second_sabotage, tmp_path) if scenario.second_sabotage else first
    verdict = judge(run_of(scenario, first, second), baseline, POLICY)
    assert verdict.outcome is Outcome.FAIL
    assert scenario.failure in failures_of(verdict)
    is_named = (
        Rule.AWARDS_WORSENED in rules(verdict.deciding)
        if scenario.failure == "max_lost"
        else any(finding.metric == scenario.failure for finding in verdict.deciding)
    )
    assert is_named, reasons(verdict)


def test_there_are_enough_scenarios_and_the_good_ones_link():
    kinds = [scenario.kind for scenario in SCENARIOS]
    assert kinds.count("good") >= 15
    assert kinds.count("bad") >= 20
    assert kinds.count("edge") >= 15
    good = [
        right for scenario in SCENARIOS if scenario.kind == "good" for right in scenario.expected.values()
    ]
    assert sum(right.decision == DecisionKind.LINK.value for right in good) > 0.7 * len(good)
