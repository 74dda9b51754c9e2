# ruff: noqa: S608 -- the SQL names files of the test
import csv
import gzip

import duckdb
import pytest

from sbir_gate.reading.award_table import profiles_of
from sbir_gate.reading.awards import read_awards, thin_awards
from sbir_gate.reading.handed_files import hand_awards, hand_recipients, hand_validated
from sbir_gate.reading.recipients import iterate_recipients
from tests.step_options import reading_options

OPTIONS = reading_options(chunk_size=2)
AWARDS = """Company,UEI,Award Amount,Notes
Quarl Optics Inc.,,100000,"a ""quoted"" word, and a comma"
Zyvox Sensors LLC,ZYV0X4K8W2J6,00750.50,
Brenda & Sons,,150000,"two
lines"
"""
RECIPIENTS = """legal_business_name,uei,duns,zip
QUARL OPTICS INC,,123456780,02110
ZYVOX SENSORS LLC,ZYV0X4K8W2J6,,78701
Naïve Photonics,,,00501
"""


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def hand(connection, tmp_path):
    """What the engine is handed of awards, and the ids by which the gate knows them."""

    def call(source, most=None):
        work = tmp_path / "work"
        work.mkdir()
        read = read_awards(connection, str(source), work, OPTIONS)
        if most is not None:
            thin_awards(connection, read, most)
        handed = hand_awards(connection, str(source), read, work, OPTIONS)
        return handed, [profile.award_id for profile in profiles_of(connection)]

    return call


def ids_of(connection, source, folder):
    ids = []
    for batch in iterate_recipients(connection, source, folder, OPTIONS):
        ids += [row[0] for row in connection.execute(f"SELECT recipient_id FROM {batch.table}").fetchall()]
    return ids


def rows_of(path, delimiter=","):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


class TestAwards:
    def test_awards_with_ids_of_their_own_are_handed_as_they_are(self, hand, tmp_path):
        handed, _ = hand(write(tmp_path / "a.csv", "award_id,Company\nA1,Quarl\nA2,Zyvox\n"))
        assert handed is None

    def test_a_thinned_source_is_handed_without_what_was_left_out(self, hand, tmp_path):
        rows = "".join(f"A{n},Firm {n}\n" for n in range(7))
        handed, ids = hand(write(tmp_path / "a.csv", f"award_id,Company\n{rows}"), most=3)
        assert ids == ["A0", "A2", "A4"]
        assert [row["award_id"] for row in rows_of(handed)] == ids

    def test_a_thinned_parquet_file_keeps_its_types(self, hand, connection, tmp_path):
        path = tmp_path / "a.parquet"
        connection.sql(
            "SELECT n AS award_id, 'Firm ' || n AS Company, n / 2 AS Amount FROM range(7) t(n)"
        ).write_parquet(str(path))
        handed, ids = hand(path, most=3)
        assert ids == ["0", "2", "4"]
        found = connection.sql(f"FROM '{handed}'")
        assert found.fetchall() == [(0, "Firm 0", 0.0), (2, "Firm 2", 1.0), (4, "Firm 4", 2.0)]

    def test_a_source_with_fewer_awards_is_not_thinned(self, hand, tmp_path):
        handed, ids = hand(write(tmp_path / "a.csv", "award_id,Company\nA1,Quarl\nA2,Zyvox\n"), most=2)
        assert (handed, ids) == (None, ["A1", "A2"])

    def test_awards_without_ids_are_handed_with_those_of_the_gate_and_the_text_as_it_was(
        self, hand, tmp_path
    ):
        source = write(tmp_path / "a.csv", AWARDS)
        handed, ids = hand(source)
        with_ids = rows_of(handed)
        assert [row.pop("award_id") for row in with_ids] == ids
        assert with_ids == rows_of(source)
        assert handed.suffix == ".csv"

    def test_an_empty_or_repeated_id_is_handed_as_the_gate_knows_it(self, hand, tmp_path):
        handed, ids = hand(write(tmp_path / "a.csv", "Award_ID,Company\nA1,Quarl\n,Zyvox\nA1,Brenda\n"))
        assert [row["Award_ID"] for row in rows_of(handed)] == ids
        assert list(rows_of(handed)[0]) == ["Award_ID", "Company"]
        assert ids[2] == "A1-2"

    @pytest.mark.parametrize("blank", [" ", "\t", "\xa0"])
    def test_blanks_around_ids_are_taken_off(self, hand, tmp_path, blank):
        rows = f'award_id,Company\n"{blank}A1",Quarl\n"A2{blank}","Zyvox{blank}"\n'
        handed, ids = hand(write(tmp_path / "a.csv", rows))
        assert ids == ["A1", "A2"]
        assert [row["award_id"] for row in rows_of(handed)] == ids
        assert rows_of(handed)[1]["Company"] == f"Zyvox{blank}"

    def test_delimiter_and_compression_stay(self, hand, tmp_path):
        source = tmp_path / "a.tsv.gz"
        source.write_bytes(gzip.compress(b"Company\tUEI\nQuarl\t\nZyvox\t\nBrenda\t\n"))
        handed, ids = hand(source)
        assert handed.name.endswith(".tsv.gz")
        assert [row["award_id"] for row in rows_of(handed, "\t")] == ids

    def test_parquet_keeps_its_types(self, hand, connection, tmp_path):
        source = tmp_path / "a.parquet"
        connection.execute(
            "COPY (SELECT 'Firm ' || i AS Company, i::DECIMAL(9, 2) AS amount,"
            " DATE '2020-01-01' + i::INTEGER AS day"
            f" FROM range(5) t(i)) TO '{source}' (FORMAT parquet)"
        )
        handed, ids = hand(source)
        assert connection.execute(f"SELECT award_id FROM '{handed}'").fetchall() == [(id_,) for id_ in ids]
        before = connection.execute(f"SELECT * FROM '{source}'").fetchall()
        assert connection.execute(f"SELECT * EXCLUDE (award_id) FROM '{handed}'").fetchall() == before
        described = "SELECT column_type FROM (DESCRIBE FROM '{}') WHERE column_name <> 'award_id'"
        types = [connection.execute(described.format(path)).fetchall() for path in (source, handed)]
        assert types[0] == types[1]

    def test_a_folder_is_handed_as_one_file(self, hand, tmp_path):
        folder = tmp_path / "awards"
        folder.mkdir()
        write(folder / "1.csv", "Company,UEI\nQuarl,\nZyvox,\n")
        write(folder / "2.csv", "Company,City\nBrenda,Boston\n")
        handed, ids = hand(folder)
        rows = rows_of(handed)
        assert [row["award_id"] for row in rows] == ids
        assert (rows[2]["Company"], rows[2]["City"], rows[2]["UEI"]) == ("Brenda", "Boston", "")


class TestRecipients:
    def test_recipients_with_a_column_of_ids_are_handed_as_they_are(self, connection, tmp_path):
        source = write(tmp_path / "r.csv", "Recipient ID,name\nh1,Quarl\n")
        assert hand_recipients(connection, str(source), tmp_path, OPTIONS, is_altered=False) is None

    def test_ids_of_another_name_are_there_as_recipient_id_too(self, connection, tmp_path):
        text = write(tmp_path / "r.csv", "recipient_hash,name\nh1,Quarl\n")
        typed = tmp_path / "r.parquet"
        connection.execute(f"COPY (FROM '{text}') TO '{typed}' (FORMAT parquet)")
        for source in (text, typed):
            work = tmp_path / source.suffix
            work.mkdir()
            handed = hand_recipients(connection, str(source), work, OPTIONS, is_altered=False)
            found = connection.execute(
                f"SELECT recipient_hash, name, recipient_id FROM '{handed}'"
            ).fetchall()
            assert found == [("h1", "Quarl", "h1")]

    @pytest.mark.parametrize("name", ["r.csv", "r.csv.gz"])
    def test_without_one_they_get_the_ids_that_the_gate_knows(self, connection, tmp_path, name):
        source = tmp_path / name
        content = RECIPIENTS.encode()
        source.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        expected = ids_of(connection, source, tmp_path)
        work = tmp_path / "work"
        work.mkdir()
        handed = hand_recipients(connection, str(source), work, OPTIONS, is_altered=False)
        rows = rows_of(handed)
        assert [row.pop("recipient_id") for row in rows] == expected
        assert rows == rows_of(source)
        assert [path.name for path in work.iterdir()] == [handed.name]

    def test_parquet_keeps_its_types_and_folders_become_one_file(self, connection, tmp_path):
        source = tmp_path / "recipients"
        source.mkdir()
        for number in (1, 2):
            connection.execute(
                f"COPY (SELECT 'Firm {number} ' || i AS name, '12345678' || i AS duns, i * {number} AS size"
                f" FROM range(3) t(i)) TO '{source / str(number)}.parquet' (FORMAT parquet)"
            )
        expected = ids_of(connection, source, tmp_path)
        handed = hand_recipients(connection, str(source), tmp_path, OPTIONS, is_altered=False)
        found = connection.execute(f"SELECT recipient_id, size FROM '{handed}'").fetchall()
        assert [row[0] for row in found] == expected
        assert [row[1] for row in found] == [0, 1, 2, 0, 2, 4]

    @pytest.mark.parametrize("blank", [" ", "\t", "\xa0"])
    @pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
    def test_blanks_around_ids_are_taken_off(self, connection, tmp_path, name, blank):
        source = tmp_path / name
        kind = name.rpartition(".")[2]
        connection.execute("CREATE TABLE own AS SELECT $1 AS Recipient_ID, $2 AS name", ["R1", "Quarl "])
        connection.execute(
            "INSERT INTO own VALUES ($1, 'Zyvox'), ($2, 'Brenda')", [f"R2{blank}", f"{blank}R3"]
        )
        connection.execute(f"COPY own TO '{source}' (FORMAT {kind})")
        assert ids_of(connection, source, tmp_path) == ["R1", "R2", "R3"]
        work = tmp_path / "work"
        work.mkdir()
        handed = hand_recipients(connection, str(source), work, OPTIONS, is_altered=True)
        found = connection.execute(f"SELECT * FROM read_{kind}('{handed}')").fetchall()
        assert found == [("R1", "Quarl "), ("R2", "Zyvox"), ("R3", "Brenda")]

    def test_rows_that_cannot_be_read_are_left_out_and_nothing_else_changes(self, connection, tmp_path):
        source = write(tmp_path / "r.csv", "recipient_id;name;uei\nR1;Quarl, Ltd;\ntorn\nR2;Zyvox;\n")
        options = reading_options(chunk_size=2, max_reject_percent=100)
        work = tmp_path / "work"
        work.mkdir()
        handed = hand_recipients(connection, str(source), work, options, is_altered=True)
        assert handed.read_text().splitlines() == ["recipient_id;name;uei", "R1;Quarl, Ltd;", "R2;Zyvox;"]


class TestValidated:
    @pytest.fixture
    def validated(self, tmp_path):
        path = tmp_path / "validated.parquet"
        duckdb.sql("SELECT 'A1' AS award_id, 'Quarl, Inc.' AS Company, NULL AS UEI").write_parquet(str(path))
        return path

    def test_awards_of_text_are_handed_as_text_with_its_delimiter(self, connection, validated, tmp_path):
        source = write(tmp_path / "a.tsv", "Company\tUEI\nQuarl, Inc.\t\n")
        handed = hand_validated(connection, str(source), validated, tmp_path, OPTIONS)
        assert handed.name == "awards.tsv"
        assert rows_of(handed, "\t") == [{"award_id": "A1", "Company": "Quarl, Inc.", "UEI": ""}]

    def test_a_packed_source_stays_packed(self, connection, validated, tmp_path):
        source = tmp_path / "a.csv.gz"
        source.write_bytes(gzip.compress(b"Company,UEI\nQuarl,\n"))
        handed = hand_validated(connection, str(source), validated, tmp_path, OPTIONS)
        assert handed.name == "awards.csv.gz"
        assert [row["award_id"] for row in rows_of(handed)] == ["A1"]

    def test_awards_of_parquet_are_handed_as_they_are(self, connection, validated, tmp_path):
        assert hand_validated(connection, str(validated), validated, tmp_path, OPTIONS) == validated
