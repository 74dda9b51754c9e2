import os

import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.files import FileKind, resolve_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b.csv", "a.CSV.GZ", "c.tsv", ".hidden.csv", "notes.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "inner.csv").mkdir()
    return tmp_path


def names(source):
    return [file.path.name for file in resolve_files(source)]


def test_a_folder_means_its_visible_data_files_in_order(folder):
    assert names(folder) == ["a.CSV.GZ", "b.csv", "c.tsv"]


def test_a_glob_means_the_files_it_matches_in_order(folder):
    assert names(str(folder / "[bc].*")) == ["b.csv", "c.tsv"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    (tmp_path / "a[1].parquet").write_text("x")
    (resolved,) = resolve_files(tmp_path / "a[1].parquet")
    assert resolved.kind is FileKind.PARQUET


def test_a_symbolic_link_is_followed(folder):
    (folder / "link.csv").symlink_to(folder / "b.csv")
    assert names(folder / "link.csv") == ["link.csv"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.csv", "gone.csv: no such file or folder"),
        ("*.parquet", "no file matches the pattern"),
        ("notes.md", r"notes.md: unknown type of file \(\.md\)"),
        ("empty", "the folder holds no CSV"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_was_looked_for(folder, source, message):
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=message) as caught:
        resolve_files(str(folder / source))
    assert "CSV" in caught.value.hint


@pytest.mark.parametrize("source", [".", "*.csv", "d.csv"])
def test_a_pipe_is_named_wherever_it_lies(folder, source):
    os.mkfifo(folder / "d.csv")
    with pytest.raises(InputError, match=r"d\.csv: .*a pipe"):
        resolve_files(str(folder / source))


@pytest.mark.parametrize("source", [".", "*.csv"])
def test_a_link_to_nothing_is_named(folder, source):
    (folder / "d.csv").symlink_to(folder / "gone.csv")
    with pytest.raises(InputError, match=r"d\.csv: "):
        resolve_files(str(folder / source))


def test_text_and_parquet_are_not_mixed(folder):
    (folder / "d.parquet").write_text("x")
    with pytest.raises(InputError, match=r"both text \(a\.CSV\.GZ\) and Parquet \(d\.parquet\)") as caught:
        resolve_files(folder)
    assert "glob" in caught.value.hint
