import pytest

from sbir_gate.gate.reporting.quality_words import (
    AWARD_GAPS,
    BANDS,
    DIMENSIONS,
    GAPS,
    gap_texts,
    interval_text,
    method_name,
    segment_name,
    share_text,
    value_name,
)
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Band, Dimension, Gap, Segment


@pytest.mark.parametrize(
    ("words", "members"),
    [(DIMENSIONS, Dimension), (BANDS, Band)],
)
def test_everything_has_words(words, members):
    assert set(words) == set(members)


def test_every_gap_is_said_once():
    assert {*GAPS, *AWARD_GAPS} == set(Gap)
    assert GAPS.keys().isdisjoint(AWARD_GAPS)
    texts = list(gap_texts([Gap.STATE, Gap.CONFIDENCE, Gap.PHASE]))
    assert texts == [GAPS[Gap.CONFIDENCE], "no award has a value for: state, phase (--awards)"]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "-"),
        (0.8846, "88.5%"),
        (1.0, "100.0%"),
        (0.99996, "> 99.9%"),
        (0.0, "0.0%"),
        (0.00001, "< 0.1%"),
    ],
)
def test_only_all_is_all_and_only_none_is_none(share, text):
    assert share_text(share) == text


def test_an_interval_is_in_percent():
    assert interval_text(Proportion.of(5, 10)) == "23.7 to 76.3%"
    assert interval_text(Proportion.of(0, 0)) == "-"


@pytest.mark.parametrize(
    ("dimension", "value", "name"),
    [
        (Dimension.PHASE, "II", "Phase II"),
        (Dimension.PHASE, "other", "other or not stated"),
        (Dimension.COMPANY_SIZE, "large", "large (250 or more)"),
        (Dimension.IDENTIFIER_TYPE, "uei-only", "UEI only"),
        (Dimension.AGENCY, "", "not stated"),
        (Dimension.AGENCY, "Department\x1b[31m of\nEnergy", "Department [31m of Energy"),
    ],
)
def test_values_have_names(dimension, value, name):
    assert value_name(dimension, value) == name


def test_merged_values_say_how_many_they_are():
    share = Proportion.of(1, 2)
    assert segment_name(Segment(Dimension.STATE, "", share, share, 1200)) == "1,200 other values"


def test_a_method_of_another_engine_keeps_its_name():
    assert [method_name(name) for name in ("uei-exact", "soundex", "")] == ["UEI", "soundex", "not stated"]
