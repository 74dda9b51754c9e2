import pytest

from sbir_gate.documents import load_entry
from sbir_gate.errors import ToolError
from sbir_gate.gate.storing.history import entry_name, keep_entry
from sbir_gate.gate.storing.history_branch import (
    entries_at,
    entry_place,
    fetch_history,
    no_report,
    push_history,
    quality_place,
    reports_at,
)
from sbir_gate.gate.storing.remote_branch import Edit
from sbir_gate.model.document import HISTORY, QUALITY, decode, encode
from tests.factories_history import make_entry
from tests.factories_quality import report_of_entry
from tests.factories_remote import Waiter, branch_of, make_remote
from tests.tiers import first_fast

BRANCH = "sbir-gate-history"


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


@pytest.fixture
def writer(remote, tmp_path):
    return Writer(remote, tmp_path / "writer")


class Writer:
    """A clone with a history of its own."""

    def __init__(self, remote, folder):
        self.branch = branch_of(remote.clone(folder), BRANCH)
        self.folder = folder / "reports" / "history"
        self.report_of = no_report

    def keep(self, *numbers):
        for number in numbers:
            keep_entry(self.folder, make_entry(number))
        return self

    def push(self):
        return push_history(self.branch, self.folder, Waiter().retrying(), self.report_of)

    def pull(self):
        return fetch_history(self.branch, self.folder)

    def names(self):
        return sorted(path.name for path in self.folder.glob("*.json"))

    def put(self, path, content):
        """Push any file to the branch."""
        self.branch.push(lambda _tip: Edit({path: content}, "Put\n"), Waiter().retrying())


def names(*numbers):
    return sorted(entry_name(make_entry(number)) for number in numbers)


def test_entries_stand_on_the_branch_by_gate_and_month(remote, writer):
    done = writer.keep(0, 40).push()
    assert (done.added, done.known, done.skipped) == (2, 0, ())
    assert remote.files(BRANCH) == sorted(entry_place(make_entry(number)) for number in (0, 40))
    assert entry_place(make_entry(40)) == f"enrichment/2026-02/{names(40)[0]}"
    assert remote.read(BRANCH, entry_place(make_entry(0))) == encode(HISTORY, make_entry(0)).strip()
    assert remote.files("main") == ["file.txt"]


def test_what_two_write_is_there_for_a_third(remote, writer, tmp_path):
    writer.keep(0, 1).push()
    other = Writer(remote, tmp_path / "other").keep(1, 2)
    done = other.push()
    assert (done.added, done.known) == (1, 1)
    third = Writer(remote, tmp_path / "third")
    done = third.pull()
    assert (done.added, done.known) == (3, 0)
    assert third.names() == names(0, 1, 2)
    assert load_entry(third.folder / names(2)[0]) == make_entry(2)


def test_what_is_there_is_neither_pushed_nor_fetched_again(remote, writer):
    writer.keep(0).push()
    before = remote.commits(BRANCH)
    done = writer.push()
    assert (done.added, done.known, done.commit) == (0, 1, "")
    assert remote.commits(BRANCH) == before
    done = writer.pull()
    assert (done.added, done.known) == (0, 1)


def test_an_entry_that_stays_here_is_not_changed_by_the_branch(writer, remote, tmp_path):
    writer.keep(0).push()
    other = Writer(remote, tmp_path / "other")
    keep_entry(other.folder, make_entry(0, outcome=None))
    assert other.pull().known == 1
    assert load_entry(other.folder / names(0)[0]).outcome is None


def test_without_the_branch_there_is_nothing_to_fetch_and_that_is_no_error(writer):
    done = writer.pull()
    assert (done.added, done.known, done.commit) == (0, 0, "")
    assert not writer.folder.exists()


def test_an_empty_history_makes_no_branch(remote, writer):
    assert writer.push().commit == ""
    assert remote.repository.git("branch", "--list", BRANCH) == ""


def test_what_is_no_entry_here_is_skipped_and_named(remote, writer):
    writer.keep(0)
    (writer.folder / "broken.json").write_text("{")
    (writer.folder / "note.txt").write_text("a note")
    (writer.folder / ".index.sqlite3").write_text("x")
    done = writer.push()
    assert done.added == 1
    assert [file.file_name for file in done.skipped] == ["broken.json"]
    assert "not JSON" in done.skipped[0].reason
    assert len(remote.files(BRANCH)) == 1


def test_an_entry_under_another_name_goes_to_its_own_place_once(remote, writer):
    writer.keep(0)
    (writer.folder / names(0)[0]).rename(writer.folder / "mine.json")
    assert writer.push().added == 1
    assert remote.files(BRANCH) == [entry_place(make_entry(0))]
    done = writer.push()
    assert (done.added, done.known) == (0, 1)


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    first_fast(
        [
            ("README.md", b"hello", "no entry by its name"),
            ("enrichment/2026-01/cut.json", encode(HISTORY, make_entry(5)).encode()[:200], "not JSON"),
            ("empty.json", b"", "not JSON"),
            ("x/newer.json", b'{"format_version": 999, "kind": "history"}', "format_version is 999"),
            ("binary.json", b"\xff\xfe", "not UTF-8"),
            ("large.json", b" " * (4 * 1024 * 1024 + 1), "larger than"),
            ("a\nb\x1b[31m.json", b"{}", "format_version"),
        ],
        3,
    ),
)
def test_a_foreign_or_damaged_file_on_the_branch_is_skipped_and_named(writer, path, content, reason):
    writer.keep(0).push()
    writer.put(path, content)
    (writer.folder / names(0)[0]).unlink()
    done = writer.pull()
    assert (done.added, writer.names()) == (1, names(0))
    assert [file.file_name for file in done.skipped] == [path]
    assert done.skipped[0].reason.startswith(reason)


def test_an_entry_is_kept_by_its_content_wherever_the_branch_has_it(writer):
    writer.put("../evil/x.json".replace("../", "up/"), encode(HISTORY, make_entry(7)).encode())
    assert writer.pull().added == 1
    assert writer.names() == names(7)


@pytest.mark.slow
def test_many_entries_are_fetched(remote, writer, tmp_path):
    numbers = range(230)  # more than are read at a time
    writer.keep(*numbers).push()
    third = Writer(remote, tmp_path / "third")
    assert third.pull().added == 230
    assert third.names() == names(*numbers)


def test_a_remote_that_refuses_is_an_error_that_names_the_branch(remote, writer):
    remote.refuse("no")
    with pytest.raises(ToolError, match="origin/sbir-gate-history was not pushed"):
        writer.keep(0).push()
    assert writer.names() == names(0)


def test_other_services_are_asked_not_to_build_the_branch(remote, writer):
    writer.keep(0).push()
    assert "[skip ci]" in remote.repository.git("log", "-1", "--format=%B", BRANCH)
    assert remote.repository.git("log", "-1", "--format=%s", BRANCH) == f"Add {names(0)[0][:-5]}"
    writer.keep(1, 2).push()
    assert remote.repository.git("log", "-1", "--format=%s", BRANCH) == "Add 2 Runs"


class TestQualityReports:
    def test_a_report_comes_with_its_run_in_one_commit_without_single_firms(self, remote, writer):
        writer.report_of = lambda entry: report_of_entry(entry) if entry == make_entry(1) else None
        done = writer.keep(0, 1).push()
        assert (done.added, done.known, done.reports) == (2, 0, 1)
        assert len(remote.commits(BRANCH)) == 1
        report = decode(QUALITY, remote.read(BRANCH, quality_place(make_entry(1))), "")
        assert report == report_of_entry(make_entry(1)).without_lists()
        assert report.listing == report_of_entry(make_entry(1)).listing
        assert (report.review, report.shared_identifiers, report.split_firms) == ((), (), ())

    def test_what_is_there_stays_and_is_pushed_once(self, remote, writer):
        writer.report_of = report_of_entry
        writer.keep(0).push()
        again = writer.keep(1).push()
        assert (again.added, again.known, again.reports) == (1, 1, 1)
        assert (writer.push().added, len(remote.commits(BRANCH))) == (0, 2)

    def test_neither_takes_the_other_for_damage(self, remote, writer, tmp_path):
        writer.report_of = report_of_entry
        writer.keep(0, 1).push()
        reader = Writer(remote, tmp_path / "reader")
        done = reader.pull()
        assert (done.added, done.known, done.skipped) == (2, 0, ())
        assert reader.names() == names(0, 1)
        tip = reader.branch.tip()
        entries, skipped = entries_at(tip, None, 10)
        assert (sorted(entries), skipped) == (names(0, 1), ())
        reports, skipped = reports_at(tip, "enrichment", 10)
        assert [each.made_at for each in reports.values()] == [make_entry(n).started_at for n in (0, 1)]
        assert skipped == ()
        assert reports_at(tip, "other", 10) == ({}, ())

    def test_the_newest_are_read_whatever_their_gate_is_called(self, writer):
        for number, gate in enumerate(("zebra", "alpha", "zebra", "alpha")):
            keep_entry(writer.folder, make_entry(number, gate=gate))
        writer.report_of = report_of_entry
        writer.push()
        tip = writer.branch.tip()
        assert [entry.gate for entry in entries_at(tip, None, 3)[0].values()] == ["alpha", "zebra", "alpha"]
        assert [report.gate for report in reports_at(tip, None, 1)[0].values()] == ["alpha"]

    def test_a_damaged_report_is_named(self, writer):
        writer.report_of = report_of_entry
        writer.keep(0).push()
        writer.put("enrichment/2026-02/enrichment-20260201T000000Z-x-y.quality.json", b"{damaged")
        reports, (skipped,) = reports_at(writer.branch.tip(), None, 10)
        assert len(reports) == 1
        assert skipped.file_name.endswith(".quality.json")
