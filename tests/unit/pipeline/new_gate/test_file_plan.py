from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.pipeline.new_gate.file_plan import Fate, NewFile, plan_files, with_ignored

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
