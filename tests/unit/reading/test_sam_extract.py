import zipfile

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.recipients import iterate_recipients
from tests.step_options import reading_options

UEI = "QNT4K8W2J6H5"


def version_2(uei, name, **cells):
    record = [""] * 142
    record[0], record[3], record[11] = uei, "1ABC2", name
    record[17:20] = [cells.get("city", ""), cells.get("state", ""), cells.get("zip", "")]
    record[1], record[141] = cells.get("duns", ""), "!end"
    return "|".join(record)


def version_1(duns, name):
    record = [""] * 120
    record[0], record[1], record[10], record[16:19] = duns, "0000", name, ["BOSTON", "MA", "02110"]
    record[119] = "!end"
    return "|".join(record)


def extract(*records, begin="BOF PUBLIC V2 00000000 20261101 0000002 0000001", end="EOF"):
    last = begin.replace("BOF", end) if end else ""
    return "\n".join(filter(None, [begin, *records, last])) + "\n"


@pytest.fixture
def read(tmp_path):
    def run(text, name="SAM_PUBLIC_MONTHLY_V2_20261101.dat", chunk_size=1):
        path = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as package:
                package.writestr(name.replace(".zip", ".dat"), text)
        else:
            path.write_text(text, encoding="utf-8")
        accounts, rows = [], []
        with duckdb.connect() as connection:
            batches = iterate_recipients(
                connection, path, tmp_path, reading_options(chunk_size=chunk_size), on_account=accounts.append
            )
            for batch in batches:
                rows += connection.table(batch.table).fetchall()
        return rows, accounts[0]

    return run


ALPHA = ("U" + UEI, 'ALPHA "LASER" INC', UEI, "123456789"[:0] or None, "BOSTON", "MA", "02110")


@pytest.mark.parametrize("name", ["SAM_PUBLIC_MONTHLY_V2_20261101.dat", "SAM_PUBLIC_MONTHLY_V2_20261101.zip"])
def test_the_records_of_version_2_are_read_by_their_places(read, name):
    first = version_2(UEI, 'ALPHA "LASER" INC', city="BOSTON", state="MA", zip="02110")
    rows, account = read(extract(first, version_2("LMN7P8Q9R2T3", '"BRAVO" LLC', duns="223456781")), name)
    assert rows[0] == ALPHA
    assert rows[1][1:4] == ('"BRAVO" LLC', "LMN7P8Q9R2T3", "223456781")
    assert (account.read, account.kept, account.rejected, account.left_out) == (2, 2, 0, 0)


def test_version_1_starts_with_the_duns_and_has_no_marks(read):
    rows, account = read(extract(version_1("123456780", "ALPHA LASER INC"), begin="", end=""))
    assert rows == [("D123456780", "ALPHA LASER INC", None, "123456780", "BOSTON", "MA", "02110")]
    assert account.read == 1


def test_a_sensitive_extract_has_the_same_columns_in_front(read):
    record = version_2(UEI, "ALPHA").replace("!end", "|" * 226 + "!end")
    rows, _ = read(extract(record, begin="BOF FOUO V2 00000000 20261101 0000001 0000001"))
    assert rows[0][1] == "ALPHA"


def test_an_extract_that_is_cut_short_or_of_no_layout_is_refused(read):
    with pytest.raises(InputError, match="the EOF line of the SAM extract is missing"):
        read(extract(version_2(UEI, "ALPHA"), end=""))
    with pytest.raises(InputError, match="no known layout"):
        read(extract("what|ever"))


def test_a_file_of_this_suffix_with_a_header_is_a_table_like_any_other(read):
    rows, _ = read("name|uei\nALPHA|QNT4K8W2J6H5\n")
    assert rows[0][:3] == ("U" + UEI, "ALPHA", UEI)
