import pytest

from sbir_gate.errors import DocumentError
from sbir_gate.storing.documents import save_run
from sbir_gate.storing.sessions import load_base_of
from tests.factories import make_run


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "benchmarks"


def saved(folder, session, **changes):
    run = make_run(session=session, **changes)
    return save_run(folder, run), run


def test_head_finds_its_base_and_the_base_finds_nobody(folder):
    base_path, base = saved(folder, "s", enricher="base")
    head_path, head = saved(folder, "s", enricher="head")
    assert load_base_of(head_path, head) == base
    assert load_base_of(base_path, base) is None


def test_of_several_sessions_within_one_second_each_finds_its_own(folder):
    runs = [
        saved(folder, session, enricher=session + side) for session in "abc" for side in ("-base", "-head")
    ]
    for number in (1, 3, 5):
        assert load_base_of(*runs[number]) == runs[number - 1][1]


def test_there_may_be_more_than_nine_of_one_second(folder):
    runs = [saved(folder, str(number // 2), enricher=str(number)) for number in range(24)]
    assert load_base_of(*runs[23]) == runs[22][1]
    assert load_base_of(*runs[3]) == runs[2][1]


def test_a_run_that_was_measured_alone_has_no_base(folder):
    saved(folder, "")
    assert load_base_of(*saved(folder, "")) is None


def test_a_base_that_is_gone_is_no_other_run(folder):
    base_path, _ = saved(folder, "s")
    saved(folder, "t")
    head_path, head = saved(folder, "s")
    base_path.unlink()
    assert load_base_of(head_path, head) is None


def test_a_file_of_another_name_has_no_neighbours(folder, tmp_path):
    saved(folder, "s")
    _, head = saved(folder, "s")
    (folder / "20260131T120000Z-notes.json").write_text("{")
    assert load_base_of(tmp_path / "head.json", head) is None


def test_a_damaged_base_is_an_error_and_not_nobody(folder):
    base_path, _ = saved(folder, "s")
    head_path, head = saved(folder, "s")
    base_path.write_text("{")
    with pytest.raises(DocumentError):
        load_base_of(head_path, head)
