import json

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.json_rows import json_table
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.step_options import reading_options

ENTITY = {
    "entityRegistration": {
        "samRegistered": "Yes",
        "ueiSAM": "QNT4K8W2J6H5",
        "legalBusinessName": "ALPHA OPTICS",
    },
    "coreData": {
        "physicalAddress": {"city": "BOSTON", "stateOrProvinceCode": "MA", "zipCode": "02110"},
        "mailingAddress": {"city": "AUSTIN", "stateOrProvinceCode": "TX", "zipCode": "78701"},
    },
}
ALPHA = ("UQNT4K8W2J6H5", "ALPHA OPTICS", "QNT4K8W2J6H5", None, "BOSTON", "MA", "02110")


@pytest.fixture
def written(tmp_path):
    def write(text, name="rows.jsonl"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def recipients(path, rejects=None):
    rows = []
    options = reading_options(chunk_size=2, max_reject_percent=100)
    with duckdb.connect() as connection:
        for batch in iterate_recipients(connection, path, path.parent, options, rejects):
            rows += connection.table(batch.table).fetchall()
    return rows


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ENTITY) + "\n",
        json.dumps([ENTITY], indent=2),
        json.dumps({"totalRecords": 1, "entityData": [ENTITY]}),
        json.dumps({"totalRecords": 1, "entityData": [ENTITY]}, indent=1),
    ],
    ids=["lines", "array", "answer", "answer over lines"],
)
def test_entities_of_sams_api_are_read_by_their_physical_address(written, text):
    assert recipients(written(text)) == [ALPHA]


def test_awards_keep_every_value_and_names_that_come_late(written):
    rows = [
        {"firm": "Alpha", "award_amount": 100000.50, "women_owned": True, "keywords": ["a", "é"]},
        {"firm": 'Bravo "B", Inc.\nLabs', "uei": None, "id": 12345678901234567890},
    ]
    path = written(json.dumps(rows), "awards.json")
    with duckdb.connect() as connection:
        read = read_awards(connection, path, path.parent, reading_options())
        found = connection.execute("SELECT * EXCLUDE (position) FROM award_rows ORDER BY position").fetchall()
    assert read.columns == ("firm", "award_amount", "women_owned", "keywords", "uei", "id")
    assert found == [
        ("Alpha", "100000.5", "true", '["a", "é"]', None, None),
        ('Bravo "B", Inc.\nLabs', None, None, None, None, "12345678901234567890"),
    ]


def test_a_line_that_is_no_object_is_rejected_with_its_line(written):
    log = RejectLog()
    lines = ['{"name": "A"}', '{"name": "B"', "", "[1, 2]", '{"name": "C"}']
    rows = recipients(written("\n".join(lines)), log)
    assert [row[1] for row in rows] == ["A", "C"]
    assert [(reject.line, reject.value, reject.reason) for reject in log.first] == [
        (2, '{"name": "B"', "not a JSON object"),
        (4, "[1, 2]", "not a JSON object"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "A"}, {"name": ',
        '[{"name": "A"} x',
        "name,uei\nA,\n",
        '{"name": "A"} x\n{"name": "B"}\n',
        '{\n"name": "A"}\n{"name": "B"}\n',
        '[{"name": "A"}]\n[{"name": "B"}]\n',
    ],
)
def test_other_text_is_refused_with_its_line(written, text):
    with pytest.raises(InputError, match="is not JSON"):
        recipients(written(text, "rows.json"))


@pytest.mark.parametrize("is_in_lines", [True, False])
def test_text_is_read_the_same_in_whatever_pieces(is_in_lines):
    rows = [{"name": 'A "\\ \u00e9\n', "one": 12.5e-300, "is": False}, {"name": None, "list": [True, {}]}]
    text = ("\n".join(map(json.dumps, rows)) if is_in_lines else json.dumps(rows)).encode()
    whole = [*json_table(lambda: [text], "rows")]
    for size in (1, 2, 7):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert [*json_table(lambda pieces=pieces: pieces, "rows")] == whole


@pytest.mark.parametrize(
    ("start", "rest", "most_mib"),
    [
        ("", "\0", 1),
        ("", " ", 4),
        ('[{"a": 1},', "\n", 4),
        ("{", "\0", 1),
        ("", "[", 1),
        ('[{"a": 1},', "x", 1),
        ('{"a": "', "x", 34),
        ('{"a": 1}\n', "\0", 130),
    ],
)
def test_text_without_an_end_is_not_read_to_its_end(start, rest, most_mib):
    read_mib = 0

    def endless():
        nonlocal read_mib
        yield start.encode()
        for read_mib in range(1, 1000):  # noqa: B007 -- it is looked at below
            yield rest.encode() * 2**20

    with pytest.raises(InputError, match=r"rows:\d+: is not JSON"):
        list(json_table(endless, "rows"))
    assert read_mib <= most_mib


@pytest.mark.slow
def test_a_long_array_is_read_in_pieces(written):
    rows = [{"name": f"FIRM {number}", "city": "X" * 2_000} for number in range(2_000)]
    assert len(recipients(written(json.dumps(rows), "rows.json"))) == 2_000
