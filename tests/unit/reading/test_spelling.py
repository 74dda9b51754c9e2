import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.reading.spelling import PLACEHOLDERS, clean_name, register_repair, repair


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("A &amp; B", "A & B"),
        ("A &amp;amp;amp; B", "A & B"),
        ("&#39;X&#x27;", "'X'"),
        ("2017â€“2018", "2017\u20132018"),
        ("SociÃ©tÃ©", "Société"),
        ("CafÃƒÂ©", "Café"),
        ("&#0;X", "\ufffdX"),
    ],
)
def test_entities_and_mojibake_become_what_they_stand_for(damaged, meant):
    assert repair(damaged) == meant


@pytest.mark.parametrize("name", ["R&D LABS", "AT&T", "B&notes", "É. Dupont", "STJØRDAL", "Ã", "&unknown;"])
def test_sound_names_stay(name):
    assert repair(name) == name


@pytest.mark.parametrize(
    ("text", "meant"),
    [("\tACME\u00a0\u200b LABS \n", "ACME LABS"), ("A&nbsp;B", "A B"), ("\u2014", None), ("&quot;", None)],
)
def test_odd_blanks_become_single_ones_and_what_says_nothing_is_nothing(text, meant):
    assert clean_name(text) == meant


@given(st.sampled_from(PLACEHOLDERS), st.sampled_from(["", " ", "\u00a0"]), st.booleans())
def test_a_placeholder_is_nothing_however_it_is_written(placeholder, blank, is_upper):
    assert clean_name(blank + (placeholder.upper() if is_upper else placeholder) + blank) is None


@given(st.text())
def test_mending_twice_changes_nothing_more(text):
    cleaned = clean_name(text)
    assert cleaned is None or clean_name(cleaned) in {cleaned, clean_name(repair(cleaned))}


def test_the_function_is_registered_once_for_all_connections_of_a_database():
    with duckdb.connect() as connection:
        register_repair(connection)
        other = connection.cursor()
        register_repair(other)
        assert other.execute("SELECT sbir_gate_repair('A &amp; B')").fetchall() == [("A & B",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\uff21\uff23\uff2d\uff25\u3000Labs \uff11\uff12", "ACME Labs 12"),
        ("ｶﾞｽ", "ガス"),
        ("ACME™ ﬁber²", "ACME™ fiber2"),
        ("東京電力", "東京電力"),
    ],
)
def test_wide_and_joined_letters_become_plain_ones_and_signs_stay(text, expected):
    assert clean_name(text) == expected
