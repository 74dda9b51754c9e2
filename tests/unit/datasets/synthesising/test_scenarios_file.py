"""The scenarios are well formed, enough, and say what they mean."""

import csv
from collections import Counter

import pytest
from pydantic import ValidationError

from sbir_gate.errors import EnricherError
from sbir_gate.gate.measuring.output import check_rows, digest, read_decisions
from sbir_gate.gate.measuring.quality import labels_of, measure_quality
from sbir_gate.model.awards import Label
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from tests.scenarios import FAILURES, Award, load_scenarios, write_answers, write_scenario

SCENARIOS = load_scenarios()
BAD = [scenario for scenario in SCENARIOS if scenario.kind == "bad"]
# the limits of config/base.yaml
LEAST_MATCH_RATE, MOST_LOST = 0.70, 5
LEAST_PRECISION = 0.95


def named(scenarios):
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda scenario: scenario.id)


def decisions(answers, folder):
    write_answers(answers, folder / "output.csv")
    return read_decisions(folder / "output.csv")


def truth_of(scenario):
    return {award_id: frozenset(scenario.right_recipients(award_id)) for award_id in scenario.expected}


def profiles_of(scenario):
    return [
        AwardProfile(award.award_id, award.company, Phase.ONE, CompanySize.UNKNOWN, IdentifierType.NEITHER)
        for award in scenario.awards
    ]


def quality(scenario, found):
    return measure_quality(found, profiles_of(scenario), truth_of(scenario))


def correct(scenario, found):
    """Return the awards that are decided correctly."""
    labels = labels_of(found, profiles_of(scenario), truth_of(scenario))
    return {each.award_id for each, label in zip(found, labels, strict=True) if label is Label.CORRECT}


def is_lower(after, before):
    """Say whether recall fell by more than 3%; answers without candidates have none of the search."""
    return after is not None and before is not None and after < before * 0.97


def findings(scenario, folder):
    """Return every failure that the sabotage of a bad scenario shows, held against the right answers."""
    right = decisions(scenario.right_answers(), folder)
    try:
        wrong = decisions(scenario.sabotage, folder)
    except EnricherError:
        return {"error"}
    second = decisions(scenario.second_sabotage or scenario.sabotage, folder)
    faults = check_rows(wrong, [award.award_id for award in scenario.awards])
    before, after = quality(scenario, right), quality(scenario, wrong)
    lost = correct(scenario, right) - correct(scenario, wrong)
    return {
        name
        for name, is_found in {
            "precision": after.precision is not None and after.precision < LEAST_PRECISION,
            "recall": after.recall < before.recall * 0.98,
            "match_rate": after.match_rate < LEAST_MATCH_RATE,
            "blocking_recall": is_lower(after.blocking_recall, before.blocking_recall),
            "rows_missing": faults.missing,
            "rows_doubled": faults.doubled,
            "rows_unknown": faults.unknown,
            "disagreements": digest(wrong) != digest(second),
            "max_lost": len(lost) > MOST_LOST,
        }.items()
        if is_found
    }


def test_there_are_enough_of_each_kind():
    kinds = Counter(scenario.kind for scenario in SCENARIOS)

    assert kinds["good"] >= 15
    assert kinds["bad"] >= 20
    assert kinds["edge"] >= 15


def test_ids_titles_and_datasets_are_distinct():
    assert len({scenario.id for scenario in SCENARIOS}) == len(SCENARIOS)
    assert len({scenario.title for scenario in SCENARIOS}) == len(SCENARIOS)
    assert all(scenario.id.startswith(f"{scenario.kind}-") for scenario in SCENARIOS)


@named(SCENARIOS)
def test_every_award_has_its_right_decision(scenario):
    award_ids = [award.award_id for award in scenario.awards]

    assert award_ids
    assert scenario.recipients
    assert sorted(scenario.expected) == sorted(award_ids)
    assert len({recipient.recipient_id for recipient in scenario.recipients}) == len(scenario.recipients)
    assert scenario.reason.endswith(".")


@named(SCENARIOS)
def test_right_decisions_are_possible(scenario):
    known = {recipient.recipient_id for recipient in scenario.recipients}
    for award_id, expected in scenario.expected.items():
        is_none = expected.decision == "none"
        assert (expected.recipient_id is None) == is_none
        assert (expected.method == "none") == is_none
        assert is_none or expected.recipient_id in known
        assert set(scenario.right_recipients(award_id)) <= known
        if expected.decision == "link":
            assert expected.recipient_id in scenario.right_recipients(award_id)


@named([scenario for scenario in SCENARIOS if scenario.kind != "edge"])
def test_right_answers_pass_the_limits_of_the_gate(scenario, tmp_path):
    found = decisions(scenario.right_answers(), tmp_path)
    measured = quality(scenario, found)

    assert measured.match_rate >= LEAST_MATCH_RATE
    assert measured.precision == 1.0
    assert measured.recall == 1.0


@named(BAD)
def test_sabotage_shows_the_failure_that_it_names(scenario, tmp_path):
    assert scenario.failure in FAILURES
    assert scenario.failure in findings(scenario, tmp_path)


def test_every_failure_is_shown_by_a_scenario():
    assert {scenario.failure for scenario in BAD} == set(FAILURES)


@named([scenario for scenario in SCENARIOS if scenario.kind != "bad"])
def test_only_bad_scenarios_are_sabotaged(scenario):
    assert not scenario.sabotage
    assert not scenario.failure


@named(SCENARIOS)
def test_scenarios_are_written_as_files(scenario, tmp_path):
    files = write_scenario(scenario, tmp_path)
    for path, count in (
        (files.awards, len(scenario.awards)),
        (files.recipients, len(scenario.recipients)),
        (files.truth, len(scenario.awards)),
    ):
        with path.open(encoding="utf-8", newline="") as stream:
            assert len(list(csv.DictReader(stream))) == count


def test_a_misspelled_field_is_refused():
    with pytest.raises(ValidationError, match="Compny"):
        Award.model_validate({"award_id": "A1", "Compny": "Acme"})
