"""Conflict markers and pointers of Git LFS are named as such, whichever reader meets them."""

import duckdb
import pytest

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.errors import ConfigurationError, DocumentError, EnricherError, InputError
from sbir_gate.gate.measuring.telemetry import read_telemetry
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.git_leftovers import find_leftover, is_conflict_marker
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.layout import RECIPIENTS
from sbir_gate.reading.recipients import check_table
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings
from sbir_gate.settings.waivers import load_waivers
from tests.step_options import reading_options

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00c0ffee\nsize 54793\n"


def conflict(ours, theirs):
    return f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> feature/labels\n"


def read_awards_of(path):
    with duckdb.connect() as connection:
        read_awards(connection, path, path.parent, reading_options(max_reject_percent=0))


READERS = {
    "awards.csv": (read_awards_of, InputError),
    "awards.parquet": (read_awards_of, InputError),
    "recipients.csv": (lambda path: check_table(path, reading_options(), RECIPIENTS), InputError),
    "recipients.zip": (lambda path: check_table(path, reading_options(), RECIPIENTS), InputError),
    "truth.csv": (read_truth, InputError),
    "run.json": (load_run, DocumentError),
    "verdict.json": (load_verdict, DocumentError),
    "baseline.json": (lambda path: load_baseline(path.parent, "baseline"), DocumentError),
    "gate.yaml": (lambda path: load_settings(path, {}), ConfigurationError),
    "waivers.yaml": (lambda path: load_waivers(path, is_required=True), ConfigurationError),
    "metrics.json": (read_telemetry, EnricherError),
}
TEXTS = {
    ".csv": ("award_id,recipient_ids\n", "A1,R1\n", "A1,R2\n"),
    ".json": ('{"format_version": 3,\n', '"kind": "run"\n', '"kind": "verdict"\n'),
    ".yaml": ("gate:\n", "  max_lost: 1\n", "  max_lost: 2\n"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pointer_of_git_lfs_is_named_with_its_fix(tmp_path, name):
    read, error = READERS[name]
    path = tmp_path / name
    path.write_text(POINTER)
    with pytest.raises(error, match="Git LFS") as caught:
        read(path)
    told = f"{caught.value.message} {caught.value.hint}"
    assert name in caught.value.message
    assert "git lfs pull" in told
    assert "lfs: true" in told


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith((".csv", ".json", ".yaml"))])
def test_markers_of_a_merge_conflict_are_named_with_their_line(tmp_path, name):
    read, error = READERS[name]
    path = tmp_path / name
    first, ours, theirs = TEXTS[path.suffix]
    if name in {"awards.csv", "recipients.csv"}:
        first, ours, theirs = "company,duns,uei\n", "Quarl Optics,1,\n", "Quarl Optics Inc,2,\n"
    path.write_text(first + conflict(ours, theirs))
    with pytest.raises(error, match="merge conflict") as caught:
        read(path)
    assert f"{name}:2: " in caught.value.message
    assert "resolve" in f"{caught.value.message} {caught.value.hint}"


def test_a_marker_in_the_midst_of_a_file_is_named_among_its_rejects(tmp_path):
    rows = "".join(f"Quarl Optics {number},{number},\n" for number in range(200))
    path = tmp_path / "awards.csv"
    path.write_text(f"company,duns,uei\n{rows}{conflict('Zyvox,1,' + chr(10), 'Zyvox,2,' + chr(10))}")
    with pytest.raises(InputError, match=r"awards\.csv:202: .*: a marker of a merge conflict"):
        read_awards_of(path)


def test_a_baseline_is_restored_or_promoted_and_not_run_again(tmp_path):
    (tmp_path / "enrichment.json").write_text('{"format_version": 3, "kind"')
    with pytest.raises(DocumentError) as caught:
        load_baseline(tmp_path, "enrichment")
    assert "baseline promote" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["<<<<<<< HEAD", "=======", ">>>>>>> a1b2c3 (Relabel)", "||||||| base", "<<<<<<<"]
)
def test_each_marker_is_known(line):
    assert is_conflict_marker(line)


@pytest.mark.parametrize("line", ["======== A heading", "A1,<<<<<<< HEAD", "<<<<<<<<", "=======,R1"])
def test_what_only_resembles_a_marker_is_none(line):
    assert not is_conflict_marker(line)


def test_an_underline_in_a_text_is_no_conflict():
    assert find_leftover(b"Aims\n=======\nTo measure.\n") is None
