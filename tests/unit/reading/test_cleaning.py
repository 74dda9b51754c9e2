# ruff: noqa: S608 -- the SQL names fixed tables and files of the test
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.reading import cleaning
from sbir_gate.reading.spelling import PLACEHOLDERS, clean_name, register_repair


@pytest.fixture(scope="module")
def clean():
    with duckdb.connect() as connection:
        register_repair(connection)

        def run(expression, value):
            sql = f"SELECT {expression('cell')} FROM (SELECT CAST(? AS VARCHAR) AS cell)"
            return connection.execute(sql, [value]).fetchall()[0][0]

        yield run


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("133709001", "133709001"),
        ("'133709001'", "133709001"),
        ("1004258.0", "001004258"),
        ("13-370-9001", "133709001"),
        ("001810881; 008905093", "001810881 008905093"),
        ("133709001/133709001", "133709001"),
        ("81315312", "081315312"),
        ("1337090010000", "133709001"),
        ("133709001-0000", "133709001"),
        ("000000000; 133709001", "133709001"),
        ("1.33709E8", None),
        ("12345", None),
        ("1234567890", None),
        ("000000000", None),
        ("999999999", None),
        ("123456789", None),
        (" ".join(f"{number}" for number in range(133_709_001, 133_759_001)), None),
        ("0", None),
        ("N/A", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_duns(clean, raw, expected):
    assert clean(cleaning.duns, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("CSQJZSE9KFD9", "CSQJZSE9KFD9"),
        (" csqjzse9kfd9\u00a0", "CSQJZSE9KFD9"),
        ("'CSQJZSE9KFD9'", "CSQJZSE9KFD9"),
        ("CSQJZSE9KFD", None),
        ("CSQJZSE9KFD91", None),
        ("CSQJZSE9KFO9", None),
        ("9SQJZSE9KFDC", "9SQJZSE9KFDC"),
        ("0SQJZSE9KFDC", None),
        ("A123456789BC", None),
        ("XXXXXXXXXXXX", None),
        ("N/A", None),
        ("", None),
        (None, None),
    ],
)
def test_uei(clean, raw, expected):
    assert clean(cleaning.uei, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("TX", "TX"),
        (" tx ", "TX"),
        ("Texas", "TX"),
        ("new   hampshire", "NH"),
        ("D.C.", "DC"),
        ("TX: TEXAS", "TX"),
        ("U.S. Virgin Islands", "VI"),
        ("ZZ", None),
        ("NA", None),
        ("AL|AK", None),
        ("=", None),
        ("", None),
        (None, None),
    ],
)
def test_state(clean, raw, expected):
    assert clean(cleaning.state, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("77017", "77017"),
        ("77017-6559", "77017"),
        ("152213504", "15221"),
        ("48083-", "48083"),
        ("2139", "02139"),
        ("2139.0", "02139"),
        ("21391234", "02139"),
        ("'02139'", "02139"),
        ("-", None),
        ("00000", None),
        ("99999-", None),
        ("99999-1234", None),
        ("99998-1234", "99998"),
        ("00001", "00001"),
        ("00000-0000", None),
        ("K1A 0B1", None),
        ("", None),
        (None, None),
    ],
)
def test_zip5(clean, raw, expected):
    assert clean(cleaning.zip5, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("UHV TECHNOLOGIES, INC.", "UHV TECHNOLOGIES, INC."),
        ("FLAG BIO  INC ", "FLAG BIO INC"),
        ("\u00a0A\tB\nC\u2009", "A B C"),
        ("A &amp;amp; B LLC", "A & B LLC"),
        ("SociÃ©tÃ© Générale", "Société Générale"),
        ("日本 株式会社", "日本 株式会社"),
        ("3M", "3M"),
        ("N/A", None),
        (" nan ", None),
        ("NULL", None),
        ("?? --", None),
        ("", None),
        (None, None),
    ],
)
def test_name_text(clean, raw, expected):
    assert clean(cleaning.name_text, raw) == expected


@given(
    st.lists(
        st.sampled_from(
            [*PLACEHOLDERS, "Acme", "3M", "Ö", ";", "&amp;", "&#105;", " ", "  ", "   ", "\t", "\u00a0"]
        )
    )
)
def test_the_common_case_decides_like_the_repair(clean, pieces):
    text = "".join(pieces)
    assert clean(cleaning.name_text, text) == clean_name(text)
    assert clean(cleaning.name_text, text.upper()) == clean_name(text.upper())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Multiple Recipients", True),
        ("PRIVATE \u0131NDIVIDUAL", True),
        ("PRIVATE INDIVIDUALS", False),
        ("MULTIPLE", False),
        (None, False),
    ],
)
def test_placeholder_firms(clean, name, expected):
    assert clean(cleaning.is_placeholder_firm, name) is expected


def test_city_is_an_upper_case_name(clean):
    assert clean(cleaning.city, " San  José ") == "SAN JOSÉ"
    assert clean(cleaning.city, "n/a") is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Phase I", "I"),
        ("Phase II", "II"),
        ("phase iii", "III"),
        ("2", "II"),
        ("2.0", "II"),
        ("PHASE-IIB", "II"),
        ("Direct to Phase II", "II"),
        ("Fast-Track", "other"),
        ("Invention", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_phase(clean, raw, expected):
    assert clean(cleaning.phase, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0", "micro"),
        ("9", "micro"),
        ("10", "small"),
        ("49.0", "small"),
        ("50", "medium"),
        ("249", "medium"),
        ("250", "large"),
        ("1,200", "large"),
        ("-5", "unknown"),
        ("nan", "unknown"),
        ("10-49", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_company_size(clean, raw, expected):
    assert clean(cleaning.company_size, raw) == expected


@pytest.mark.parametrize(
    ("uei", "duns", "expected"),
    [
        ("'U'", "'D'", "both"),
        ("'U'", "NULL", "uei-only"),
        ("NULL", "'D'", "duns-only"),
        ("NULL", "NULL", "neither"),
    ],
)
def test_identifier_type(clean, uei, duns, expected):
    assert clean(lambda _: cleaning.identifier_type(uei, duns), "") == expected


@given(st.text())
def test_no_text_breaks_an_expression_and_clean_values_stay_clean(clean, text):
    text = text.replace("\0", " ").encode("utf-8", "replace").decode()
    for expression in (
        cleaning.name_text,
        cleaning.uei,
        cleaning.duns,
        cleaning.state,
        cleaning.zip5,
    ):
        once = clean(expression, text)
        assert clean(expression, once) == once
