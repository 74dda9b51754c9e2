import json
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbir_gate.documents import load_entry, write_run
from sbir_gate.errors import InputError
from sbir_gate.gate.storing.history import INDEX_NAME, entry_name, keep_entry, open_history
from sbir_gate.model.document import FORMAT_VERSION
from sbir_gate.model.history import HistoryQuery
from sbir_gate.model.run import Metric
from sbir_gate.model.statistics import metric_interval
from sbir_gate.model.verdict import Outcome
from tests.factories import EXACT, NOISY, make_run
from tests.factories_history import START, commit_id, make_entry, slower_entry

ALL = HistoryQuery()


class CountingLoad:
    """Reads entries as the history does, and counts how many."""

    def __init__(self):
        self.count = 0

    def __call__(self, path):
        self.count += 1
        return load_entry(path)


def ask(folder, question, load=load_entry):
    with open_history(folder, load) as history:
        return question(history)


def rows(folder, query=ALL, load=load_entry):
    return ask(folder, lambda history: history.rows(query), load)


def commits(folder, query=ALL):
    return [row.commit for row in rows(folder, query)]


@pytest.fixture
def folder(tmp_path):
    """Return a history of five Runs, a day apart, two of them on a branch."""
    for number in range(5):
        branch = "topic" if number in {1, 3} else "main"
        source = replace(make_entry(number).source, branch=branch)
        keep_entry(tmp_path, slower_entry(number, 1 + number, source=source))
    return tmp_path


class TestKeeping:
    def test_an_entry_comes_back_as_it_was(self, tmp_path):
        entry = make_entry(tags=("v1.0",))
        path, is_new = keep_entry(tmp_path, entry)
        assert is_new
        assert load_entry(path) == entry

    def test_the_name_says_gate_time_and_commit(self):
        name = entry_name(make_entry(3))
        assert name.startswith(f"enrichment-20260104T120000Z-{commit_id(3)[:12]}-")
        assert name.endswith(".json")

    def test_the_same_run_is_kept_once_whatever_is_learned_of_it_later(self, tmp_path):
        path, _ = keep_entry(tmp_path, make_entry(tags=("v1.0",)))
        again, is_new = keep_entry(tmp_path, make_entry(outcome=None))
        assert (again, is_new) == (path, False)
        assert load_entry(path).tags == ("v1.0",)

    def test_two_writers_in_one_second_do_not_meet(self, tmp_path):
        first, _ = keep_entry(tmp_path, make_entry())
        second, _ = keep_entry(tmp_path, slower_entry(0, 1.01))
        assert first != second
        assert len(rows(tmp_path)) == 2

    @given(gate=st.text(max_size=80), commit=st.text(max_size=60))
    def test_no_gate_and_no_commit_leads_out_of_the_folder(self, gate, commit):
        source = replace(make_entry().source, commit=commit)
        name = entry_name(make_entry(gate=gate, source=source))
        assert Path(name).name == name
        assert not name.startswith(".")
        assert len(name) < 140

    def test_nothing_but_entries_and_the_index_is_left_in_the_folder(self, folder):
        rows(folder)
        names = {path.name for path in folder.iterdir()}
        assert {name for name in names if not name.endswith(".json")} == {INDEX_NAME}


class TestAsking:
    def test_entries_come_oldest_first(self, folder):
        assert commits(folder) == [commit_id(number) for number in range(5)]

    def test_a_folder_that_is_not_there_has_no_entries_and_is_not_made(self, tmp_path):
        assert rows(tmp_path / "nowhere") == ()
        assert not (tmp_path / "nowhere").exists()

    def test_a_file_in_place_of_the_folder_is_an_error(self, tmp_path):
        (tmp_path / "history").touch()
        with pytest.raises(InputError, match="the history cannot be listed"):
            rows(tmp_path / "history")

    def test_a_row_says_what_the_entry_says(self, tmp_path):
        keep_entry(tmp_path, make_entry(2, Outcome.WARN, tags=("v1.0", "nightly")))
        (row,) = rows(tmp_path)
        assert (row.gate, row.commit, row.branch) == ("enrichment", commit_id(2), "main")
        assert row.started_at == START + timedelta(days=2)
        assert (row.outcome, row.tags, row.is_dirty) == (Outcome.WARN, ("v1.0", "nightly"), False)
        assert row.calibration_seconds == 0.1
        assert ask(tmp_path, lambda history: history.entry(row)) == make_entry(
            2, Outcome.WARN, tags=("v1.0", "nightly")
        )

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (HistoryQuery(branch="topic"), [1, 3]),
            (HistoryQuery(branch="none"), []),
            (HistoryQuery(gate="enrichment"), [0, 1, 2, 3, 4]),
            (HistoryQuery(gate="other"), []),
            (HistoryQuery(since=START + timedelta(days=3)), [3, 4]),
            (HistoryQuery(before=START + timedelta(days=3)), [0, 1, 2]),
            (HistoryQuery(limit=2), [3, 4]),
            (HistoryQuery(limit=1, branch="main"), [4]),
            (HistoryQuery(fixture="f" * 64), [0, 1, 2, 3, 4]),
            (HistoryQuery(fixture="0" * 64), []),
        ],
    )
    def test_a_query_restricts_what_is_found(self, folder, query, found):
        assert commits(folder, query) == [commit_id(number) for number in found]

    def test_a_metric_is_the_median_of_its_repeats(self, folder):
        points = ask(folder, lambda history: history.points("wall_seconds", ALL))
        assert [round(point.value, 6) for point in points] == [round(1.7 * n, 6) for n in range(1, 6)]
        assert {(point.unit, point.kind, point.repeats) for point in points} == {("s", NOISY, 5)}

    def test_a_point_has_the_interval_of_its_repeats_or_of_its_rate(self, tmp_path):
        entry = make_entry()
        metrics = tuple(
            replace(metric, whole=40) if metric.name == "match_rate" else metric for metric in entry.metrics
        )
        keep_entry(tmp_path, replace(entry, metrics=metrics))
        found = {
            metric.name: ask(tmp_path, lambda history, name=metric.name: history.points(name, ALL))[
                0
            ].interval
            for metric in metrics
        }
        assert found == {metric.name: metric_interval(metric) for metric in metrics}
        assert found["wall_seconds"] is not None
        assert found["match_rate"] is not None

    def test_a_row_has_the_pull_request(self, tmp_path):
        entry = make_entry()
        keep_entry(tmp_path, replace(entry, source=replace(entry.source, pull_request=12)))
        assert rows(tmp_path)[0].pull_request == 12

    def test_a_metric_that_nobody_measured_has_no_points(self, folder):
        assert ask(folder, lambda history: history.points("nothing", ALL)) == ()

    def test_the_names_of_the_metrics_are_known(self, folder):
        names = ask(folder, lambda history: history.metrics(ALL))
        assert {"wall_seconds", "match_rate"} <= set(names)
        assert ask(folder, lambda history: history.metrics(HistoryQuery(gate="other"))) == ()

    def test_a_metric_that_is_there_twice_or_without_a_value_is_left_out(self, tmp_path):
        twice = Metric("match_rate", "ratio", EXACT, (0.7,))
        empty = Metric("empty", "s", NOISY, ())
        keep_entry(tmp_path, make_entry(metrics=(*make_run().metrics, twice, empty)))
        names = ask(tmp_path, lambda history: history.metrics(ALL))
        assert "wall_seconds" in names
        assert not {"match_rate", "empty"} & set(names)


class TestIndex:
    def test_only_new_files_are_read(self, folder):
        load = CountingLoad()
        assert len(rows(folder, load=load)) == 5
        assert load.count == 5
        assert len(rows(folder, load=load)) == 5
        assert load.count == 5
        keep_entry(folder, make_entry(9))
        assert len(rows(folder, load=load)) == 6
        assert load.count == 6

    def test_an_entry_that_is_gone_is_forgotten(self, folder):
        rows(folder)
        next(folder.glob(f"*{commit_id(2)[:12]}*")).unlink()
        assert commits(folder) == [commit_id(number) for number in (0, 1, 3, 4)]
        load = CountingLoad()
        assert len(ask(folder, lambda history: history.points("wall_seconds", ALL), load)) == 4
        assert load.count == 0  # nor are the others read again

    def test_a_file_that_changed_is_read_again(self, folder):
        rows(folder)
        path = next(folder.glob(f"*{commit_id(2)[:12]}*"))
        path.write_text(path.read_text().replace('"branch":"main"', '"branch":"moved"'))
        load = CountingLoad()
        assert len(rows(folder, HistoryQuery(branch="moved"), load)) == load.count == 1
        assert commits(folder, HistoryQuery(branch="moved")) == [commit_id(2)]

    @pytest.mark.parametrize(
        "content", [b"", b"not a database at all" * 99, b"SQLite format 3\x00" + b"\xff" * 4096]
    )
    def test_a_damaged_index_is_made_again(self, folder, content):
        (folder / INDEX_NAME).write_bytes(content)
        assert len(commits(folder)) == 5
        load = CountingLoad()
        rows(folder, load=load)
        assert load.count == 0

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
    def test_an_index_that_is_damaged_within_is_made_again(self, folder, share):
        for number in range(5, 60):
            keep_entry(folder, make_entry(number))
        rows(folder)
        path = folder / INDEX_NAME
        content = path.read_bytes()
        whole = int(len(content) * share)
        path.write_bytes(content[:whole] + b"\xff" * (len(content) - whole))
        assert len(rows(folder)) == 60
        assert len(ask(folder, lambda history: history.points("wall_seconds", ALL))) == 60

    def test_an_index_of_another_layout_is_made_again(self, folder):
        rows(folder)
        with sqlite3.connect(folder / INDEX_NAME) as connection:
            connection.execute("PRAGMA user_version = 999")
        connection.close()
        load = CountingLoad()
        assert len(rows(folder, load=load)) == 5
        assert load.count == 5

    def test_where_the_index_cannot_be_written_all_entries_are_read(self, folder):
        (folder / INDEX_NAME).mkdir()
        load = CountingLoad()
        for _ in range(2):
            assert len(rows(folder, load=load)) == 5
        assert load.count == 10

    def test_questions_asked_at_once_are_all_answered(self, folder):
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda _number: len(rows(folder)), range(12)))
        assert counts == [5] * 12

    @pytest.mark.slow
    def test_five_thousand_runs_are_answered_without_opening_one(self, tmp_path):
        entry = make_entry()
        text = keep_entry(tmp_path, entry)[0].read_text()
        for number in range(1, 5000):
            started_at = (START + timedelta(hours=number)).isoformat()
            path = tmp_path / f"enrichment-{number:05}.json"
            path.write_text(text.replace("2026-01-01T12:00:00Z", started_at))
        load = CountingLoad()
        assert len(rows(tmp_path, load=load)) == 5000
        assert load.count == 5000
        assert (tmp_path / INDEX_NAME).stat().st_size < 5000 * 2500
        for query in (HistoryQuery(limit=20), HistoryQuery(since=START + timedelta(hours=4900))):
            assert 0 < len(rows(tmp_path, query, load)) <= 100
        assert len(ask(tmp_path, lambda history: history.points("wall_seconds", ALL), load)) == 5000
        assert load.count == 5000


DAMAGES = {
    "empty": "",
    "cut": '{"format_version": 2, "kind": "history", "history": {"gate": "enr',
    "other": '{"format_version": 2, "kind": "verdict", "verdict": {}}',
    "newer": json.dumps({"format_version": FORMAT_VERSION + 1, "kind": "history", "history": {}}),
    "list": "[]",
    "binary": "\x00\x01",
}


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_file_that_is_no_entry_is_named_and_skipped(self, folder, damage):
        (folder / f"{damage}.json").write_text(DAMAGES[damage])
        for _ in range(2):  # the second time it is the index that remembers
            with open_history(folder) as history:
                assert len(history.rows(ALL)) == 5
                (skipped,) = history.skipped
            assert skipped.file_name == f"{damage}.json"
            assert skipped.reason
            assert str(folder) not in skipped.reason

    def test_a_whole_run_among_the_entries_is_named_and_skipped(self, folder):
        write_run(folder / "run.json", make_run())
        with open_history(folder) as history:
            assert [file.file_name for file in history.skipped] == ["run.json"]
            assert "kind 'run'" in history.skipped[0].reason

    def test_an_entry_whose_start_is_no_time_is_skipped(self, folder):
        path = next(folder.glob(f"*{commit_id(2)[:12]}*"))
        path.write_text(path.read_text().replace("2026-01-03T12:00:00Z", "then"))
        with open_history(folder) as history:
            assert len(history.rows(ALL)) == 4
            assert "started_at: must be a date and time" in history.skipped[0].reason

    def test_a_folder_named_like_an_entry_and_a_dangling_link_are_skipped_and_named(self, folder):
        (folder / "folder.json").mkdir()
        (folder / "link.json").symlink_to("nowhere")
        with open_history(folder) as history:
            assert len(history.rows(ALL)) == 5
            assert [file.file_name for file in history.skipped] == ["folder.json", "link.json"]

    def test_a_file_that_was_mended_is_an_entry_again(self, folder):
        path = next(folder.glob(f"*{commit_id(2)[:12]}*"))
        whole = path.read_text()
        path.write_text(whole[:100])
        assert len(commits(folder)) == 4
        path.write_text(whole)
        assert len(commits(folder)) == 5

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_no_damage_to_an_entry_stops_the_others(self, tmp_path_factory, seed):
        folder = tmp_path_factory.mktemp("history")
        keep_entry(folder, make_entry(1))
        path, _ = keep_entry(folder, make_entry(2))
        chance = random.Random(seed)
        content = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 20)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randint(0, len(content))])
        with open_history(folder) as history:
            assert len(history.rows(ALL)) + len(history.skipped) == 2
            assert commit_id(1) in [row.commit for row in history.rows(ALL)]
