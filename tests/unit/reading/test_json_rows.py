import json

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.awards import read_awards
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


@pytest.mark.parametrize("text", ['[{"name": "A"}, {"name": ', '[{"name": "A"} x', "name,uei\nA,\n"])
def test_other_text_is_refused_with_its_line(written, text):
    with pytest.raises(InputError, match="is not JSON"):
        recipients(written(text, "rows.json"))


@pytest.mark.slow
def test_a_long_array_is_read_in_pieces(written):
    rows = [{"name": f"FIRM {number}", "city": "X" * 2_000} for number in range(2_000)]
    assert len(recipients(written(json.dumps(rows), "rows.json"))) == 2_000
