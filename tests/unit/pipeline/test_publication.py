import os

import pytest

from sbir_gate.errors import OutputError
from sbir_gate.pipeline.asset_files import AssetFiles, EnrichedFiles, published_places, switch


def place(folder, name, text):
    (folder / name).mkdir()
    (folder / name / "table").write_text(text)
    return folder / name


def test_all_names_are_switched_by_one_link(tmp_path):
    old, new = place(tmp_path, "old", "1"), place(tmp_path, "new", "2")
    switch(tmp_path / "published", old, ("table",))
    inode = (tmp_path / "table").lstat().st_ino
    assert (tmp_path / "table").read_text() == "1"
    switch(tmp_path / "published", new, ("table",))
    assert (tmp_path / "table").read_text() == "2"
    assert (tmp_path / "table").lstat().st_ino == inode
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new", "published", "table"}


def test_a_folder_can_be_moved_with_its_links(tmp_path):
    (tmp_path / "here").mkdir()
    switch(tmp_path / "here" / "published", place(tmp_path / "here", "old", "1"), ("table",))
    (tmp_path / "here").rename(tmp_path / "there")
    assert (tmp_path / "there" / "table").read_text() == "1"


def test_a_file_of_that_name_gives_way_and_a_folder_is_an_error(tmp_path):
    old = place(tmp_path, "old", "1")
    (tmp_path / "table").write_text("of an older version")
    switch(tmp_path / "published", old, ("table",))
    assert (tmp_path / "table").read_text() == "1"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder: cannot be written"):
        switch(tmp_path / "folder", old, ())
    with pytest.raises(OutputError, match="folder: cannot be written") as raised:
        switch(tmp_path / "published", old, ("folder",))
    assert "move the folder away" in raised.value.hint


def test_earlier_awards_do_not_replace_later_ones(tmp_path):
    files = AssetFiles(tmp_path)
    earlier, later = (EnrichedFiles(files.enriched / name) for name in ("earlier", "later"))
    for each in (earlier, later):
        each.folder.mkdir(parents=True)
        each.awards.write_text(each.folder.name)
        each.run.write_text("{}")
    assert files.publish(later)
    os.utime(earlier.run, (0, 0))
    assert not files.publish(earlier)
    assert files.published.read_text() == "later"
    assert files.publish(later)
    assert published_places(tmp_path) == (later.folder,)
