"""Quality reports of files of any engine, and of Runs: what they take, what they refuse, where they go."""

import gzip
import json
import shutil
from datetime import UTC, datetime

import duckdb
import pytest

from sbir_gate.documents import load_quality, save_quality
from sbir_gate.errors import InputError
from sbir_gate.gate import quality as use_case
from sbir_gate.gate.quality import QualityRequest, keep_quality, report_on_file
from sbir_gate.gate.run import run_gate
from sbir_gate.model.document import FORMAT_VERSION, QUALITY, decode, encode
from sbir_gate.model.matches import NoLinkReason
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, Gap, count_fault
from sbir_gate.settings.effective import load_settings
from tests.factories_quality import make_report
from tests.fakes import AWARDS, FakeEngine, fake_edges, write_fixture

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = load_settings(None, {}, {}).settings
FULL = (
    "award_id,Company,Phase,Agency,Program,Award Year,Number Employees,UEI,Duns,State,"
    "recipient_id,recipient_name,match_method,match_score,match_confidence,match_decision,match_candidates\n"
    "A1,Acme Optics,Phase I,DOE,SBIR,2020,12,CSQJZSE9KFD9,,CA,R1,ACME,uei-exact,100,0.998,link,\n"
    'A2,Zenith,Phase II,DOE,STTR,2021,,,133709001,TX,R9,"ZENITH, LLC",duns-exact,70,0.3,candidate,'
    '"[{""recipient_id"": ""R9""}]"\n'
    "A3,n/a,Phase I,,,,,,,,,,none,0,,none,\n"
    "A4,,Phase I,,,,,,,,,,none,0,,none,\n"
)
BARE = "award_id,recipient_id,match_method,match_score\nA1,R1,exact,100\nA2,,none,0\n"


def report(path, warn=pytest.fail, **given):
    return report_on_file(QualityRequest(path, **given), SETTINGS, NOW, lambda _words: None, warn)


@pytest.fixture
def write(tmp_path):
    def run(text, name="linked.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return run


def test_a_file_with_all_columns_gives_all_that_is_counted(write):
    found = report(write(FULL))
    assert (found.match_rate, found.candidates) == (Proportion.of(1, 4), 1)
    assert {each.value: each.match_rate.part for each in found.segments_of(Dimension.PHASE)} == {
        "I": 1,
        "II": 0,
    }
    assert [each.value for each in found.segments_of(Dimension.YEAR)] == ["2020", "2021", ""]
    assert {count.reason for count in found.unmatched} == {
        NoLinkReason.IDENTIFIER_CONFLICT,
        NoLinkReason.PLACEHOLDER,
        NoLinkReason.UNREADABLE,
    }
    assert found.review[0].recipient_name == "ZENITH, LLC"
    assert set(found.gaps) == {Gap.TRUTH}
    assert count_fault(found) == ""


@pytest.mark.parametrize("name", ["linked.csv.gz", "linked.parquet"])
def test_every_kind_of_file_gives_the_same(write, tmp_path, name):
    path = write(FULL)
    other = tmp_path / name
    if name.endswith("gz"):
        other.write_bytes(gzip.compress(path.read_bytes()))
    else:
        duckdb.read_csv(str(path), all_varchar=True).write_parquet(str(other))
    expected = report(path)
    assert report(other) == type(expected)(
        **{name: getattr(expected, name) for name in expected.__slots__} | {"enriched": str(other)}
    )


def test_an_output_of_four_columns_is_enough_and_says_what_it_lacks(write):
    found = report(write(BARE))
    assert found.match_rate == Proportion.of(1, 2)
    assert set(found.gaps) == set(Gap)


def test_an_output_with_a_column_of_candidates_reports_that_there_are_none(write):
    head, *_ = FULL.splitlines()
    found = report(write(f"{head}\nA1,Zorbatek,Phase I,DOE,SBIR,2020,12,,,CA,,,none,0,,none,[]\n"))
    assert Gap.CANDIDATES not in found.gaps
    assert [count.reason for count in found.unmatched] == [NoLinkReason.NO_CANDIDATE]


def test_the_awards_and_recipients_are_taken_from_their_own_files(write):
    awards = write(
        "Award ID,Company,Phase\nA1,Acme,Phase I\nA2,Zenith,Phase II\nA3,Omega,Phase I\n", "awards.csv"
    )
    recipients = write("recipient_id,recipient_name,uei\nR1,ACME INC,CSQJZSE9KFD9\n", "recipients.csv")
    found = report(write(BARE), awards=str(awards), recipients=str(recipients))
    assert found.match_rate == Proportion.of(1, 3)
    assert found.rows_missing == 1
    assert [each.value for each in found.segments_of(Dimension.PHASE)] == ["I", "II"]
    assert Gap.RECIPIENT_NAME not in found.gaps


def test_rows_of_one_entity_are_all_right(write):
    recipients = write(
        "recipient_id,recipient_name,uei\nR1,ACME,CSQJZSE9KFD9\nR1b,ACME,CSQJZSE9KFD9\nR2,ZENITH,\n",
        "recipients.csv",
    )
    truth = write("award_id,recipient_ids\nA1,R1b\nA2,\n", "truth.csv")
    assert report(write(BARE), print, truth=truth).precision == Proportion.of(0, 1)
    assert report(write(BARE), truth=truth, recipients=str(recipients)).precision == Proportion.of(1, 1)


def test_ids_in_blanks_and_doubled_rows_are_one_award(write):
    found = report(
        write("award_id,recipient_id,match_method,match_score,Phase\n A1 ,R1,x,9,I\nA1,,none,0,II\n")
    )
    assert (found.match_rate, found.rows_doubled) == (Proportion.of(1, 1), 1)
    assert [each.value for each in found.segments_of(Dimension.PHASE)] == ["I"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"award_id,recipient_id\nA1,R1\n", "match_method: .* lacks this column"),
        (b"award_id,recipient_id,match_method,match_score\n", "there is no award|cannot be read"),
        (b"PAR1 damaged PAR1", "cannot be read"),
        (b"\x1f\x8b damaged", "cannot be read"),
        (b"\x00\x01\x02" * 50, "lacks this column|cannot be read"),
        (b"award_id,recipient_id,match_method,match_score\nA1,R1,x,1e999\n", "is not within 0 to 100"),
        (b"award_id,recipient_id,match_method,match_score\nA1,R1\n", "2 cells, the header 4"),
        (b'award_id,recipient_id,match_method,match_score\n"A1,R1,x,9\n', "cannot be read"),
    ],
    ids=["empty", "column", "header", "parquet", "gzip", "binary", "number", "cells", "quote"],
)
@pytest.mark.parametrize("name", ["linked.csv", "linked.parquet"])
def test_a_file_that_is_no_output_of_an_engine_is_wrong_input_in_one_line(tmp_path, content, message, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        report(path)
    assert "\n" not in caught.value.message
    assert name in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_missing_names_one_that_is_spelled_like_it(write, tmp_path):
    write(FULL, "linked.csv")
    with pytest.raises(InputError, match=r"linkd\.csv: no such file") as caught:
        report(tmp_path / "linkd.csv")
    assert caught.value.hint == f"did you mean {tmp_path / 'linked.csv'}?"


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match="a folder, not a regular file"):
        report(tmp_path)


def test_a_file_of_an_unknown_kind_says_so(write):
    with pytest.raises(InputError, match="unknown type of file"):
        report(write(FULL, "linked.xml"))


def test_a_truth_of_other_awards_is_refused(write):
    with pytest.raises(InputError, match="are not in the fixture"):
        report(write(BARE), truth=write("award_id,recipient_ids\nZ9,R1\n", "truth.csv"))


def test_far_too_many_rows_are_refused_before_they_fill_the_memory(write, monkeypatch):
    monkeypatch.setattr(use_case, "MOST_ROWS", 3)
    with pytest.raises(InputError, match="more than 3 rows"):
        report(write(FULL))


# reports that are kept


def test_a_report_comes_back_as_it_was_saved(tmp_path):
    path = save_quality(tmp_path, make_report())
    assert path.name == "2026-01-31.json"
    assert load_quality(path) == make_report()
    document = json.loads(path.read_text())
    assert (document["kind"], document["format_version"]) == ("quality", FORMAT_VERSION)


def test_the_second_of_a_day_gets_a_number(tmp_path):
    names = [save_quality(tmp_path, make_report()).name for _ in range(3)]
    assert names == ["2026-01-31.json", "2026-01-31-2.json", "2026-01-31-3.json"]


def test_a_report_whose_counts_were_edited_is_refused():
    text = encode(QUALITY, make_report()).replace('"part":2,"whole":9', '"part":3,"whole":9')
    with pytest.raises(Exception, match=r"counts|count the same|rate"):
        decode(QUALITY, text, "2026-01-31.json")


def run_settings(folder, *assignments):
    return load_settings(
        None,
        {},
        {
            "fixtures.awards": str(folder / "awards.csv"),
            "fixtures.recipients": str(folder / "recipients.csv"),
            "fixtures.truth": str(folder / "truth.csv"),
            "gate.baselines_folder": str(folder / "baselines"),
            "reports.folder": str(folder / "reports"),
            "benchmark.repeats": 1,
        },
        assignments,
    )


def test_every_run_keeps_a_report_whose_counts_are_its_own(tmp_path):
    write_fixture(tmp_path)
    for _ in range(2):
        run = run_gate(run_settings(tmp_path), fake_edges(FakeEngine(links=AWARDS - 2)), lambda _: None).run
    paths = sorted((tmp_path / "reports" / "quality").iterdir())
    assert [path.name for path in paths] == ["2026-01-31-2.json", "2026-01-31.json"]
    kept = load_quality(paths[0])
    assert kept.quality == run.quality
    assert (kept.match_rate.part, kept.match_rate.whole) == (AWARDS - 2, AWARDS)
    assert (kept.gate, kept.enricher, kept.source) == (run.gate, run.enricher, run.source)
    assert kept.fixture == run.fixture.fingerprint
    assert kept.precision.rate == run.quality.precision


def test_a_report_that_cannot_be_written_is_a_warning_of_the_run(tmp_path):
    write_fixture(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "quality").write_text("in the way")
    result = run_gate(run_settings(tmp_path), fake_edges(FakeEngine()), lambda _: None)
    assert any(text.startswith("the quality report was not kept") for text in result.warnings)
    shutil.rmtree(tmp_path / "reports")
    assert keep_quality(None, run_settings(tmp_path).settings) == ()


def test_a_truth_with_ids_of_another_file_is_doubted_and_one_that_finds_links_wrong_is_not(write):
    path, warnings = write(FULL), []
    foreign = write("award_id,recipient_ids\nA1,X1\nA2,X2\n", "foreign.csv")
    assert report(path, warnings.append, truth=foreign).precision == Proportion.of(0, 1)
    assert "recipient ids (2), such as 'X1' there and 'R1' in the answers" in warnings[0]
    # R9 is a candidate: the ids are those of one file
    report(path, truth=write("award_id,recipient_ids\nA1,R9\n", "truth.csv"))
    report(path, truth=write("award_id,recipient_ids\nA1,\n", "truth.csv"))
