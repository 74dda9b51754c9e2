import os
import shutil
from pathlib import Path

import pytest

from sbir_gate.errors import InputError, OutputError
from sbir_gate.pipeline.places import Place, drafted, fingerprint_of, remove_old, settle, used


def made(parent, text="rows", name="table.csv"):
    with drafted(parent) as draft:
        (draft / name).write_text(text)
        return settle(draft)


def names(parent):
    return {path.name for path in parent.iterdir()}


def test_a_result_gets_the_place_of_its_content(tmp_path):
    place = made(tmp_path)
    assert place.folder == tmp_path / place.fingerprint[:16]
    assert (place.folder / "table.csv").read_text() == "rows"
    assert made(tmp_path) == place
    assert made(tmp_path, "other rows") != place
    assert made(tmp_path, name="another.csv") != place


def test_what_was_not_settled_leaves_nothing_behind(tmp_path):
    with drafted(tmp_path / "new") as draft:
        (draft / "half").write_text("")
    assert names(tmp_path / "new") == set()


def test_a_place_that_was_changed_makes_way_for_the_same_result(tmp_path):
    place = made(tmp_path)
    (place.folder / "table.csv").write_text("tampered with")
    assert made(tmp_path) == place
    assert fingerprint_of(place.folder) == place.fingerprint


def test_a_place_that_is_used_must_be_there_and_unchanged(tmp_path):
    place = made(tmp_path)
    with used(place, "hint"):
        pass
    (place.folder / "table.csv").write_text("tampered with")
    with pytest.raises(InputError, match="not those that were recorded"), used(place, "hint"):
        pass
    shutil.rmtree(place.folder)
    with pytest.raises(InputError, match="not there any more"), used(place, "hint"):
        pass
    with pytest.raises(InputError, match="not there any more"), used(Place(tmp_path / "no", ""), "hint"):
        pass


def test_the_newest_the_needed_and_those_in_use_are_kept(tmp_path):
    places = [made(tmp_path, str(number)) for number in range(5)]
    for number, place in enumerate(places):
        age(place.folder, number)
    oldest, in_use, _, _, newest = places
    with used(in_use, ""):
        remove_old(tmp_path, 1, {oldest.folder})
    assert names(tmp_path) == {place.folder.name for place in (oldest, in_use, newest)}
    remove_old(tmp_path, 1, ())
    assert names(tmp_path) == {newest.folder.name}
    remove_old(tmp_path / "nowhere", 1, ())


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_not(tmp_path):
    dead = tmp_path / ".draft-dead"
    dead.mkdir()
    (dead / ".lock").touch()
    with drafted(tmp_path) as draft:
        remove_old(tmp_path, 1, ())
        assert names(tmp_path) == {draft.name}


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="places: cannot be written"), drafted(tmp_path / "file" / "places"):
        pass


def age(folder: Path, seconds: int) -> None:
    os.utime(folder, (seconds, seconds))
