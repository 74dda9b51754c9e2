import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import OutputError
from sbir_gate.pipeline.new_gate import file_plan
from sbir_gate.pipeline.new_gate.file_plan import Fate, NewFile, plan_files, with_ignored, write_planned

FILES = [
    NewFile("sbir-gate.yaml", b"new"),
    NewFile("fixtures/awards.csv", b"a", "fixture"),
    NewFile("fixtures/truth.csv", b"t", "fixture"),
    NewFile(".gitignore", b"reports/\n"),
]


def fates(existing, *, may_replace=False):
    return [planned.fate for planned in plan_files(FILES, existing, may_replace=may_replace)]


def test_where_there_is_nothing_all_is_created():
    assert fates({}) == [Fate.CREATED] * 4


def test_a_file_that_differs_is_kept():
    found = plan_files(FILES, {"sbir-gate.yaml": b"old"}, may_replace=False)
    assert [each.fate for each in found] == [Fate.KEPT, Fate.CREATED, Fate.CREATED, Fate.CREATED]
    assert not found[0].has_changes


def test_of_a_fixture_all_files_are_written_or_none():
    assert fates({"fixtures/truth.csv": b"labels"})[1:3] == [Fate.KEPT, Fate.KEPT]
    assert fates({"fixtures/truth.csv": b"labels", "fixtures/awards.csv": b"a"})[1:3] == [
        Fate.UNCHANGED,
        Fate.KEPT,
    ]


def test_with_force_all_is_replaced():
    existing = {"sbir-gate.yaml": b"old", "fixtures/truth.csv": b"labels"}
    assert fates(existing, may_replace=True)[:3] == [Fate.REPLACED, Fate.CREATED, Fate.REPLACED]


def test_what_is_the_same_is_left():
    existing = {file.path: file.content for file in FILES}
    assert fates(existing) == fates(existing, may_replace=True) == [Fate.UNCHANGED] * 4


def test_ignored_folders_are_added_once():
    assert with_ignored("", ["reports/"]) == "# sbir-gate\nreports/\n"
    assert with_ignored("data/", ["reports/", "data/"]) == "data/\n\n# sbir-gate\nreports/\n"
    assert with_ignored("/reports\n", ["reports/"]) == "/reports\n"


@given(st.text(alphabet="ab/\n#", max_size=30), st.lists(st.sampled_from(["a/", "b/", "a/b/"]), max_size=3))
def test_a_second_time_adds_nothing_and_no_line_is_lost(text, folders):
    once = with_ignored(text, folders)
    assert with_ignored(once, folders) == once
    assert once.startswith(text)


def written(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_where_one_file_cannot_be_written_none_is(tmp_path):
    (tmp_path / "sbir-gate.yaml").write_bytes(b"old")
    (tmp_path / ".github").symlink_to("nowhere")
    files = [*FILES, NewFile(".github/workflows/gate.yml", b"workflow")]
    planned = plan_files(files, {"sbir-gate.yaml": b"old"}, may_replace=True)
    with pytest.raises(OutputError, match=r"\.github: is a link to nothing, so gate\.yml cannot be written"):
        write_planned(planned, tmp_path)
    assert written(tmp_path) == {"sbir-gate.yaml": b"old"}
    assert not (tmp_path / "fixtures").exists()
    (tmp_path / ".github").unlink()
    write_planned(planned, tmp_path)
    assert written(tmp_path) == {file.path: file.content for file in files}


def test_an_interruption_leaves_no_half_of_the_files(tmp_path, monkeypatch):
    write = file_plan.write_whole

    def interrupted(path, content, may_replace):
        write(path, content, may_replace)
        if path.name == "truth.csv":
            raise KeyboardInterrupt

    monkeypatch.setattr(file_plan, "write_whole", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_planned(plan_files(FILES, {}, may_replace=False), tmp_path)
    assert list(tmp_path.iterdir()) == []
