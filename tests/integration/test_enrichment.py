"""Whole files through enrichment: rows, bytes, failures, and how good it is on the fixtures."""

import csv
import json
import os
import random
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.errors import InputError, LimitError, OutputError, SbirGateError, ToolError
from sbir_gate.gate.fixture import read_profiles
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.quality import measure_quality
from sbir_gate.model.matches import ENRICHED_COLUMNS, DecisionKind
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings
from tests.factories_matching import (
    AWARD_HEADER,
    RECIPIENT_HEADER,
    UEIS,
    Award,
    Recipient,
    csv_text,
    enrich_files,
    make_settings,
    write_tables,
)
from tests.tiers import tiered

FIXTURES = Path(__file__).parents[2] / "fixtures"
CAMBRIDGE = {"city": "CAMBRIDGE", "state": "MA", "zip5": "02139"}
DUNS = "133709001"


@pytest.fixture
def work(tmp_path):
    """Return settings whose work folder is empty, and must be so again after the test."""
    folder = tmp_path / "work"
    folder.mkdir()
    yield make_settings(enrichment__work_folder=folder)
    assert list(folder.iterdir()) == []


def changed(settings_, **performance):
    """Return the settings with other values of `enrichment.performance`."""
    section = settings_.enrichment
    new = section.model_copy(update={"performance": section.performance.model_copy(update=performance)})
    return settings_.model_copy(update={"enrichment": new})


def small_world(rows=60, seed=4):
    """Return awards and recipients with every method, conflicts, ties and rows without anything."""
    draw = random.Random(seed)
    words = ["QORTEK", "ZENTROX", "QUARKLE", "HYDROMANCER", "KODIAK", "OPTICS", "SYSTEMS", "LABS"]
    places = [("BOSTON", "MA", "02139"), ("AUSTIN", "TX", "73301"), ("", "", "")]

    def row(kind, key):
        name = " ".join(draw.sample(words, draw.randint(1, 3))) if draw.random() < 0.95 else ""
        uei = draw.choice(UEIS) if draw.random() < 0.2 else ""
        duns = draw.choice([DUNS, "033449757"]) if draw.random() < 0.2 else ""
        return kind(key, name, uei, duns, *draw.choice(places))

    awards = [row(Award, f"A{number:03}") for number in range(rows)]
    recipients = [row(Recipient, f"R{number:03}") for number in range(rows)]
    awards[3] = Award("A003")
    # a row without name and identifier is no recipient
    return awards, [
        recipient if recipient.name else replace(recipient, name="KODIAK") for recipient in recipients
    ]


def table(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_every_award_column_comes_back_byte_for_byte_in_award_order(tmp_path, work):
    header = ["Extra,1", *AWARD_HEADER, "Ab stract"]
    rows = [
        [
            " x ",
            "A2",
            "Zentrox, Inc.",
            UEIS[0],
            f"'{DUNS}'",
            "Boston",
            "Massachusetts",
            "02139-1234",
            'say "hi"\n\nok',
        ],
        ["NA", "A1", "  Zentrox  INC ", "n/a", "N/A", "", "MA", "2139", "é\u2013\t"],
        ["", "A3", "", "", "", "", "", "", ""],
    ]
    awards = tmp_path / "awards.csv"
    awards.write_text(csv_text(header, rows), "utf-8")
    _, recipients = write_tables(tmp_path / "work" / "..", [], [Recipient("R1", "ZENTROX", UEIS[0], DUNS)])
    awards.write_text(csv_text(header, rows), "utf-8")
    summary = enrich_files(awards, recipients, tmp_path / "out.csv", work)
    found, *enriched = table(tmp_path / "out.csv")
    assert found == [*header, *ENRICHED_COLUMNS]
    assert [row[: len(header)] for row in enriched] == rows
    assert (summary.awards, summary.recipients, summary.rejects) == (3, 1, 0)
    assert sum(summary.decisions.values()) == 3


def test_awards_without_ids_get_one_and_repeated_rows_keep_their_own(tmp_path, work):
    awards = tmp_path / "awards.csv"
    awards.write_text("Company,UEI\n" + f"Zentrox,{UEIS[0]}\n" * 3, "utf-8")
    recipients = tmp_path / "recipients.csv"
    recipients.write_text(csv_text(RECIPIENT_HEADER, [("R1", "ZENTROX", UEIS[0], "", "", "", "")]), "utf-8")
    enrich_files(awards, recipients, tmp_path / "out.csv", work)
    header, *rows = table(tmp_path / "out.csv")
    assert header == ["award_id", "Company", "UEI", *ENRICHED_COLUMNS]
    assert len({row[0] for row in rows}) == 3
    assert {row[3] for row in rows} == {"R1"}


@pytest.mark.slow
def test_enriching_an_enriched_file_again_changes_nothing(tmp_path, work):
    awards, recipients = write_tables(tmp_path, *small_world(20))
    enrich_files(awards, recipients, tmp_path / "once.csv", work)
    enrich_files(tmp_path / "once.csv", recipients, tmp_path / "twice.csv", work)
    assert (tmp_path / "twice.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()


@pytest.mark.parametrize("missing", tiered("N/A", "000000000", slow=("nan", "999999999", "None", "0")))
def test_missing_identifiers_never_join(tmp_path, work, missing):
    awards, recipients = write_tables(
        tmp_path,
        [Award("A1", "Hydromancer", missing, missing)],
        [Recipient("R1", "KODIAK BAKERY", missing, missing)],
    )
    summary = enrich_files(awards, recipients, tmp_path / "out.csv", work)
    assert summary.decisions == {"link": 0, "candidate": 0, "none": 1}


@pytest.mark.parametrize(
    "raw",
    tiered(f"'{DUNS}'", f"001810881; {DUNS}", slow=(f"{DUNS}.0", "13-370-9001", f"{DUNS}0000")),
)
def test_a_duns_in_any_spelling_joins(tmp_path, work, raw):
    awards, recipients = write_tables(
        tmp_path, [Award("A1", "Zentrox", None, raw)], [Recipient("R1", "ZENTROX INC", None, DUNS)]
    )
    enrich_files(awards, recipients, tmp_path / "out.csv", work)
    (decision,) = read_decisions(tmp_path / "out.csv")
    assert (decision.kind, decision.method, decision.recipient_id) == (DecisionKind.LINK, "duns-exact", "R1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "chunk_sizes"), [(".csv", (1, 1000)), (".parquet", (7, 1000)), (".csv.gz", (29,))]
)
def test_the_output_is_the_same_bytes_for_any_chunks_threads_and_order_of_recipients(
    tmp_path, work, suffix, chunk_sizes
):
    awards, recipients = small_world(30)
    paths = write_tables(tmp_path, awards, recipients)
    expected, output = tmp_path / f"expected{suffix}", tmp_path / f"out{suffix}"
    enrich_files(*paths, expected, work)
    assert {decision.kind for decision in read_decisions(expected)} == set(DecisionKind)
    for chunk_size, workers in zip(chunk_sizes, (4, 1), strict=False):
        enrich_files(*paths, output, changed(work, chunk_size=chunk_size, workers=workers))
        assert output.read_bytes() == expected.read_bytes(), (chunk_size, workers)
    random.Random(1).shuffle(recipients)
    enrich_files(
        *write_tables(tmp_path, awards, recipients + recipients[:9]), output, changed(work, chunk_size=13)
    )
    assert output.read_bytes() == expected.read_bytes()


def by_award(path):
    header, *rows = table(path)
    place = header.index("award_id")
    return {row[place]: row for row in rows}


def test_shuffled_awards_give_the_same_rows(tmp_path, work):
    awards, recipients = small_world()
    enrich_files(*write_tables(tmp_path, awards, recipients), tmp_path / "one.csv", work)
    random.Random(2).shuffle(awards)
    enrich_files(*write_tables(tmp_path, awards, recipients), tmp_path / "other.csv", work)
    assert by_award(tmp_path / "other.csv") == by_award(tmp_path / "one.csv")
    assert [row[0] for row in table(tmp_path / "other.csv")[1:]] == [award.award_id for award in awards]


CELLS = st.sampled_from(
    ["", "Qortek", "QORTEK INC", "Qortec", UEIS[0], DUNS, "nan", "é;\n", '"', "MULTIPLE RECIPIENTS"]
)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_whatever_the_cells_no_award_is_lost_or_doubled(tmp_path, rows):
    awards, recipients = tmp_path / "awards.csv", tmp_path / "recipients.csv"
    awards.write_text(csv_text(["note", "Company", "UEI", "Duns"], rows), "utf-8")
    recipients.write_text(csv_text(RECIPIENT_HEADER, [("R1", "QORTEK", UEIS[0], DUNS, "", "", "")]), "utf-8")
    enrich_files(awards, recipients, tmp_path / "out.csv")
    enriched = table(tmp_path / "out.csv")[1:]
    assert Counter(tuple(row[1:5]) for row in enriched) == Counter(rows)
    assert len({row[0] for row in enriched}) == len(enriched)


def check_fails(kind, awards, recipients, folder, settings_, match=""):
    """Expect one clear error with a cure, and no output, not even half of one."""
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(SbirGateError, match=match) as raised:
        enrich_files(awards, recipients, folder / "out.parquet", settings_)
    assert isinstance(raised.value, kind), repr(raised.value)
    assert raised.value.hint
    assert "\n" not in raised.value.message
    assert {path.name for path in folder.iterdir()} == before


@pytest.fixture
def files(tmp_path):
    return write_tables(tmp_path, *small_world(30))


def test_recipients_that_are_missing_empty_or_of_unknown_layout_are_an_input_error(tmp_path, files, work):
    awards, recipients = files
    check_fails(InputError, awards, tmp_path / "gone.csv", tmp_path, work, "gone.csv")
    for text in ("", "recipient_id,legal_business_name\n", "colour,shape\nred,round\n"):
        recipients.write_text(text)
        check_fails(InputError, awards, recipients, tmp_path, work, r"recipients\.csv")
    recipients.write_text("recipient_id,legal_business_name,uei\nR1,,\n")
    check_fails(InputError, awards, recipients, tmp_path, work, "name, UEI or DUNS")
    recipients.write_bytes(b"PAR1 this is no Parquet PAR1")
    check_fails(InputError, awards, recipients.rename(tmp_path / "r.parquet"), tmp_path, work, r"r\.parquet")


def test_awards_that_are_missing_or_empty_are_an_input_error(tmp_path, files, work):
    awards, recipients = files
    check_fails(InputError, tmp_path / "gone.csv", recipients, tmp_path, work, "gone.csv")
    for text in ("", "award_id,Company\n"):
        awards.write_text(text)
        check_fails(InputError, awards, recipients, tmp_path, work, r"awards\.csv")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", tiered(0.001, slow=(0.005, 0.01, 0.02)))
def test_time_without_progress_ends_the_work_and_with_more_time_it_goes_on(tmp_path, work, seconds):
    files = FIXTURES / "awards.csv", next(FIXTURES.glob("recipients.*"))
    check_fails(LimitError, *files, tmp_path, changed(work, timeout_seconds=seconds), "made no progress for")
    # what was finished may be kept, in the work folder: the next run uses it up and leaves nothing
    assert {path.name for path in work.enrichment.work_folder.iterdir()} <= {"out.parquet.parts"}
    assert enrich_files(*files, tmp_path / "out.parquet", work).awards == 1000


@pytest.mark.slow
def test_the_least_memory_suffices_or_the_error_names_the_setting(tmp_path, files, work):
    with_little = changed(work, memory_threshold_mb=64)
    try:
        enrich_files(*files, tmp_path / "out.csv", with_little)
    except ToolError as error:
        assert "memory_threshold_mb" in error.hint  # noqa: PT017 -- either way is right
        assert not (tmp_path / "out.csv").exists()
        enrich_files(*files, tmp_path / "out.csv", work)
    else:
        enrich_files(*files, tmp_path / "plenty.csv", work)
        assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "plenty.csv").read_bytes()


def test_a_work_folder_that_is_none_is_an_input_error(tmp_path, files):
    for name in ("gone", "awards.csv"):
        bad = make_settings(enrichment__work_folder=tmp_path / name)
        check_fails(InputError, *files, tmp_path, bad, "enrichment.work_folder")


def test_an_output_that_cannot_be_written_is_said_before_any_work(tmp_path, files, work):
    for name, said in (("gone/out.csv", "does not exist"), ("out.xlsx", "kind of file")):
        with pytest.raises(SbirGateError, match=said):
            enrich_files(*files, tmp_path / name, work)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_an_output_error(tmp_path, files, work):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError):
        enrich_files(*files, folder / "out.csv", work)


def test_metrics_are_written_where_named(tmp_path, files, work):
    awards, recipients = map(str, files)
    request = EnrichRequest(awards, recipients, tmp_path / "out.csv", metrics=tmp_path / "metrics.json")
    link_and_write(request, work, PerformanceMonitor(), lambda *_facts: None)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["counters"]["recipients_scanned"] == 30
    names = [stage["name"] for stage in metrics["stages"]]
    assert names[:2] == ["read-awards", "read-recipients"]
    assert names[-1] == "write"
    assert "model" in metrics["notes"]
    broken = replace(request, metrics=tmp_path / "gone" / "metrics.json")
    with pytest.raises(OutputError, match=r"metrics\.json"):
        link_and_write(broken, work, PerformanceMonitor(), lambda *_facts: None)


def test_without_a_work_folder_nothing_stays_in_the_temporary_one(tmp_path, files, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    enrich_files(*files, tmp_path / "out.csv")
    with pytest.raises(InputError):
        enrich_files(files[0], tmp_path / "gone.csv", tmp_path / "out.csv")
    assert list(folder.iterdir()) == []


def test_on_the_fixtures_links_are_right_found_and_as_sure_as_they_say(tmp_path):
    effective = load_settings(None, {})
    fixtures = effective.settings.fixtures
    names = [fixtures.awards, fixtures.recipients, fixtures.truth]
    awards, recipients, truth = (FIXTURES / path.name for path in names)
    enrich_files(awards, recipients, tmp_path / "out.parquet")
    options = {"fixtures.awards": awards, "fixtures.recipients": recipients, "fixtures.truth": truth}
    profiles = read_profiles(load_settings(None, {}, options))
    quality = measure_quality(read_decisions(tmp_path / "out.parquet"), profiles, read_truth(truth))
    assert quality.awards == 1000
    assert quality.precision >= 0.98
    assert quality.recall >= 0.90
    assert quality.blocking_recall >= quality.recall
    assert quality.calibration_error <= 0.03
