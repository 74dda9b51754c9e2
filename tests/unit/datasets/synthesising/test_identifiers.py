"""Identifiers have the right shape, and their spellings hold what they should."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.draws import Draws

UEI = re.compile(r"[A-HJ-NP-Z][A-HJ-NP-Z0-9]{11}")
DUNS = re.compile(r"\d{9}")
DIGITS = st.from_regex(r"[0-9]{9}", fullmatch=True)


@given(st.integers(0, 2**40))
def test_shapes_one_by_one_and_at_once(seed):
    draws = Draws(seed)

    assert UEI.fullmatch(identifiers.uei(draws))
    assert DUNS.fullmatch(identifiers.duns(draws))
    assert all(UEI.fullmatch(number) for number in identifiers.many_ueis(draws, 20))
    assert all(DUNS.fullmatch(number) for number in identifiers.many_duns(draws, 20))


def test_no_identifiers_at_once_is_an_empty_column():
    assert identifiers.many_ueis(Draws(1), 0).shape == (0,)
    assert identifiers.many_duns(Draws(1), 0).shape == (0,)


def test_a_third_of_the_duns_start_with_a_zero():
    many = identifiers.many_duns(Draws(2), 4000)
    draws = Draws(3)
    single = [identifiers.duns(draws) for _ in range(4000)]

    assert 0.32 < sum(number[0] == "0" for number in single) / 4000 < 0.38
    assert 0.32 < sum(number[0] == "0" for number in many) / 4000 < 0.38


@given(st.integers(0, 2**40), DIGITS)
def test_a_spelled_duns_still_holds_its_digits(seed, number):
    cell = identifiers.duns_cell(Draws(seed), number)
    digits = re.sub(r"\D", "", cell.replace(".0", ""))

    assert number.lstrip("0") in digits


def test_every_spelling_of_a_duns_is_seen():
    draws = Draws(4)
    cells = Counter(identifiers.duns_cell(draws, "012345678") for _ in range(5000))

    for spelled in ("'012345678'", "12345678.0", "01-234-5678", "12345678", " 012345678 ", "123456780"):
        assert cells[spelled], spelled
    assert sum("; " in cell for cell in cells) > 10
    assert cells["012345678"] > 2500


def test_the_zero_is_padded_on_the_wrong_side_as_rarely_as_in_real_data():
    draws = Draws(5)
    wrong = sum(identifiers.duns_cell(draws, "079099850") == "790998500" for _ in range(20_000))

    assert wrong / 20_000 == pytest.approx(identifiers.RIGHT_PADDED_SHARE, abs=0.003)


@given(st.integers(0, 2**40))
def test_a_spelled_uei_differs_by_case_and_blanks_only(seed):
    assert identifiers.uei_cell(Draws(seed), "ABCD23EFGH45").strip().upper() == "ABCD23EFGH45"
