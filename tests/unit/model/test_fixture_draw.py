"""How a fixture was drawn: what is true of it, what a file can claim, and the rate of all awards."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.documents import load_fixture_draw
from sbir_gate.errors import DocumentError
from sbir_gate.model.document import FIXTURE_DRAW, decode, encode
from sbir_gate.model.fixture_draw import (
    DrawnFrom,
    DrawnStratum,
    FixtureDraw,
    draw_fault,
    fixture_difference,
    ids_digest,
    rate_of_all,
)
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase

SOURCE = DrawnFrom("awards.csv", 100, 1_000, "0" * 64)


def award(number, phase=Phase.ONE):
    return AwardProfile(f"A{number}", f"Firm {number}", phase, CompanySize.SMALL, IdentifierType.BOTH)


AWARDS = [award(n) for n in range(6)] + [award(n, Phase.TWO) for n in range(6, 10)]
STRATA = (
    DrawnStratum("I", "both", "small", 60, 6, 2),
    DrawnStratum("II", "both", "small", 40, 4),
)
DRAW = FixtureDraw(
    1,
    10,
    date(2026, 1, 31),
    "0.1.0",
    SOURCE,
    SOURCE,
    STRATA,
    ids_digest(a.award_id for a in AWARDS),
    ("A0", "A1"),
)


def test_a_draw_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "draw.json"
    path.write_text(encode(FIXTURE_DRAW, DRAW))
    assert load_fixture_draw(path) == DRAW
    assert (DRAW.size, DRAW.population) == (10, 100)


def test_kept_awards_stand_for_themselves_and_the_others_for_the_rest():
    found = rate_of_all(DRAW, AWARDS, {"A0", "A1", "A2", "A6"})
    # 2 kept; 1 of 4 of the other 58; 1 of 4 of 40
    assert found.rate == pytest.approx((2 + 58 / 4 + 40 / 4) / 100)
    assert found.low < found.rate < found.high


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strata": ()}, "0 strata"),
        ({"strata": STRATA + STRATA[:1]}, "twice"),
        ({"strata": (replace(STRATA[0], awards=-3),)}, "'I, both, small' cannot have -3 awards, 6 drawn"),
        ({"strata": (replace(STRATA[0], awards=10**30),)}, "cannot have"),
        ({"strata": (replace(STRATA[0], awards=5),)}, "cannot have"),
        ({"strata": (replace(STRATA[0], drawn=2),)}, "at random"),
        ({"strata": (replace(STRATA[0], drawn=0, kept=0),)}, "at random"),
        ({"kept_ids": ("A0",)}, "kept_ids"),
        ({"kept_ids": ("A0", "A0")}, "kept_ids"),
        ({"count": 0}, "out of range"),
        ({"seed": 2**70}, "out of range"),
        ({"award_ids_sha256": "x"}, "SHA-256"),
        ({"awards": replace(SOURCE, rows=-1)}, "source"),
    ],
)
def test_what_cannot_be_true_is_refused(changes, said):
    assert draw_fault(DRAW) == ""
    found = replace(DRAW, **changes)
    assert said in draw_fault(found)
    with pytest.raises(DocumentError, match=re.escape(said)):
        decode(FIXTURE_DRAW, encode(FIXTURE_DRAW, found), "draw.json")


@pytest.mark.parametrize("value", ["NaN", "1e400", "Infinity", '"many"', "null", "1.5"])
def test_a_count_that_is_no_number_is_refused(value):
    text = encode(FIXTURE_DRAW, DRAW).replace('"awards":60', f'"awards":{value}')
    assert value in text
    with pytest.raises(DocumentError):
        decode(FIXTURE_DRAW, text, "draw.json")


def test_unknown_kinds_and_cut_files_are_refused(tmp_path):
    path = tmp_path / "draw.json"
    for text in (
        "",
        "[]",
        encode(FIXTURE_DRAW, DRAW)[:200],
        json.dumps({"format_version": 5, "kind": "run"}),
    ):
        path.write_text(text)
        with pytest.raises(DocumentError):
            load_fixture_draw(path)


@pytest.mark.parametrize(
    ("awards", "said"),
    [
        (AWARDS, ""),
        (AWARDS[::-1], ""),
        (AWARDS[1:], "10 awards were drawn, and the fixture has 9"),
        ([*AWARDS[1:], award(0, Phase.TWO)], "of phase I, identifiers both, company size small 6 were drawn"),
        ([*AWARDS[:5], award(77), *AWARDS[6:]], "other awards"),
        ([award(77), *AWARDS[1:]], "other awards"),
    ],
)
def test_a_draw_of_another_fixture_is_noticed(awards, said):
    found = fixture_difference(DRAW, awards)
    assert said in found if said else found == ""
