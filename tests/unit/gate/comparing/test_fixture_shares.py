"""A fixture beside a full run: shares that differ beyond chance, and strata too small to show a loss."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.drawing.award_draw import draw_awards
from sbir_gate.gate.comparing.fixture_shares import (
    blind_strata,
    compare_shares,
    least_seen_loss,
    values_of,
)
from sbir_gate.model.fixture_draw import DrawnFrom, FixtureDraw, ids_digest
from sbir_gate.model.fixture_status import ShareOf
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.model.verdict import Policy

SOURCE = DrawnFrom("awards.csv", 1, 1, "0" * 64)


def award(number, phase=Phase.ONE, year="2020"):
    return AwardProfile(
        f"A{number}", f"Firm {number}", phase, CompanySize.SMALL, IdentifierType.BOTH, year=year
    )


def population(seed=1, count=3_000):
    draw = random.Random(seed)
    phases = [Phase.ONE] * 70 + [Phase.TWO] * 29 + [Phase.THREE]
    return [award(n, draw.choice(phases), str(draw.randint(2000, 2009))) for n in range(count)]


def drawn_of(awards, seed=1, count=200):
    found = draw_awards(awards, count, seed)
    ids = ids_digest(each.award_id for each in found.drawn)
    return found.drawn, FixtureDraw(
        seed, count, date(2026, 1, 31), "0.1.0", SOURCE, SOURCE, found.strata, ids, found.kept_ids
    )


def counts_of(awards):
    found = {}
    for dimension, values in values_of(awards, None).items():
        listed = list(values.values())
        found[dimension] = {value: listed.count(value) for value in set(listed)}
    return found


def test_the_full_run_that_it_was_drawn_from_does_not_differ():
    awards = population()
    drawn, draw = drawn_of(awards)
    shares = compare_shares(drawn, values_of(drawn, None), draw, counts_of(awards))
    assert [share for share in shares if share.is_beyond_chance] == []
    by_phase = {share.value: share for share in shares if share.dimension is ShareOf.PHASE}
    assert by_phase["I"].fixture == pytest.approx(by_phase["I"].full)
    assert {share.dimension for share in shares} == {ShareOf.PHASE, ShareOf.YEAR, ShareOf.IDENTIFIER_TYPE}


def test_a_new_year_and_another_mix_of_phases_are_noticed():
    drawn, draw = drawn_of(population())
    newer = [
        award(n, Phase.TWO if n % 2 else Phase.ONE, "2026" if n % 10 == 0 else "2005") for n in range(3_000)
    ]
    shares = compare_shares(drawn, values_of(drawn, None), draw, counts_of(newer))
    found = {(share.dimension, share.value) for share in shares if share.is_beyond_chance}
    assert {(ShareOf.PHASE, "II"), (ShareOf.YEAR, "2026"), (ShareOf.YEAR, "2005")} <= found
    assert (ShareOf.IDENTIFIER_TYPE, "both") not in found
    assert [share.p_value for share in shares] == sorted(share.p_value for share in shares)


def test_one_award_of_a_rare_value_is_chance():
    drawn, draw = drawn_of(population())
    full = {ShareOf.YEAR: {"2020": 99_990, "1983": 10}}
    values = {ShareOf.YEAR: {each.award_id: "2020" for each in drawn} | {drawn[0].award_id: "1983"}}
    assert not any(share.is_beyond_chance for share in compare_shares(drawn, values, draw, full))


def test_methods_are_compared_where_both_know_them():
    drawn, draw = drawn_of(population())
    methods = {each.award_id: "none" for each in drawn}
    (first, *_) = compare_shares(
        drawn, values_of(drawn, methods), draw, {ShareOf.METHOD: {"none": 5, "uei-exact": 95}}
    )
    assert (first.dimension, first.fixture, first.is_beyond_chance) == (ShareOf.METHOD, 1.0, True)
    assert compare_shares(drawn, values_of(drawn, None), draw, {ShareOf.METHOD: {"none": 5}}) == ()


def test_without_a_draw_each_award_counts_once():
    drawn = population(count=100)
    (share,) = compare_shares(
        drawn, {ShareOf.PHASE: {each.award_id: "I" for each in drawn}}, None, {ShareOf.PHASE: {"I": 10}}
    )
    assert (share.fixture, share.p_value) == (1.0, 1.0)


@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 10**9), min_size=1),
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60),
)
def test_shares_and_their_p_values_are_shares(counts, values):
    awards = [award(n) for n in range(len(values))]
    own = {ShareOf.YEAR: {each.award_id: value for each, value in zip(awards, values, strict=True)}}
    for share in compare_shares(awards, own, None, {ShareOf.YEAR: counts}):
        assert 0 <= share.fixture <= 1
        assert 0 <= share.full <= 1
        assert 0 <= share.p_value <= 1


@pytest.mark.slow
def test_few_draws_of_the_full_run_differ_from_it():
    awards = population(2, 4_000)
    full = counts_of(awards)
    alarms = 0
    for seed in range(200):
        drawn, draw = drawn_of(awards, seed, 150)
        shares = compare_shares(drawn, values_of(drawn, None), draw, full)
        alarms += any(share.is_beyond_chance for share in shares)
    assert alarms <= 14, alarms  # 5% of 200, and twice the standard deviation


@pytest.mark.parametrize(
    ("max_lost", "significance", "least"),
    [(5, 0.05, 6), (0, 0.05, 1), (500, 0.05, 6), (5, 0.3, 3), (500, 0.001, 11)],
)
def test_a_loss_is_seen_from_the_gates_own_limits(max_lost, significance, least):
    assert least_seen_loss(Policy((), max_lost=max_lost, significance=significance)) == least


def test_small_strata_hide_all_of_their_links_and_larger_ones_a_share():
    awards = [award(n) for n in range(900)] + [award(n, Phase.THREE) for n in range(900, 1000)]
    drawn, draw = drawn_of(awards, count=30)
    strata, blind = blind_strata(drawn, draw, 6, 6)
    assert (strata, [(each.stratum.phase, each.stratum.drawn, each.unseen) for each in blind]) == (
        2,
        [("III", 3, 100)],
    )
    _, both = blind_strata(drawn, draw, 6, 100)
    assert [(each.stratum.phase, each.unseen) for each in both] == [("I", 900 * 5 // 27), ("III", 100)]
    _, unweighted = blind_strata(drawn, None, 6, 6)
    assert [(each.stratum.awards, each.unseen) for each in unweighted] == [(3, 3)]
    assert blind_strata(drawn, draw, 1, 100)[1][0].unseen == 0
