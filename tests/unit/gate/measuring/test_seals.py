import os

import pytest

from sbir_gate.errors import EnricherError, InputError
from sbir_gate.gate.measuring.interleaving import Side
from sbir_gate.gate.measuring.seals import Seals, files_in


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "awards.csv").write_text("A1\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.csv").write_text("R1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def checkout(tmp_path):
    made = tmp_path / "base"
    (made / "src").mkdir(parents=True)
    (made / "src" / "enrich.py").write_text("pass\n")
    (made / "src" / "link").symlink_to("enrich.py")
    return made


def inputs(folder):
    return lambda: [folder / "awards.csv", *sorted((folder / "parts").glob("*.csv"))]


def same_times(path, content):
    """Write content of the same length and set back the times that can be set."""
    before = path.stat()
    path.write_text(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda folder: (folder / "awards.csv").write_text(""), "awards.csv"),
        (lambda folder: (folder / "parts" / "1.csv").unlink(), "parts/1.csv"),
        (lambda folder: same_times(folder / "awards.csv", "A2\n"), "awards.csv"),
        (lambda folder: (folder / "parts").rename(folder / "elsewhere"), "parts/1.csv"),
        (lambda folder: ((folder / "awards.csv").unlink(), os.mkfifo(folder / "awards.csv")), "awards.csv"),
    ],
)
@pytest.mark.parametrize("side", Side)
def test_a_changed_input_is_named_after_the_run_that_changed_it(folder, change, name, side):
    seals = Seals(inputs(folder))
    seals.check(side)
    change(folder)
    with pytest.raises(EnricherError) as caught:
        seals.check(side)
    assert caught.value.message == f"{name}: changed by the enricher"
    with pytest.raises(EnricherError, match=rf"{name}: changed while it was measured"):
        seals.check_at_the_end()


def test_a_file_that_was_only_touched_or_written_again_is_as_it_was(folder):
    seals = Seals(inputs(folder))
    (folder / "awards.csv").touch()
    (folder / "parts" / "1.csv").write_text("R1\n")
    seals.check(Side.HEAD)
    seals.check_at_the_end()


def test_a_new_file_in_a_folder_of_inputs_is_found_at_the_end(folder):
    seals = Seals(inputs(folder))
    (folder / "parts" / "2.csv").write_text("R2\n")
    with pytest.raises(EnricherError, match=r"parts/2.csv: changed"):
        seals.check_at_the_end()


def test_inputs_that_cannot_be_found_any_more_are_told_as_changed(folder):
    def find():
        if not (folder / "awards.csv").exists():
            raise InputError("awards.csv: no such file")
        return [folder / "awards.csv"]

    seals = Seals(find)
    (folder / "awards.csv").unlink()
    with pytest.raises(EnricherError, match=r"awards.csv: changed"):
        seals.check_at_the_end()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda base: (base / "sitecustomize.py").write_text("import time"), "sitecustomize.py"),
        (lambda base: (base / "src" / "__pycache__").mkdir(), "src/__pycache__"),
        (lambda base: (base / "src" / "enrich.py").write_text("fail\n"), "src/enrich.py"),
        (lambda base: (base / "src" / "enrich.py").unlink(), "src/enrich.py"),
        (
            lambda base: ((base / "src" / "link").unlink(), (base / "src" / "link").symlink_to("x")),
            "src/link",
        ),
        (lambda base: (base / "left.txt").write_text("other"), "left.txt"),
    ],
)
def test_head_may_change_nothing_in_the_base_s_checkout(folder, checkout, change, name):
    of_commit = files_in(checkout)
    seals = Seals(lambda: (*inputs(folder)(), *of_commit), checkout)
    (checkout / "left.txt").write_text("what the base leaves behind is its own")
    seals.check(Side.BASE)
    seals.check(Side.HEAD)
    change(checkout)
    with pytest.raises(EnricherError, match=rf"in the base's checkout: {name}: changed by the enricher"):
        seals.check(Side.HEAD)


def test_the_base_may_leave_files_of_its_own_but_not_change_those_of_its_commit(checkout):
    of_commit = files_in(checkout)
    seals = Seals(lambda: of_commit, checkout)
    (checkout / "cache.json").write_text("{}")
    (checkout / "src" / "enrich.py").write_text("pass\n")
    seals.check(Side.BASE)
    (checkout / "src" / "enrich.py").write_text("pass  # again\n")
    with pytest.raises(EnricherError, match=r"in the base.s checkout: src/enrich.py: changed"):
        seals.check(Side.BASE)


def test_a_long_list_is_cut(folder):
    for number in range(5):
        (folder / "parts" / f"{number}.csv").write_text("R\n")
    seals = Seals(inputs(folder))
    for path in (folder / "parts").iterdir():
        path.write_text("")
    with pytest.raises(EnricherError, match=r"parts/0.csv: changed by the enricher .and 4 more.$"):
        seals.check(Side.BASE)
