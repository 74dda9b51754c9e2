"""A whole dataset: the same bytes for the same options, and a truth that holds."""

import csv
import hashlib
import json

import duckdb
import pytest

from sbir_gate.datasets.synthesising import dataset
from sbir_gate.datasets.synthesising.awards import AWARD_COLUMNS
from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions
from sbir_gate.datasets.synthesising.recipients import RECIPIENT_COLUMNS
from sbir_gate.errors import OutputError
from sbir_gate.model.records import CompanySize, IdentifierType, Phase

PINNED_SHA256 = {
    "awards.csv": "0f8e237cf77b0b31",
    "recipients.csv": "cfaa374cac49fe5d",
    "truth.csv": "29d5a870a2d71a06",
}
NAMES = ("awards.csv", "recipients.csv", "truth.csv", "fingerprint.json")


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    return synthesise(SynthesisOptions(600, 4000, 11, is_sample=True), folder)


def test_the_same_options_make_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        synthesise(SynthesisOptions(300, 2000, 5), tmp_path / name)

    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_makes_other_data(tmp_path):
    first = synthesise(SynthesisOptions(300, 2000, 5), tmp_path / "one")
    second = synthesise(SynthesisOptions(300, 2000, 6), tmp_path / "two")

    assert all(first.sha256[name] != second.sha256[name] for name in first.sha256)


def test_the_bytes_are_pinned(tmp_path):
    summary = synthesise(SynthesisOptions(20, 100, 1), tmp_path)

    assert {name: digest[:16] for name, digest in summary.sha256.items()} == PINNED_SHA256


def test_columns_and_sizes_are_as_asked(sample):
    awards, recipients, truth = map(rows, (sample.awards_path, sample.recipients_path, sample.truth_path))

    assert tuple(awards[0]) == AWARD_COLUMNS
    assert tuple(recipients[0]) == RECIPIENT_COLUMNS
    assert (len(awards), len(recipients), len(truth)) == (600, 4000, 600)
    assert len({row["recipient_id"] for row in recipients}) == 4000
    assert [row["award_id"] for row in truth] == [row["award_id"] for row in awards]
    assert len({row["award_id"] for row in awards}) == 600


def test_the_truth_names_rows_that_exist(sample):
    known = {row["recipient_id"] for row in rows(sample.recipients_path)}
    true_ids = [row["recipient_ids"].split() for row in rows(sample.truth_path)]

    assert {found for ids in true_ids for found in ids} < known
    assert max(map(len, true_ids)) == 2
    assert sum(not ids for ids in true_ids) == sample.awards_without_recipient
    assert 0.06 < sample.awards_without_recipient / 600 < 0.18


def test_most_true_recipients_share_name_or_identifier(sample):
    recipients = {row["recipient_id"]: row for row in rows(sample.recipients_path)}
    truth = {row["award_id"]: row["recipient_ids"].split() for row in rows(sample.truth_path)}
    pairs = [
        (award, recipients[found]) for award in rows(sample.awards_path) for found in truth[award["award_id"]]
    ]
    same_start = sum(award["Company"][:4].upper() == row["legal_business_name"][:4] for award, row in pairs)
    same_zip = sum(award["Zip"][:5] == row["zip"][:5] != "" for award, row in pairs)

    assert same_start / len(pairs) > 0.85
    assert 0.65 < same_zip / len(pairs) < 0.92


def test_every_stratum_of_a_sample_is_populated(sample):
    strata = sample.awards_by_stratum

    assert set(strata["phase"]) == set(Phase)
    assert set(strata["company_size"]) == set(CompanySize)
    assert set(strata["identifier_type"]) == set(IdentifierType)
    assert all(sum(counts.values()) == 600 for counts in strata.values())
    assert min(min(counts.values()) for counts in strata.values()) > 60


def test_placeholders_are_in_the_table(sample):
    names = {row["legal_business_name"] for row in rows(sample.recipients_path)}

    assert {"MULTIPLE RECIPIENTS", "REDACTED DUE TO PII"} < names


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("awards", "recipients"), [(1, 10), (10, 10), (40, 40)])
def test_tiny_datasets_are_whole(tmp_path, seed, awards, recipients):
    summary = synthesise(SynthesisOptions(awards, recipients, seed, is_sample=bool(seed % 2)), tmp_path)

    assert len(rows(summary.awards_path)) == awards
    assert len(rows(summary.recipients_path)) == recipients
    assert len(rows(summary.truth_path)) == awards


@pytest.mark.slow
def test_large_datasets_are_made_batch_by_batch(tmp_path):
    size, told = dataset.RECIPIENTS_PER_BATCH + 20_000, []
    options = SynthesisOptions(300, size, 3)
    summary = synthesise(options, tmp_path, lambda done, total: told.append((done, total)))

    assert told == [(size // 2, size), (size, size)]
    ids = [row["recipient_id"] for row in rows(summary.recipients_path)]
    assert ids == [f"R{number:09d}" for number in range(1, size + 1)]
    assert len(rows(summary.awards_path)) == 300


@pytest.mark.parametrize("file_format", [FileFormat.CSV_GZ, FileFormat.PARQUET])
def test_other_formats_hold_the_same_rows(tmp_path, file_format):
    plain = synthesise(SynthesisOptions(50, 300, 4), tmp_path)
    other = synthesise(SynthesisOptions(50, 300, 4, file_format), tmp_path)

    assert other.awards_path.name == f"awards.{file_format}"
    with duckdb.connect() as connection:
        for left, right in (
            (plain.awards_path, other.awards_path),
            (plain.recipients_path, other.recipients_path),
        ):
            options = {"all_varchar": True, "header": True, "quotechar": '"', "escapechar": '"'}
            expected = connection.read_csv(str(left), **options).fetchall()
            if file_format is FileFormat.PARQUET:
                found = connection.read_parquet(str(right)).fetchall()
            else:
                found = connection.read_csv(str(right), **options).fetchall()
            assert found == expected


def test_the_fingerprint_says_what_was_made_and_how(sample):
    document = json.loads((sample.awards_path.parent / "fingerprint.json").read_text())

    assert document["made_from"] == {
        "awards": 600,
        "recipients": 4000,
        "seed": 11,
        "format": "csv",
        "is_sample": True,
    }
    for name, digest in document["sha256"].items():
        content = (sample.awards_path.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def test_a_folder_that_cannot_be_made_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(OutputError, match="taken: cannot be written") as caught:
        synthesise(SynthesisOptions(1, 10, 1), tmp_path / "taken")

    assert caught.value.hint == "name another folder"


def test_a_file_that_cannot_be_replaced_is_an_error(tmp_path):
    (tmp_path / "recipients.csv").mkdir()

    with pytest.raises(OutputError, match=r"recipients\.csv: cannot be written"):
        synthesise(SynthesisOptions(1, 10, 1), tmp_path)
