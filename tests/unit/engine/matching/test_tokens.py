import numpy as np
import pytest

from sbir_gate.engine.matching.normalise import COMMON_TOKENS
from sbir_gate.engine.matching.tokens import build_name_table, token_features

TOTAL = 10_000


def compared(left, right):
    names = [left, right]
    table = build_name_table(names, COMMON_TOKENS, TOTAL)
    found = token_features(np.array([0]), np.array([1]), table, TOTAL)
    return {name: float(values[0]) for name, values in found.items()}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ZEPHYR PHOTONICS", "ZEPHYR PIZZA"),
        ("ALPHA OPTICS", "ALPHA PLUMBING"),
        ("QORTEK MICROSYSTEMS", "QORTEK MICRODEVICES"),
        ("XYLANTRA", "XYLANTRA TOWING"),  # a trade that the other name lacks
        ("XYLANTRA ROOFING", "XYLANTRA"),
    ],
)
def test_rare_words_without_a_partner_on_both_sides_contradict(left, right):
    assert compared(left, right)["contradiction"] > 0.4
    assert compared(right, left)["contradiction"] == compared(left, right)["contradiction"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ORION DATA SYSTEMS", "ORION DATA SYS"),
        ("QORTEK DIAGNOSTICS", "QORTEK DIANOSTICS"),  # the fold DIAG is not near DIANOSTICS, the spelling is
        ("MCCARTYCONCRETE", "MCCARTHY CONCRETE"),  # glued, and a typing fault
        ("POSI TIVE EDGE", "POSITIVE EDGE"),
        ("HELIOR PHARMACEUTICALS", "HELIOR PHARACEUTICALS"),
        ("BRIGHT OPTICS", "BRIGHT OPTICS HOLDINGS"),  # one side lacks nothing
        ("QORTEK PIZZA", "QORTEK PIZZA"),
        ("SUMMIT AEROSPACE", "SUMMIT AERO SYSTEMS"),
    ],
)
def test_other_spellings_of_one_word_do_not_contradict(left, right):
    assert compared(left, right)["contradiction"] == 0.0


def test_common_words_contradict_less_than_rare_ones():
    common, rare = compared("QORTEK SERVICES", "QORTEK SOLUTIONS"), compared("QORTEK OPTICS", "QORTEK SONAR")
    assert 0 < common["contradiction"] < 0.4 < rare["contradiction"]


def test_the_rest_of_each_side_is_its_rarest_word_without_a_partner():
    found = compared("QORTEK", "QORTEK SERVICES ZANTUM")
    assert found["query_rest"] == 0.0
    assert found["recipient_rest"] == pytest.approx(1.0)


def test_the_first_spelling_of_a_repeated_word_is_compared():
    table = build_name_table(["LABS LABORATORIES"], {}, TOTAL)
    assert table.vocabulary[table.spelled[0, 0]] == "LABS"
    assert table.vocabulary[table.tokens[0, 0]] == "LAB"
