"""Why an award is linked, or is not: every method, decision and reason, over small files."""

import csv
import math
from dataclasses import replace

import pytest

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.engine.explanation import explain
from sbir_gate.errors import InputError
from sbir_gate.model.explanation import Basis, Change, SharedKey
from sbir_gate.model.matches import DecisionKind, NoLinkReason
from tests.factories_matching import UEIS, Award, Recipient, make_settings, write_tables

BOSTON = ("BOSTON", "MA", "02110")
AUSTIN = ("AUSTIN", "TX", "78701")
RENO = ("RENO", "NV", "89501")

AWARDS = [
    Award("by-uei", "Quellmark Optics", UEIS[0], None, *BOSTON),
    Award("by-duns", "Vexor Plasma", None, "133709001", *BOSTON),
    Award("by-name", "Zorbatek Sensors", None, None, *AUSTIN),
    Award("by-model", "Krymsolar Photonic Systems", None, None, *AUSTIN),
    Award("conflict", "Halvorsen Marine", None, "033449757", *RENO),
    Award("frequent", "Summit Research", None, None, *RENO),
    Award("below", "Fennwick Turbines", None, None, *RENO),
    Award("generation", "Brightwell Labs II", None, None, *BOSTON),
    Award("nothing", "Yttrixa", None, None, *RENO),
    Award("placeholder", "Redacted due to PII", None, None, *RENO),
    Award("nameless", "", None, None, *RENO),
    Award("unknown-uei", "Redacted due to PII", UEIS[5], None, *RENO),
]
RECIPIENTS = [
    Recipient("R-uei", "QUELLMARK OPTICS INC", UEIS[0], None, *BOSTON),
    Recipient("R-duns", "VEXOR PLASMA LLC", None, "133709001", *BOSTON),
    Recipient("R-name", "ZORBATEK SENSORS INC", UEIS[2], None, *AUSTIN),
    Recipient("R-model", "KRYMSOLAR PHOTONICS SYSTEMS INC", UEIS[3], None, *AUSTIN),
    Recipient("R-conflict", "GREATER OHIO DAIRY", None, "033449757", *AUSTIN),
    *(
        Recipient(f"R-frequent-{i}", "SUMMIT RESEARCH", None, None, "X", s, None)
        for i, s in enumerate(("MA", "TX", "OH"))
    ),
    Recipient("R-below", "FENNWICK HOLDINGS TURBINE REPAIR", UEIS[4], None, *AUSTIN),
    Recipient("R-generation", "BRIGHTWELL LABS III", None, None, *BOSTON),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return the paths of the awards and the recipients."""
    return write_tables(tmp_path_factory.mktemp("tables"), AWARDS, RECIPIENTS)


@pytest.fixture(scope="module")
def explained(tables):
    """Return the explanation of every award, by its id."""
    ids = [award.award_id for award in AWARDS]
    found = explain(str(tables[0]), str(tables[1]), ids, make_settings())
    return {explanation.award_id: explanation for explanation in found}


@pytest.mark.parametrize(
    ("award", "kind", "basis", "reason"),
    [
        ("by-uei", DecisionKind.LINK, Basis.IDENTIFIER, None),
        ("by-duns", DecisionKind.LINK, Basis.IDENTIFIER, None),
        ("by-name", DecisionKind.LINK, Basis.EXACT_NAME, None),
        ("by-model", DecisionKind.LINK, Basis.MODEL, None),
        ("conflict", DecisionKind.CANDIDATE, Basis.MODEL, NoLinkReason.IDENTIFIER_CONFLICT),
        ("frequent", DecisionKind.CANDIDATE, Basis.MODEL, NoLinkReason.NAME_FREQUENCY),
        ("below", DecisionKind.CANDIDATE, Basis.MODEL, NoLinkReason.BELOW_LIMIT),
        ("generation", DecisionKind.CANDIDATE, Basis.MODEL, NoLinkReason.OTHER_GENERATION),
        ("nothing", DecisionKind.NONE, Basis.NOTHING, NoLinkReason.NO_CANDIDATE),
        ("placeholder", DecisionKind.NONE, Basis.NOTHING, NoLinkReason.PLACEHOLDER),
        ("nameless", DecisionKind.NONE, Basis.NOTHING, NoLinkReason.UNREADABLE),
        ("unknown-uei", DecisionKind.NONE, Basis.NOTHING, NoLinkReason.NO_CANDIDATE),
    ],
)
def test_each_decision_has_its_basis_and_its_reason(explained, award, kind, basis, reason):
    found = explained[award]
    assert (found.decision.kind, found.basis, found.reason) == (kind, basis, reason)


def test_the_decisions_are_those_of_the_enriched_file(explained, tables, tmp_path):
    output = tmp_path / "enriched.csv"
    link_and_write(EnrichRequest(str(tables[0]), str(tables[1]), output), make_settings())
    with output.open(encoding="utf-8") as file:
        rows = {row["award_id"]: row for row in csv.DictReader(file)}
    for award, found in explained.items():
        row = rows[award]
        assert row["match_decision"] == found.decision.kind.value
        assert row["match_method"] == found.decision.method
        assert row["recipient_id"] == found.decision.recipient_id
        assert float(row["match_confidence"]) == pytest.approx(found.decision.confidence, abs=1e-6)


def test_contributions_and_intercept_add_up_to_the_confidence_of_every_candidate(explained):
    weighed = [
        candidate.weighing
        for found in explained.values()
        for candidate in found.candidates
        if candidate.weighing is not None
    ]
    assert len(weighed) >= 6
    for weighing in weighed:
        total = weighing.intercept + sum(part.weight * part.value for part in weighing.contributions)
        assert 1 / (1 + math.exp(-total)) == pytest.approx(weighing.confidence, abs=2e-9)


def test_a_link_by_the_model_is_stated_with_the_confidence_that_it_adds_up_to(explained):
    found = explained["by-model"]
    best = found.candidates[0]
    assert best.weighing is not None
    assert best.confidence == best.weighing.confidence >= found.acceptance_limit


def test_names_are_shown_as_they_are_compared(explained):
    assert [name.normal for name in explained["by-model"].names] == ["KRYMSOLAR PHOTONIC SYSTEMS"]
    assert explained["by-model"].names[0].compact == "KRYMSOLARPHOTONICSYSTEMS"
    assert explained["placeholder"].names == ()


def test_shared_keys_are_those_that_the_search_makes_of_both(explained):
    keys = explained["by-model"].candidates[0].shared_keys
    assert SharedKey("token", "KRYMSOLAR") in keys
    assert SharedKey("start-in-zip3", "KRYM 787") in keys
    assert all("PHOTONICS" not in key.text.split() for key in keys)  # on one side only


def trial(found, change):
    """Return the trial of a change."""
    return next(trial for trial in found.trials if trial.change is change)


def test_what_would_change_the_decision_is_computed(explained, tmp_path):
    said = trial(explained["below"], Change.SAME_ZIP)
    moved = [
        replace(recipient, city=RENO[0], state=RENO[1], zip5=RENO[2])
        if recipient.recipient_id == "R-below"
        else recipient
        for recipient in RECIPIENTS
    ]
    awards, recipients = write_tables(tmp_path, AWARDS, moved)
    (found,) = explain(str(awards), str(recipients), ["below"], make_settings())
    assert said.kind is found.decision.kind is DecisionKind.LINK
    assert said.linked_id == found.decision.recipient_id == "R-below"
    # the search is not repeated: in the same place the names would share a key more
    assert said.confidence == pytest.approx(found.decision.confidence, abs=1e-5)


def test_the_uei_of_the_recipient_would_link_by_identifier(explained):
    assert trial(explained["below"], Change.SAME_UEI).kind is DecisionKind.LINK


def test_a_name_of_its_own_would_be_linked_where_no_place_contradicts(explained):
    assert trial(explained["frequent"], Change.UNIQUE_NAME).recipient_id == "R-frequent-0"


@pytest.mark.parametrize(
    ("award_id", "hint"),
    [("by-uie", "did you mean 'by-uei'?"), ("NOPE", "give an award_id of these awards")],
)
def test_an_unknown_award_is_refused_before_recipients_are_read(tables, tmp_path, award_id, hint):
    (tmp_path / "recipients.csv").write_text("not,read\n")
    with pytest.raises(InputError, match=rf"no award '{award_id}'$") as caught:
        explain(str(tables[0]), str(tmp_path / "recipients.csv"), ["by-name", award_id], make_settings())
    assert caught.value.hint == hint
