import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.reading.spelling import DAMAGE_PATTERN, register_repair, repair


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


@given(st.text())
def test_only_text_that_the_pattern_finds_is_ever_changed(text):
    assert repair(text) == text or re.search(DAMAGE_PATTERN, text)


def test_the_function_is_registered_once_for_all_connections_of_a_database():
    with duckdb.connect() as connection:
        register_repair(connection)
        other = connection.cursor()
        register_repair(other)
        assert other.execute("SELECT sbir_gate_repair('A &amp; B')").fetchall() == [("A & B",)]
