from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.decisions import (
    CONFLICT_CONFIDENCE,
    IDENTIFIER_CONFLICT,
    RULE_CONFIDENCE,
    UNCONFIRMED_CONFIDENCE,
    PairFacts,
    Rules,
    decide_firm,
    links_by_name,
)
from sbir_gate.engine.matching.exact import IdentifierMatch, Standing
from sbir_gate.model.matches import DecisionKind, Method, NoLinkReason

LINK, CANDIDATE, NONE = DecisionKind.LINK, DecisionKind.CANDIDATE, DecisionKind.NONE
EXACT, FUZZY = Method.NAME_EXACT, Method.NAME_FUZZY
RULES = Rules(acceptance_limit=0.8, max_frequency_in_state=3, max_candidates=5)


def identified(recipient_id, method=Method.UEI_EXACT, standing=Standing.AGREES, score=100.0):
    return IdentifierMatch(1, method, int(recipient_id[1:]), recipient_id, recipient_id, score, standing)


def pair(recipient_id, confidence, method=FUZZY, **facts):
    """Return a pair without any geography and with one namesake; `facts` replace its fields."""
    plain = PairFacts(
        query_id=0,
        row_key=int(recipient_id[1:]),
        recipient_id=recipient_id,
        entity=recipient_id,
        method=method,
        score=100.0 if method is EXACT else 88.0,
        confidence=confidence,
        same_zip5=False,
        same_state=False,
        state_conflict=False,
        same_city=False,
        name_frequency=1,
        is_rare=False,
        barrier=None,
        order=(-confidence, recipient_id),
    )
    return replace(plain, **facts)


def decide(identifiers=(), pairs=(), rules=RULES):
    """Return (kind, method, recipient id, confidence) and the whole decision."""
    decision = decide_firm(1, identifiers, sorted(pairs, key=lambda fact: fact.order), rules)
    best = decision.best
    assert decision.method is (best.method if best else Method.NONE)
    return (decision.kind, decision.method, best.recipient_id if best else ""), decision


ELSEWHERE = {"state_conflict": True}
IN_STATE = {"same_state": True}


@pytest.mark.parametrize(
    ("facts", "states_in_common", "links"),
    [
        ({"same_zip5": True}, 0, True),
        ({"same_zip5": True, "name_frequency": 40}, 9, True),
        ({"same_city": True, "same_state": True, "name_frequency": 40}, 9, True),
        ({"same_city": True}, 0, False),  # Springfield is a city of many states
        ({"same_city": True, "state_conflict": True}, 0, False),
        (IN_STATE, 1, True),
        (IN_STATE | {"name_frequency": 3}, 1, True),
        (IN_STATE | {"name_frequency": 4}, 1, False),
        (IN_STATE | {"name_frequency": 3}, 2, False),
        ({"is_rare": True}, 0, True),
        ({"is_rare": False}, 0, False),
        ({"is_rare": True, "name_frequency": 2}, 0, False),
        ({"is_rare": True} | ELSEWHERE, 0, False),
        ({"is_rare": True, "name_frequency": 2} | ELSEWHERE, 0, False),
    ],
)
def test_an_exact_name_links_by_itself_where_place_or_rarity_bears_it_out(facts, states_in_common, links):
    assert links_by_name(pair("R1", 0.1, EXACT, **facts), states_in_common, 3) is links


def test_a_name_that_is_only_alike_never_links_by_itself():
    facts = {"same_zip5": True, "same_state": True, "same_city": True, "is_rare": True}
    assert not links_by_name(pair("R1", 1.0, FUZZY, **facts), 1, 3)


@pytest.mark.parametrize("barrier", [NoLinkReason.OTHER_GENERATION, NoLinkReason.OTHER_WORDS])
def test_a_name_that_is_barred_is_a_candidate_however_sure_the_model_is(barrier):
    said, decision = decide([], [pair("R1", 0.999, barrier=barrier), pair("R0", 0.998, barrier=barrier)])
    assert said == (CANDIDATE, FUZZY, "R0")
    assert {found.confidence for found in decision.candidates} == {UNCONFIRMED_CONFIDENCE}
    assert {found.reason for found in decision.candidates} == {barrier.value}
    _, decision = decide([], [pair("R1", 0.3, barrier=barrier)])
    assert (decision.best.confidence, decision.best.reason) == (0.3, "")
    said, _ = decide([], [pair("R1", 0.999, barrier=barrier), pair("R2", 0.9)])
    assert said == (LINK, FUZZY, "R2")


@pytest.mark.parametrize(
    ("barrier", "kind"), [(NoLinkReason.OTHER_WORDS, LINK), (NoLinkReason.OTHER_GENERATION, CANDIDATE)]
)
def test_other_words_bar_no_firm_that_bears_the_same_identifier(barrier, kind):
    renamed, claimed = (
        identified("R1", Method.DUNS_EXACT, standing) for standing in (Standing.UNCLAIMED, Standing.CLAIMED)
    )
    said = decide([renamed], [pair("R1", 0.95, barrier=barrier)])[0]
    assert said == (kind, FUZZY if kind is LINK else Method.DUNS_EXACT, "R1")
    assert decide([claimed], [pair("R1", 0.95, barrier=barrier)])[0] == (CANDIDATE, FUZZY, "R1")
    other = replace(renamed, recipient_id="R2", entity="R2")
    assert decide([other], [pair("R1", 0.95, barrier=barrier)])[0] == (CANDIDATE, Method.DUNS_EXACT, "R2")


def test_nothing_found_is_no_decision_at_all():
    said, decision = decide()
    assert said == (NONE, Method.NONE, "")
    assert (decision.best, decision.candidates) == (None, ())


def test_an_identifier_that_agrees_links_whatever_the_names_offer():
    said, decision = decide([identified("R2")], [pair("R1", 0.99), pair("R3", 0.5)])
    assert said == (LINK, Method.UEI_EXACT, "R2")
    assert [found.recipient_id for found in decision.candidates] == ["R2", "R1", "R3"]
    assert decision.best.score == 100.0


def test_a_uei_is_surer_than_a_duns_and_both_are_sure():
    (_, by_uei), (_, by_duns) = decide([identified("R1")]), decide([identified("R1", Method.DUNS_EXACT)])
    assert 0.99 < by_duns.best.confidence < by_uei.best.confidence < 1


def test_an_identifier_whose_names_disagree_is_a_candidate_that_says_so():
    said, decision = decide([identified("R1", standing=Standing.CLAIMED, score=31.0)])
    assert said == (CANDIDATE, Method.UEI_EXACT, "R1")
    (found,) = decision.candidates
    assert (found.reason, found.confidence, found.score) == (IDENTIFIER_CONFLICT, CONFLICT_CONFIDENCE, 31.0)


@pytest.mark.parametrize(
    ("method", "standing", "kind"),
    [
        (Method.UEI_EXACT, Standing.UNCLAIMED, LINK),
        (Method.UEI_EXACT, Standing.CLAIMED, CANDIDATE),
        (Method.UEI_EXACT, Standing.GENERIC, CANDIDATE),
        (Method.DUNS_EXACT, Standing.UNCLAIMED, CANDIDATE),
        (Method.DUNS_EXACT, Standing.CLAIMED, CANDIDATE),
    ],
)
def test_an_identifier_that_no_other_firm_claims_links_where_it_is_sure_enough(method, standing, kind):
    said, decision = decide([identified("R1", method, standing, 31.0)])
    assert said == (kind, method, "R1")
    assert decision.best.reason == ("" if kind is LINK else IDENTIFIER_CONFLICT)
    assert decision.best.score == 31.0
    lower = replace(RULES, identifier_limit=0.5)
    said, _ = decide([identified("R1", method, standing)], rules=lower)
    assert said[0] is (LINK if standing is Standing.UNCLAIMED else CANDIDATE)
    assert decide([identified("R1")], rules=replace(RULES, identifier_limit=1.0))[0][0] is LINK


def test_a_renamed_firm_gives_way_to_a_surer_name_in_its_place_alone():
    renamed = identified("R1", standing=Standing.UNCLAIMED)
    here = pair("R2", 0.9, EXACT, same_zip5=True)
    assert decide([renamed], [here])[0] == (LINK, EXACT, "R2")
    rare = pair("R2", 0.999, EXACT, is_rare=True)
    assert decide([renamed], [rare])[0] == (LINK, Method.UEI_EXACT, "R1")
    assert decide([renamed], [pair("R2", 0.95, same_zip5=True)])[0] == (LINK, Method.UEI_EXACT, "R1")


def test_glued_words_are_no_barrier_to_an_exact_name():
    glued = pair("R1", 0.1, EXACT, same_state=True, barrier=NoLinkReason.OTHER_WORDS)
    assert decide(pairs=[glued])[0] == (LINK, EXACT, "R1")


def test_a_name_that_is_not_confirmed_is_a_candidate_with_its_reason():
    for barrier in (NoLinkReason.ALIAS, NoLinkReason.OTHER_IDENTIFIER):
        said, decision = decide(pairs=[pair("R1", 0.999, EXACT, is_rare=True, barrier=barrier)])
        assert said == (CANDIDATE, EXACT, "R1")
        assert (decision.best.confidence, decision.best.reason) == (UNCONFIRMED_CONFIDENCE, barrier.value)


def test_an_identifier_conflict_does_not_stop_a_name_from_linking():
    said, decision = decide([identified("R1", standing=Standing.CLAIMED)], [pair("R2", 0.95)])
    assert said == (LINK, FUZZY, "R2")
    assert [(found.recipient_id, found.reason) for found in decision.candidates] == [
        ("R2", ""),
        ("R1", IDENTIFIER_CONFLICT),
    ]


def test_an_identifier_conflict_is_weighed_against_weak_names_by_confidence():
    weak, strong = pair("R2", 0.1), pair("R3", 0.5)
    said, decision = decide([identified("R1", standing=Standing.CLAIMED)], [weak, strong])
    assert said == (CANDIDATE, FUZZY, "R3")
    assert [found.recipient_id for found in decision.candidates] == ["R3", "R1", "R2"]


@pytest.mark.parametrize(
    ("confidence", "kind"), [(0.81, LINK), (0.80, LINK), (0.79, CANDIDATE), (0.03, CANDIDATE)]
)
def test_the_acceptance_limit_parts_links_from_candidates(confidence, kind):
    assert decide(pairs=[pair("R1", confidence)])[0] == (kind, FUZZY, "R1")


def test_a_name_that_is_hopeless_is_no_candidate_unless_it_is_exact():
    assert decide(pairs=[pair("R1", 0.01)])[0] == (NONE, Method.NONE, "")
    assert decide(pairs=[pair("R1", 0.01, EXACT)])[0] == (CANDIDATE, EXACT, "R1")


def test_a_sister_firm_of_another_number_never_links_however_alike():
    sister, right = pair("R1", 0.99, barrier=NoLinkReason.OTHER_GENERATION), pair("R2", 0.9)
    assert decide(pairs=[sister])[0] == (CANDIDATE, FUZZY, "R1")
    said, decision = decide(pairs=[sister, right])
    assert said == (LINK, FUZZY, "R2")
    assert [found.recipient_id for found in decision.candidates] == ["R2", "R1"]


def test_an_exact_name_with_namesakes_elsewhere_stays_a_candidate():
    name_frequency = [pair(f"R{number}", 0.3, EXACT, name_frequency=4, **ELSEWHERE) for number in (2, 1, 3)]
    said, decision = decide(pairs=name_frequency)
    assert said == (CANDIDATE, EXACT, "R1")
    assert [found.recipient_id for found in decision.candidates] == ["R1", "R2", "R3"]


def test_an_exact_unique_rare_name_without_geography_links_surely():
    said, decision = decide(pairs=[pair("R1", 0.4, EXACT, is_rare=True)])
    assert said == (LINK, EXACT, "R1")
    assert decision.best.confidence == RULE_CONFIDENCE


def test_a_rule_never_lowers_the_confidence_of_the_model():
    _, decision = decide(pairs=[pair("R1", 0.9999, EXACT, same_zip5=True)])
    assert decision.best.confidence == 0.9999


def test_an_exact_name_in_place_beats_a_likelier_name_that_is_not():
    pairs = [pair("R1", 0.99), pair("R2", 0.5, EXACT, same_zip5=True)]
    said, decision = decide(pairs=pairs)
    assert said == (LINK, EXACT, "R2")
    assert [found.recipient_id for found in decision.candidates] == ["R2", "R1"]


def test_two_exact_names_in_the_state_leave_it_to_the_model():
    pairs = [pair("R1", 0.5, EXACT, same_state=True), pair("R2", 0.4, EXACT, same_state=True)]
    assert decide(pairs=pairs)[0] == (CANDIDATE, EXACT, "R1")
    assert decide(pairs=[pairs[0], replace(pairs[1], entity="R1")])[0] == (LINK, EXACT, "R1")


def test_ties_go_to_the_lowest_recipient_id():
    assert decide(pairs=[pair("R2", 0.9), pair("R1", 0.9)])[0] == (LINK, FUZZY, "R1")
    claimed = identified("R9", standing=Standing.CLAIMED, score=pair("R5", 0.3).score)
    said, decision = decide([claimed], [pair("R5", CONFLICT_CONFIDENCE)])
    assert said == (CANDIDATE, FUZZY, "R5")
    assert [found.recipient_id for found in decision.candidates] == ["R5", "R9"]


@given(
    numbers=st.lists(st.integers(1, 9), max_size=12),
    confidences=st.lists(st.sampled_from([0.01, 0.3, 0.5, 0.9]), min_size=12, max_size=12),
    conflicts=st.lists(st.integers(1, 9), max_size=4),
    most=st.integers(1, 5),
)
def test_candidates_are_few_distinct_best_first_and_hold_the_best(numbers, confidences, conflicts, most):
    pairs = [pair(f"R{number}", confidence) for number, confidence in zip(numbers, confidences, strict=False)]
    identifiers = [identified(f"R{number}", standing=Standing.CLAIMED) for number in conflicts]
    _, decision = decide(identifiers, pairs, replace(RULES, max_candidates=most))
    ids = [found.recipient_id for found in decision.candidates]
    assert len(ids) == len(set(ids)) <= most
    if decision.best is None:
        assert (decision.kind, ids) == (NONE, [])
    else:
        assert ids[0] == decision.best.recipient_id
    if decision.kind is CANDIDATE:
        sure = [found.confidence for found in decision.candidates]
        assert sure == sorted(sure, reverse=True)
