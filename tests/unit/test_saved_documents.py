import os
import resource
import threading

import pytest

from sbir_gate.documents import (
    load_run,
    load_verdict,
    save_run,
    save_verdict,
    write_run,
)
from sbir_gate.errors import DocumentError, OutputError
from sbir_gate.files import save_text
from sbir_gate.gate.comparing.gate import judge
from tests.factories import make_policy, make_run, with_facts, with_metric

NAME = "20260131T120000Z.json"


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


class TestSaving:
    def test_a_run_comes_back_as_it_was_saved(self, tmp_path):
        path = save_run(tmp_path, make_run())
        assert path == tmp_path / NAME
        assert load_run(path) == make_run()

    def test_a_verdict_comes_back_as_it_was_saved(self, tmp_path):
        verdict = judge(make_run(), None, make_policy())
        save_verdict(tmp_path / "verdict.json", verdict)
        assert load_verdict(tmp_path / "verdict.json") == verdict

    def test_the_folder_is_made(self, tmp_path):
        assert save_run(tmp_path / "reports" / "benchmarks", make_run()).exists()

    def test_the_name_is_the_start_in_utc(self, tmp_path):
        path = save_run(tmp_path, make_run(started_at="2026-01-31T18:30:00.123+05:30"))
        assert path.name == "20260131T130000Z.json"

    def test_a_start_without_a_zone_is_utc(self, tmp_path):
        assert save_run(tmp_path, make_run(started_at="2026-01-31T12:00:00")).name == NAME

    def test_runs_of_the_same_second_do_not_overwrite_one_another(self, tmp_path):
        paths = [save_run(tmp_path, make_run(enricher=f"number {number}")) for number in range(3)]
        assert files_in(tmp_path) == ["20260131T120000Z-2.json", "20260131T120000Z-3.json", NAME]
        assert [load_run(path).enricher for path in paths] == ["number 0", "number 1", "number 2"]

    def test_runs_saved_at_the_same_moment_are_all_kept(self, tmp_path):
        runs = [make_run(enricher=f"number {number}") for number in range(8)]
        threads = [threading.Thread(target=save_run, args=(tmp_path, run)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = {load_run(tmp_path / name).enricher for name in files_in(tmp_path)}
        assert found == {run.enricher for run in runs}

    def test_a_named_file_is_replaced(self, tmp_path):
        path = tmp_path / "run.json"
        write_run(path, make_run(enricher="old"))
        write_run(path, make_run(enricher="new"))
        assert load_run(path).enricher == "new"
        assert files_in(tmp_path) == ["run.json"]


class TestSavingThatFails:
    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_a_run_with_a_value_that_is_no_number_leaves_nothing_behind(self, tmp_path, value):
        with pytest.raises(OutputError, match="cannot be saved as JSON"):
            save_run(tmp_path, with_metric(make_run(), "wall_seconds", [value]))
        assert files_in(tmp_path) == []

    def test_a_half_written_file_never_takes_the_place_of_a_whole_one(self, tmp_path):
        path = tmp_path / "run.json"
        write_run(path, make_run())
        with pytest.raises(OutputError):
            save_text(path, "\ud800")
        assert load_run(path) == make_run()

    def test_a_file_where_the_folder_should_be_is_named(self, tmp_path):
        (tmp_path / "reports").write_text("")
        with pytest.raises(OutputError, match="reports") as caught:
            save_run(tmp_path / "reports", make_run())
        assert caught.value.hint == "remove or rename it"

    def test_a_folder_where_the_file_should_be_is_named(self, tmp_path):
        (tmp_path / "run.json").mkdir()
        with pytest.raises(OutputError, match=r"run\.json"):
            write_run(tmp_path / "run.json", make_run())
        assert files_in(tmp_path) == ["run.json"]

    def test_a_disk_without_room_leaves_the_old_file_whole(self, tmp_path):
        path = tmp_path / "run.json"
        write_run(path, make_run(enricher="old"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # the kernel refuses to write beyond this size, as it does on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(OutputError, match="cannot be written") as caught:
                write_run(path, make_run(enricher="new"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "has room" in caught.value.hint
        assert load_run(path).enricher == "old"
        assert files_in(tmp_path) == ["run.json"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_without_permission_is_named(self, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError, match="Permission denied"):
            save_run(tmp_path, make_run())


class TestLoadingThatFails:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "run.json"

    def fault(self, path, **options):
        with pytest.raises(DocumentError) as caught:
            load_run(path, **options)
        assert str(path) in caught.value.message
        assert caught.value.hint
        assert "\n" not in caught.value.message
        return caught.value.message

    def test_missing(self, path):
        assert "no such file" in self.fault(path)

    @pytest.mark.parametrize("content", ["", " \n\t"])
    def test_empty(self, path, content):
        path.write_text(content)
        assert "empty" in self.fault(path)

    def test_a_folder(self, tmp_path):
        assert "not a regular file" in self.fault(tmp_path)

    def test_a_pipe_does_not_block(self, path):
        os.mkfifo(path)
        assert "not a regular file" in self.fault(path)

    def test_a_dangling_link(self, path):
        path.symlink_to("nowhere")
        assert "no such file" in self.fault(path)

    def test_a_link_to_itself(self, path):
        path.symlink_to(path)
        assert "cannot be read" in self.fault(path)

    def test_a_path_through_a_file(self, path):
        path.write_text("")
        assert "cannot be read" in self.fault(path / "run.json")

    def test_a_path_that_no_system_allows(self, tmp_path):
        with pytest.raises(DocumentError, match="cannot be read"):
            load_run(tmp_path / "a\0b")
        with pytest.raises(DocumentError, match="cannot be read"):
            load_run(tmp_path / ("x" * 5000))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
    def test_no_permission(self, path):
        write_run(path, make_run())
        path.chmod(0)
        assert "Permission denied" in self.fault(path)

    def test_not_utf_8(self, path):
        path.write_bytes(b'{"format_version": "\xff"}')
        assert "not UTF-8 at byte 20" in self.fault(path)

    def test_compressed(self, path):
        path.write_bytes(b"\x1f\x8b\x08\x00\x00")
        assert "not UTF-8" in self.fault(path)

    def test_too_large_is_refused_before_it_is_parsed(self, path):
        write_run(path, make_run())
        assert "larger than 100 bytes" in self.fault(path, max_bytes=100)
        assert load_run(path, max_bytes=path.stat().st_size) == make_run()

    @pytest.mark.parametrize("kept", [1, 100, -2])
    def test_cut_short(self, path, kept):
        write_run(path, make_run())
        path.write_bytes(path.read_bytes()[:kept])
        assert "not JSON" in self.fault(path)

    @pytest.mark.parametrize("opening", ["[", '{"a":'])
    def test_nested_without_end(self, path, opening):
        path.write_text(opening * 200_000)
        assert "not JSON" in self.fault(path)

    def test_a_number_of_thousands_of_digits(self, path):
        write_run(path, make_run())
        path.write_text(path.read_text().replace('"awards":40', '"awards":' + "1" * 5000))
        assert "not JSON" in self.fault(path)

    def test_a_verdict_is_no_run(self, path):
        save_verdict(path, judge(make_run(), None, make_policy()))
        assert "kind 'verdict', not 'run'" in self.fault(path)

    def test_a_run_is_no_verdict(self, path):
        write_run(path, make_run())
        with pytest.raises(DocumentError, match="kind 'run', not 'verdict'"):
            load_verdict(path)


def test_names_of_any_language_survive(tmp_path):
    run = make_run()
    run = with_facts(run, firm_name="STJØRDAL Ünïcode 株式会社 💥")
    assert load_run(save_run(tmp_path, run)) == run
