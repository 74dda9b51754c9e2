import pytest

from sbir_gate.engine.matching.parts import names_query, open_parts, write_part
from sbir_gate.errors import OutputError
from sbir_gate.model.matches import COMPARED_CHARACTERS
from tests.factories_matching import Recipient, database, load_recipients


@pytest.fixture
def connection():
    with database() as connection:
        yield connection


def kept(connection):
    return connection.execute(
        "SELECT recipient_id, normal, compact, is_alias FROM recipients ORDER BY ALL"
    ).fetchall()


def test_a_recipient_is_kept_once_per_name_with_its_forms(connection, tmp_path):
    load_recipients(connection, [Recipient("R1", "Acme Labs, Inc. dba Bright Optics")], tmp_path)
    assert kept(connection) == [
        ("R1", "ACME LABS", "ACMELABS", False),
        ("R1", "ACME LABS INC DBA BRIGHT OPTICS", "ACMELABSINCDBABRIGHTOPTICS", False),
        ("R1", "BRIGHT OPTICS", "BRIGHTOPTICS", True),
    ]


def test_a_recipient_without_a_name_is_kept_for_its_identifiers(connection, tmp_path):
    load_recipients(connection, [Recipient("R1", None, duns="133709001")], tmp_path)
    assert kept(connection) == [("R1", "", "", False)]


def test_placeholders_are_dropped_however_they_are_written(connection, tmp_path):
    names = [
        "MULTIPLE RECIPIENTS",
        "Redacted due to P.I.I.",
        "PRIVATE  INDIVIDUAL",
        "PRIVATE INDIVIDUALS INC",
    ]
    load_recipients(connection, [Recipient(f"R{place}", name) for place, name in enumerate(names)], tmp_path)
    assert [row[0] for row in kept(connection)] == ["R3"]


@pytest.mark.parametrize(
    ("unit", "end"),
    [("Q Z ", ""), ("É ", ""), ("漢字 ", ""), ("(OPTICS LAB) ", ""), ("DBA LAB ", ""), ("(A", ")")],
)
def test_of_a_text_without_end_the_first_characters_are_the_name(connection, tmp_path, unit, end):
    """Comparing takes as long as the product of two lengths: one cell must not hold up a run."""
    name = unit * 200_000 + end * 200_000
    load_recipients(connection, [Recipient("R1", name[:COMPARED_CHARACTERS])], tmp_path)
    short = kept(connection)
    load_recipients(connection, [Recipient("R1", name)], tmp_path)
    assert kept(connection) == short
    assert max(len(row[1]) for row in short) > COMPARED_CHARACTERS / 3


def test_a_row_seen_twice_has_one_key_even_across_parts(connection, tmp_path):
    one, other = Recipient("R1", "ACME", state="MA"), Recipient("R2", "ACME", state="MA")
    load_recipients(connection, [one, one, other, one], tmp_path, part_rows=1)
    keys = dict(connection.execute("SELECT DISTINCT row_key, recipient_id FROM recipients").fetchall())
    assert sorted(keys.values()) == ["R1", "R2"]


def test_the_source_rows_of_a_part_are_counted_and_quotes_in_its_path_are_harmless(connection, tmp_path):
    folder = tmp_path / "o'brien's parts"
    folder.mkdir()
    connection.execute(
        "CREATE TABLE batch AS SELECT 'R1' AS recipient_id, 'A (OLD NAME)' AS name, NULL::VARCHAR AS uei,"
        " NULL::VARCHAR AS duns, NULL::VARCHAR AS city, NULL::VARCHAR AS state, NULL::VARCHAR AS zip5"
    )
    part = write_part(connection, "batch", folder / "part.parquet")
    assert part.recipients == 1
    open_parts(connection, [part])
    assert [row[1] for row in kept(connection)] == ["A OLD NAME", "OLD NAME"]


def test_a_part_that_cannot_be_written_names_the_cure(connection, tmp_path):
    connection.execute(
        "CREATE TABLE batch AS SELECT 'R1' AS recipient_id, 'A' AS name, NULL::VARCHAR AS uei,"
        " NULL::VARCHAR AS duns, NULL::VARCHAR AS city, NULL::VARCHAR AS state, NULL::VARCHAR AS zip5"
    )
    with pytest.raises(OutputError) as raised:
        write_part(connection, "batch", tmp_path / "gone" / "part.parquet")
    assert "enrichment.work_folder" in raised.value.hint


def test_columns_are_carried_along_under_each_name(connection):
    connection.execute("CREATE TABLE firms AS SELECT 7 AS firm_id, 'Acme (Bright Optics)' AS name")
    rows = connection.execute(names_query("firms", "firm_id", "is_other")).fetchall()
    assert sorted(rows) == [
        (7, False, "ACME BRIGHT OPTICS", "ACMEBRIGHTOPTICS"),
        (7, True, "ACME", "ACME"),
        (7, True, "BRIGHT OPTICS", "BRIGHTOPTICS"),
    ]
