from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sbir_gate.documents import save_quality
from sbir_gate.errors import DocumentError, InputError
from sbir_gate.gate.quality_history import compared_reports, kept_reports
from tests.factories_quality import MADE_AT, make_report


@pytest.fixture
def folder(tmp_path):
    """A folder with reports of three days, and a file that is none."""
    for day, gate in enumerate(("enrichment", "other", "enrichment")):
        save_quality(tmp_path, replace(make_report(), made_at=MADE_AT + timedelta(days=day), gate=gate))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "notes.txt").write_text("not a report")
    return tmp_path


def test_the_reports_come_in_the_order_in_which_they_were_made(folder):
    kept = kept_reports(folder, None, None, 0)
    assert [(report.made_at - MADE_AT).days for _, report in kept.reports] == [0, 1, 2]
    assert [file.file_name for file in kept.skipped] == ["broken.json"]


def test_the_newest_is_compared_with_the_one_before_of_its_gate(folder):
    kept = kept_reports(folder, None, None, 1)
    assert len(kept.reports) == 1
    assert kept.comparison.after.made_at - kept.comparison.before.made_at == timedelta(days=2)


@pytest.mark.parametrize(
    ("gate", "since", "count"),
    [("other", None, 1), ("", None, 0), (None, datetime(2026, 2, 1, tzinfo=UTC), 2)],
)
def test_a_gate_and_a_span_are_chosen(folder, gate, since, count):
    assert len(kept_reports(folder, gate, since, 0).reports) == count


def test_a_single_report_is_compared_with_none(folder):
    assert kept_reports(folder, "other", None, 0).comparison is None


def test_a_folder_that_is_not_there_has_no_reports(tmp_path):
    assert kept_reports(tmp_path / "nowhere", None, None, 0).reports == ()


def test_a_folder_that_cannot_be_listed_is_wrong_input(tmp_path):
    (tmp_path / "quality").write_text("")
    with pytest.raises(InputError, match="the quality reports cannot be listed"):
        kept_reports(tmp_path / "quality", None, None, 0)


def test_a_file_that_is_no_report_cannot_be_compared(folder):
    with pytest.raises(DocumentError, match=r"broken\.json"):
        compared_reports(folder / "broken.json", folder / "2026-01-31.json")
