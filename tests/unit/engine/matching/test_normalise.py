# ruff: noqa: S608 -- the SQL is made of the module's own expressions
import unicodedata

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.engine.matching.normalise import (
    canonical_token,
    canonical_tokens,
    compact_name,
    differ_in_generation,
    generation,
    normal_rows,
)
from sbir_gate.reading.spelling import PLACEHOLDER_FIRMS

DESIGNATORS = (
    "Inc",
    "Inc.",
    "I.N.C.",
    "INCORPORATED",
    "Inc.orporated",
    "Corp.",
    "Corporation",
    "Co.",
    "Company",
    "LLC",
    "L.L.C.",
    "L L C",
    "L. L. C.",
    "Limited Liability Company",
    "LIMITED LIABILITY CO",
    "LLP",
    "L.L.P.",
    "LP",
    "L.P.",
    "Limited Partnership",
    "Ltd.",
    "Limited",
    "PLLC",
    "P.C.",
    "P C",
    "P.A.",
    "Professional Corporation",
    "GmbH",
    "Co., Inc.",
    "Co., Ltd., The",
    ", INC., THE",
    "Inc (4084)",
    "LLC  (4084) ",
    "INC DONE",
)
WORDS = st.sampled_from(
    [
        "ACME",
        "LABS",
        "Inc.orporated",
        "the",
        "THE",
        "co",
        "L.L.C.",
        "&",
        "+",
        "AND",
        "(4084)",
        "é,-'\"/\u2019;:!",
    ]
)
NAMES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), max_size=40),
    st.lists(WORDS, max_size=6).map(" ".join),
)


@pytest.fixture(scope="module")
def forms():
    """Return a function from names to their (plain, normal, compact) forms."""
    with duckdb.connect(config={"threads": 1}) as connection:
        statement = (
            "WITH given AS (SELECT unnest($1::VARCHAR[]) AS name, generate_subscripts($1, 1) AS place) "
            f"SELECT plain, normal, {compact_name('normal')} FROM {normal_rows('given', 'name')} "
            "ORDER BY place"
        )

        def run(*names):
            return connection.execute(statement, [list(names)]).fetchall()

        yield run


@pytest.fixture(scope="module")
def normal(forms):
    def run(*names):
        found = [form[1] for form in forms(*names)]
        return found[0] if len(found) == 1 else found

    return run


@pytest.mark.parametrize("designator", DESIGNATORS)
def test_a_legal_designator_in_any_spelling_is_no_part_of_the_name(normal, designator):
    names = f"Acme Widgets {designator}", f"ACME WIDGETS, {designator.lower()}"
    assert normal(*names) == ["ACME WIDGETS", "ACME WIDGETS"]


@pytest.mark.parametrize(
    "cut",
    [
        *("INCORPORATED"[:length] for length in range(6, 12)),
        *("CORPORATION"[:length] for length in range(5, 11)),
        "COMPAN",
    ],
)
def test_a_designator_cut_at_the_end_of_a_column_is_no_part_of_the_name(normal, cut):
    assert normal(f"ACME WIDGETS {cut}") == "ACME WIDGETS"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DCODE GROUP, INC., THE", "DCODE GROUP"),
        ("The Acme Company", "ACME"),
        ("THE REGENTS OF THE UNIVERSITY", "REGENTS OF THE UNIVERSITY"),
        ("FLAG BIO  INC", "FLAG BIO"),
        ("  Acme\t Widgets\n", "ACME WIDGETS"),
        ("Smith & Jones", "SMITH AND JONES"),
        ("Smith+Jones", "SMITH AND JONES"),
        ("SMITH AND JONES", "SMITH AND JONES"),
        ("Children's Labs", "CHILDRENS LABS"),
        ("Children\u2019s Labs", "CHILDRENS LABS"),
        ("Agiltron-Nano/Photonics", "AGILTRON NANO PHOTONICS"),
        ("A.B.C. Optics", "ABC OPTICS"),
        ("C F D RESEARCH CORP", "C F D RESEARCH"),
        ("TOYON RESEARCHCORP", "TOYON RESEARCHCORP"),
        ("Société Générale d'Énergie", "SOCIETE GENERALE DENERGIE"),
        ("Sørensen Łódź straße", "SORENSEN LODZ STRASSE"),
        ("Æther Œuvre", "AETHER OEUVRE"),
        ("LLC Acme", "ACME"),
        ("INFORMATION SYSTEMS LABORATORI", "INFORMATION SYSTEMS LABORATORI"),
        ("3M Company", "3M"),
        ("Acme (4084)", "ACME"),
        ("Acme (1984) Optics", "ACME 1984 OPTICS"),
        ("Undone Works", "UNDONE WORKS"),
        ("Incyte", "INCYTE"),
        ("Coating Co", "COATING"),
        ("", ""),
        (None, ""),
        ("???", ""),
        ("日本", "日本"),
        ("日本 電機 Inc.", "日本 電機"),
        ("Ελλάδα-Τεχνική", "ΕΛΛΆΔΑ ΤΕΧΝΙΚΉ"),
        ("ガ カ", "ガ カ"),
    ],
)
def test_a_name_is_brought_to_its_normal_form(normal, name, expected):
    assert normal(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("The Company, Inc.", "THE COMPANY INC"),
        ("THE", "THE"),
        ("Inc.", "INC"),
        ("L.L.C.", "LLC"),
        ("The Corporation", "THE CORPORATION"),
    ],
)
def test_a_name_of_nothing_but_designators_keeps_words(normal, name, expected):
    assert normal(name) == expected


def test_glued_and_split_words_have_one_compact_form(forms):
    assert {form[2] for form in forms("C F D Research Corp", "CFD RESEARCH", "C.F.D. Re search, Inc.")} == {
        "CFDRESEARCH"
    }


@pytest.mark.parametrize("name", PLACEHOLDER_FIRMS)
def test_placeholders_are_listed_in_normal_form(normal, name):
    assert normal(name) == name
    assert normal(f" {name.title()}. ") == name


@given(name=NAMES)
def test_a_normal_name_has_letters_digits_and_single_blanks(forms, name):
    ((plain, normal_form, compact),) = forms(name)
    for text in (plain, normal_form):
        assert text == " ".join(text.split())
        assert all(char == " " or unicodedata.category(char)[0] in "LMN" for char in text)
    assert compact == normal_form.replace(" ", "")
    assert bool(normal_form) == bool(plain)


@given(name=NAMES)
def test_normalising_twice_is_normalising_once(normal, name):
    once = normal(name)
    assert normal(once) == once


@given(words=st.lists(st.text("abcxyzéñ019", min_size=1, max_size=6), min_size=1, max_size=4), data=st.data())
def test_case_blanks_and_punctuation_make_no_difference(normal, words, data):
    plain = " ".join(words)
    marks = st.sampled_from([" ", "  ", ", ", " - ", "-", "/", "; ", ": ", "\t", " ! "])
    dressed = "".join(f"{word}{data.draw(marks)}" for word in words)
    assert normal(dressed) == normal(dressed.upper()) == normal(plain)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("TECHNOLOGIES", "TECH"),
        ("TECHNOLOGY", "TECH"),
        ("TECH", "TECH"),
        ("LABORATORI", "LAB"),
        ("LABORATORIES", "LAB"),
        ("SYSTEMS", "SYS"),
        ("PHOTONICS", "PHOTONIC"),
        ("GLASS", "GLASS"),
        ("BUS", "BUS"),
        ("AND", ""),
        ("OF", ""),
        ("QORTEK", "QORTEK"),
    ],
)
def test_abbreviations_and_plurals_have_one_canonical_form(token, expected):
    assert canonical_token(token) == expected


@given(token=st.text("ABCEGHILNORSTUY", min_size=1, max_size=12))
def test_a_canonical_form_stays_close_to_its_word(token):
    canonical = canonical_token(token)
    assert len(canonical) <= len(token) or canonical.isalpha()
    assert " " not in canonical


def test_single_letters_are_joined_and_order_is_kept():
    assert canonical_tokens("C F D RESEARCH AND TECHNOLOGIES") == ("CFD", "RSCH", "TECH")
    assert canonical_tokens("RESEARCH OF C F D") == ("RSCH", "CFD")
    assert canonical_tokens("A") == ("A",)
    assert canonical_tokens("THE OF AND") == ()
    assert canonical_tokens("") == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ACME II", 2),
        ("ACME 2", 2),
        ("ACME 02", 2),
        ("ACME X", 10),
        ("ACME", None),
        ("ACME 2000", None),
        ("", None),
    ],
)
def test_a_name_may_end_in_its_number_among_sisters(name, expected):
    assert generation(name) == expected


@pytest.mark.parametrize(
    ("left", "right", "differ"),
    [
        ("ACME II", "ACME III", True),
        ("ACME II", "ACME 3", True),
        ("ACME II", "ACME 2", False),
        ("ACME II", "ACME", False),
        ("ACME", "BRIGHT", False),
    ],
)
def test_two_numbers_are_two_sisters(left, right, differ):
    assert differ_in_generation(left, right) is differ
    assert differ_in_generation(right, left) is differ
