"""Every corruption does what it says, and nothing where it does not apply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.synthesising import corruption
from sbir_gate.datasets.synthesising.draws import Draws

SEEDS = st.integers(0, 2**40)


@pytest.mark.parametrize(
    ("drift", "words", "expected"),
    [
        (corruption.abbreviate, ("NOVEX", "TECHNOLOGIES"), ("NOVEX", "TECH")),
        (corruption.abbreviate, ("NOVEX",), ("NOVEX",)),
        (corruption.glue, ("TOYON", "RESEARCH"), ("TOYONRESEARCH",)),
        (corruption.glue, ("NOVEX",), ("NOVEX",)),
        (corruption.split_apart, ("CFD", "RESEARCH"), ("C", "F", "D", "RESEARCH")),
        (corruption.split_apart, ("NOVEX",), ("NOVEX",)),
        (corruption.swap_ampersand, ("A", "&", "B"), ("A", "AND", "B")),
        (corruption.drop_last, ("NOVEX", "LABS"), ("NOVEX",)),
        (corruption.drop_last, ("NOVEX",), ("NOVEX",)),
        (corruption.mistype, ("ABC",), ("ABC",)),
    ],
)
def test_word_drifts(drift, words, expected):
    assert drift(Draws(1), words) == expected


@pytest.mark.parametrize(
    ("drift", "text", "expected"),
    [
        (corruption.put_the_last, "DCODE GROUP, INC.", "DCODE GROUP, INC., THE"),
        (corruption.escape_ampersand, "NOVEX", "NOVEX"),
        (corruption.add_accent, "XYZ", "XYZ"),
        (corruption.misspell_designator, "NOVEX", "NOVEX"),
        (corruption.misspell_designator, "NOVEX LLC", "NOVEXLLC"),
        (corruption.cut_short, "SHORT", "SHORT"),
    ],
)
def test_text_drifts(drift, text, expected):
    assert drift(Draws(1), text) == expected


@given(SEEDS)
def test_a_typing_fault_keeps_the_first_letter_and_nearly_all_letters(seed):
    (wrong, kept) = corruption.mistype(Draws(seed), ("QUANTUMNOVEX", "LABS"))

    assert kept == "LABS"
    assert wrong[0] == "Q"
    assert abs(len(wrong) - len("QUANTUMNOVEX")) <= 1


@given(SEEDS)
def test_a_cut_name_is_the_beginning_of_the_whole(seed):
    text = "INFORMATION SYSTEMS LABORATORIES INTERNATIONAL, INC."
    cut = corruption.cut_short(Draws(seed), text)

    assert text.startswith(cut)
    assert 28 <= len(cut) <= 40


@given(SEEDS)
def test_ampersands_become_entities(seed):
    assert corruption.escape_ampersand(Draws(seed), "A & B") in ("A &amp; B", "A &amp;amp; B")


@given(SEEDS)
def test_an_accent_changes_one_letter(seed):
    text = corruption.add_accent(Draws(seed), "STJORDAL")

    assert text != "STJORDAL"
    assert not text.isascii()
    assert len(text) in (8, 9)


@given(SEEDS)
def test_a_trade_name_stands_beside_the_legal_name(seed):
    text = corruption.do_business_as(Draws(seed), "NOVEX LABS INC")

    assert sorted(text.split(" DBA "), key=lambda part: part == "NOVEX LABS INC")[1] == "NOVEX LABS INC"


@given(SEEDS, st.booleans())
def test_a_drifted_name_is_changed(seed, is_distinctive):
    words = ("NANOVEX", "TECHNOLOGIES")

    assert corruption.drift_words(Draws(seed), words, is_distinctive=is_distinctive) != words
    assert corruption.drift_text(Draws(seed), "NANOVEX TECHNOLOGIES INC") != "NANOVEX TECHNOLOGIES INC"


def test_only_telling_names_lose_their_last_word():
    draws = Draws(8)
    plain = {corruption.drift_words(draws, ("SMITH", "RESEARCH"), is_distinctive=False) for _ in range(500)}
    telling = {corruption.drift_words(draws, ("SMITH", "RESEARCH"), is_distinctive=True) for _ in range(500)}

    assert ("SMITH",) not in plain
    assert ("SMITH",) in telling
