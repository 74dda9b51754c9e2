"""Each stratum has its own curve and limit; a stratum that cannot keep the promise links nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.calibration import (
    MANY_LINKS,
    AbsentShare,
    AskedPairs,
    HardLabels,
    absent_share,
    best_pairs,
    calibrate,
    hidden_links,
    is_barred,
    keeps_promise,
    measured_links,
    stratum_limit,
    stratum_numbers,
)
from sbir_gate.engine.matching.decisions import links_by_name, pair_facts
from sbir_gate.engine.matching.scoring import ScoredPairs
from sbir_gate.engine.matching.similarity import FEATURES, Pairs, Places, features
from sbir_gate.engine.matching.strata import STRATA, Basis, Stratum
from sbir_gate.engine.matching.tokens import build_name_table
from sbir_gate.model.matches import Method, PlaceEvidence
from sbir_gate.model.proportion import Proportion

SAFE = Stratum(Method.NAME_EXACT, PlaceEvidence.CONFIRMS, Basis.RULE)
DOUBTFUL = Stratum(Method.NAME_EXACT, PlaceEvidence.SAME_STATE)
LARGE = dict.fromkeys(range(len(STRATA)), MANY_LINKS)
SMALL = {STRATA.index(SAFE): MANY_LINKS}


def asked(rows):
    """Return pairs of (query, log-odds, stratum, is correct) rows."""
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    numbers = [STRATA.index(stratum) for stratum in columns[2]]
    return AskedPairs(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.float64),
        np.array(numbers, dtype=np.int64),
        np.array(columns[3], dtype=np.bool_),
    )


def labels(queries=1_000):
    """Return labels that are all right in one stratum, and half of the time in another, equally sure."""
    shown, hidden = [], []
    for query in range(queries):
        is_safe = query % 2 == 0
        shown.append((query, 3.0, SAFE if is_safe else DOUBTFUL, is_safe or query % 4 == 1))
        hidden.append((query, -6.0 if is_safe else 3.0, SAFE if is_safe else DOUBTFUL, False))
    return HardLabels(asked(shown), asked(hidden), queries)


def test_a_stratum_that_cannot_be_precise_enough_links_nothing_and_states_what_it_is():
    found = calibrate(labels(), AbsentShare(0.2, 0.25), LARGE, 0.8, 0.98)

    assert found[DOUBTFUL].limit == 1.0
    assert found[DOUBTFUL].confidence(3.0) == pytest.approx(0.4, abs=0.06)  # half of those present
    assert found[SAFE].limit <= found[SAFE].confidence(3.0)
    assert found[SAFE].confidence(3.0) > 0.97


def test_the_more_recipients_are_absent_the_less_is_stated():
    few, many = (
        calibrate(labels(), AbsentShare(share, share), LARGE, 0.8, 0.98)[DOUBTFUL] for share in (0.1, 0.8)
    )

    assert many.confidence(3.0) < few.confidence(3.0) - 0.2


def test_a_stratum_without_labels_is_drawn_to_the_whole_and_links_nothing():
    found = calibrate(labels(), AbsentShare(0.2, 0.25), LARGE, 0.8, 0.98)
    unseen = found[Stratum(Method.NAME_FUZZY, PlaceEvidence.UNKNOWN)]

    assert unseen.limit == 1.0
    assert 0.4 < unseen.confidence(3.0) < 0.98


def test_small_strata_share_a_limit_below_which_the_links_of_all_would_not_be_precise_enough():
    mostly_safe = mixed(doubtful_every=40)
    apart = calibrate(mostly_safe, AbsentShare(0.2, 0.25), LARGE, 0.1, 0.98)
    together = calibrate(mostly_safe, AbsentShare(0.2, 0.25), SMALL, 0.1, 0.98)
    high = calibrate(mostly_safe, AbsentShare(0.2, 0.25), SMALL, 0.8, 0.98)

    assert apart[DOUBTFUL].limit == 1.0
    assert together[DOUBTFUL].limit <= together[DOUBTFUL].confidence(3.0)  # 1 of 80 links is false
    assert high[DOUBTFUL].limit == 0.8
    assert calibrate(labels(), AbsentShare(0.2, 0.25), SMALL, 0.1, 0.98)[DOUBTFUL].limit > 0.8


def test_no_link_is_more_likely_wrong_than_right():
    unsure = range(0, 1_000, 50)
    shown = [
        (query, -3.0 if query in unsure else 6.0, SAFE, query not in unsure or query % 200 == 0)
        for query in range(1_000)
    ]
    hard = HardLabels(asked(shown), asked([]), 1_000)

    found = calibrate(hard, AbsentShare(0.1, 0.1), SMALL, 0.1, 0.98)[SAFE]
    assert found.limit == 0.5  # all links together would be precise enough from 0.3 on
    assert found.confidence(-3.0) < 0.5


def test_a_link_against_the_place_is_as_sure_as_all_must_be():
    found = calibrate(mixed(doubtful_every=40), AbsentShare(0.2, 0.25), SMALL, 0.1, 0.98)

    assert found[Stratum(Method.NAME_FUZZY, PlaceEvidence.CONTRADICTS)].limit >= 0.98
    assert found[Stratum(Method.NAME_FUZZY, PlaceEvidence.UNKNOWN)].limit < 0.98


def test_where_no_equal_name_can_be_a_link_no_similar_name_is_surer():
    rule = Stratum(Method.NAME_EXACT, PlaceEvidence.UNKNOWN, Basis.RULE)
    similar = Stratum(Method.NAME_FUZZY, PlaceEvidence.UNKNOWN)
    shown = [(query, 3.0, SAFE if query % 2 else rule, query % 2 or query % 4 == 0) for query in range(1_000)]
    hard = HardLabels(asked(shown), asked([]), 1_000)
    many = dict.fromkeys((STRATA.index(SAFE), STRATA.index(rule)), MANY_LINKS)

    found = calibrate(hard, AbsentShare(0.2, 0.25), many, 0.8, 0.98)
    assert found[rule].limit == 1.0
    assert found[similar] == found[rule]
    large = many | {STRATA.index(similar): MANY_LINKS}
    assert calibrate(hard, AbsentShare(0.2, 0.25), large, 0.8, 0.98)[similar] != found[rule]


@pytest.mark.parametrize(
    ("labels_of", "links", "is_kept"),
    [
        (labels, {}, False),  # half of all links are false
        (lambda: mixed(doubtful_every=40), {}, True),
        (lambda: mixed(doubtful_every=40), LARGE, False),  # one stratum is not precise enough
        (lambda: mixed(doubtful_every=40), SMALL, True),
        (lambda: HardLabels(asked([]), asked([]), 0), LARGE, True),
    ],
)
def test_labels_say_whether_the_shipped_limit_keeps_the_promise(labels_of, links, is_kept):
    assert keeps_promise(labels_of(), AbsentShare(0.1, 0.1), links, 0.8, 0.98) is is_kept


def test_links_of_hidden_recipients_are_those_from_the_limits_up():
    found = labels()
    strict = calibrate(found, AbsentShare(0.2, 0.25), LARGE, 0.8, 0.98)

    assert (hidden_links(found, {}, 0.8).part, hidden_links(found, {}, 0.8).whole) == (1_000, 1_000)
    assert hidden_links(found, {}, 0.99).part == 500  # what the rule links has no limit
    assert hidden_links(found, strict, 0.8).part == 0


def test_links_of_labelled_firms_are_measured_by_method_and_place_at_the_share_that_is_absent():
    found = measured_links(labels(), 0.2, {}, 0.8)
    safe, doubtful = (found[stratum.method, stratum.place] for stratum in (SAFE, DOUBTFUL))

    # without their recipient 500 firms get a wrong link of either kind, which weighs a quarter of a right one
    assert (safe.links, doubtful.links) == (1_000, 1_000)
    assert safe.rate == pytest.approx(0.8)
    assert doubtful.rate == pytest.approx(0.4)
    assert safe.low < 0.8 < safe.high

    # as many as they are worth: answers of one kind would be worth 1,000
    assert safe.high - safe.low > Proportion.of(800, 1_000).high - Proportion.of(800, 1_000).low


def test_nothing_is_measured_of_what_no_labelled_firm_is_linked_by():
    strict = calibrate(labels(), AbsentShare(0.2, 0.25), LARGE, 0.8, 0.98)

    assert (DOUBTFUL.method, DOUBTFUL.place) not in measured_links(labels(), 0.2, strict, 0.8)
    assert measured_links(HardLabels(asked([]), asked([]), 0), 0.2, {}, 0.8) == {}


def mixed(doubtful_every):
    """Return labels that are all right but for a small doubtful stratum, right half of the time."""
    shown, hidden = [], []
    for query in range(1_000):
        is_safe = query % doubtful_every != 0
        stratum = SAFE if is_safe else DOUBTFUL
        shown.append((query, 6.0 if is_safe else 3.0, stratum, is_safe or query % (2 * doubtful_every) == 0))
        hidden.append((query, -6.0, STRATA[-1], False))
    return HardLabels(asked(shown), asked(hidden), 1_000)


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9])
def test_the_share_of_absent_recipients_is_estimated_from_the_confident_answers(truth):
    shown = asked([(query, 1.0 if query < 900 else -1.0, SAFE, True) for query in range(1_000)])
    hidden = asked([(query, 1.0 if query < 50 else -1.0, SAFE, False) for query in range(1_000)])
    found = round(5_000 * (0.9 * (1 - truth) + 0.05 * truth))
    absent = absent_share(HardLabels(shown, hidden, 1_000), found, 5_000)

    assert absent.estimate == pytest.approx(truth, abs=0.001)
    assert absent.estimate < absent.high < absent.estimate + 0.05


def test_labels_that_distinguish_nothing_give_no_estimate():
    same = asked([(0, 1.0, SAFE, True)])
    assert absent_share(HardLabels(same, same, 1), 3, 9) == (1 / 3, 1 / 2)


def test_what_the_rule_links_is_chosen_before_what_is_surer():
    pairs = asked([(0, 2.0, DOUBTFUL, False), (0, 1.0, SAFE, True), (1, 1.0, DOUBTFUL, True)])

    assert best_pairs(pairs, {}).is_correct.tolist() == [True, True]


@given(
    answers=st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=60),
    low=st.floats(0.5, 0.99),
    high=st.floats(0.5, 0.99),
)
def test_more_precision_never_lowers_a_limit(answers, low, high):
    confidence = np.array([number / 100 for number, _ in answers])
    is_correct = np.array([is_right for _, is_right in answers], dtype=np.bool_)
    weights = np.ones(len(answers))
    limits = [stratum_limit(confidence, is_correct, weights, wanted) for wanted in sorted((low, high))]

    assert limits[0] <= limits[1]


def test_strata_are_those_of_the_decisions(scored_pairs):
    facts = pair_facts(scored_pairs, np.full(len(scored_pairs.query), 0.9))
    numbers = stratum_numbers(scored_pairs.query, scored_pairs.matrix, 3)
    in_state = sum(fact.method is Method.NAME_EXACT and fact.same_state for fact in facts)

    for fact, number in zip(facts, numbers.tolist(), strict=True):
        basis = Basis.RULE if links_by_name(fact, in_state, 3) else Basis.MODEL
        assert STRATA[number] == Stratum(fact.method, fact.place, basis)


@pytest.fixture
def scored_pairs():
    """One query, and recipients of its name and of others in places of every kind."""

    def objects(texts):
        array = np.empty(len(texts), dtype=object)
        array[:] = texts
        return array

    right = [
        *(("QORTEK", *place) for place in (("", "", ""), ("BOSTON", "MA", ""), ("AUSTIN", "TX", "73301"))),
        *(("QORTEX", *place) for place in (("", "", ""), ("LOWELL", "MA", "01850"), ("", "TX", ""))),
        ("QORTEX", "BOSTON", "MA", "02139"),
    ]
    names = build_name_table(["QORTEK", "QORTEX"], {}, 1_000_000)
    count = len(right)
    ids = objects([f"R{number}" for number in range(count)])
    pairs = Pairs(
        query=np.zeros(count, dtype=np.int64),
        left=np.zeros(count, dtype=np.int64),
        right=np.array([int(row[0] == "QORTEX") for row in right], dtype=np.int64),
        entity=ids,
        left_places=Places(objects(["BOSTON"] * count), objects(["MA"] * count), objects(["02139"] * count)),
        right_places=Places(*(objects([row[column] for row in right]) for column in (1, 2, 3))),
        shared_keys=np.ones(count, dtype=np.int64),
        name_frequency=np.array([1, 1, 4, 1, 1, 1, 1], dtype=np.int64),
        uei_conflict=np.zeros(count, dtype=bool),
        duns_conflict=np.zeros(count, dtype=bool),
        is_cut=np.zeros(count, dtype=bool),
        form_conflict=np.zeros(count, dtype=bool),
        is_alias=np.zeros(count, dtype=bool),
    )
    keys = np.arange(count)
    return ScoredPairs(pairs.query, keys, ids, pairs, names, 1_000_000, features(pairs, names, 1_000_000))


@pytest.mark.parametrize(
    ("facts", "barred"),
    [
        ({"contradiction": 1.0}, True),
        ({"unconfirmed_rest": 1.0}, True),
        ({"contradiction": 1.0, "unconfirmed_rest": 1.0, "same_compact": 1.0}, False),
        ({"alias": 1.0, "same_compact": 1.0}, True),
        ({"alias": 1.0, "same_zip5": 1.0}, False),
    ],
)
def test_other_words_and_unconfirmed_aliases_never_link_but_glued_words_may(facts, barred):
    row = np.array([[facts.get(name, 0.0) for name in FEATURES]])
    assert is_barred(row).tolist() == [barred]
