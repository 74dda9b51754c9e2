from dataclasses import replace

import pytest

from sbir_gate.documents import save_run
from sbir_gate.errors import DocumentError, InputError
from sbir_gate.gate.storing.sessions import latest_base_path, latest_measured_run, load_companions
from sbir_gate.model.companions import OnBaseFixture
from sbir_gate.model.run import Timing
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
    assert load_companions(head_path, head).base == base
    assert load_companions(base_path, base).base is None


def test_of_several_sessions_within_one_second_each_finds_its_own(folder):
    runs = [
        saved(folder, session, enricher=session + side) for session in "abc" for side in ("-base", "-head")
    ]
    for number in (1, 3, 5):
        assert load_companions(*runs[number]).base == runs[number - 1][1]


def test_there_may_be_more_than_nine_of_one_second(folder):
    runs = [saved(folder, str(number // 2), enricher=str(number)) for number in range(24)]
    assert load_companions(*runs[23]).base == runs[22][1]
    assert load_companions(*runs[3]).base == runs[2][1]


def test_a_run_that_was_measured_alone_has_no_base(folder):
    saved(folder, "")
    assert load_companions(*saved(folder, "")).base is None


def test_a_base_that_is_gone_is_no_other_run(folder):
    base_path, _ = saved(folder, "s")
    saved(folder, "t")
    head_path, head = saved(folder, "s")
    base_path.unlink()
    assert load_companions(head_path, head).base is None


def test_a_file_of_another_name_has_no_neighbours(folder, tmp_path):
    saved(folder, "s")
    _, head = saved(folder, "s")
    (folder / "20260131T120000Z-notes.json").write_text("{")
    assert load_companions(tmp_path / "head.json", head).base is None


def test_a_damaged_base_is_an_error_and_not_nobody(folder):
    base_path, _ = saved(folder, "s")
    head_path, head = saved(folder, "s")
    base_path.write_text("{")
    with pytest.raises(DocumentError):
        load_companions(head_path, head)


def there(run):
    return replace(run, fixture=replace(run.fixture, commit="b" * 40, fingerprint="b" * 64))


def test_the_runs_on_the_fixture_of_the_base_are_found_beside_both_sides(folder):
    base_there, head_there, base, head = (
        make_run(session="s", enricher=name) for name in ("base there", "head there", "base", "head")
    )
    base_there, head_there = there(base_there), there(head_there)
    *_, path = [save_run(folder, run) for run in (base_there, head_there, base, head)]
    found = load_companions(path, head)
    assert (found.base, found.on_base) == (base, OnBaseFixture(head_there, base_there))
    assert found.runs == (base_there, head_there, base)
    assert found.compared(head) == head


def test_without_a_base_the_baseline_is_compared_with_the_run_on_the_fixture_of_the_base(folder):
    head_there, head = there(make_run(session="s")), make_run(session="s")
    *_, path = [save_run(folder, run) for run in (head_there, head)]
    found = load_companions(path, head)
    assert found.on_base == OnBaseFixture(head_there)
    assert found.compared(head) == head_there


def test_the_newest_run_that_measured_time_is_found_behind_quick_looks(folder):
    saved(folder, "")
    path, run = saved(folder, "", enricher="newer")
    saved(folder, "", timing=Timing.QUICK)
    assert latest_measured_run(folder.parent) == (path, run)


def test_where_none_measured_time_the_newest_is_taken(folder):
    saved(folder, "", timing=Timing.QUICK)
    path, run = saved(folder, "", timing=Timing.QUICK, enricher="newer")
    assert latest_measured_run(folder.parent) == (path, run)


def test_the_base_of_the_newest_run_of_the_gate_is_found(folder):
    saved(folder, "s", enricher="older base")
    saved(folder, "s", enricher="older head")
    base_path, _ = saved(folder, "t", enricher="base")
    saved(folder, "t", enricher="head")
    saved(folder, "", enricher="alone")
    assert latest_base_path(folder.parent, "enrichment") == base_path
    with pytest.raises(InputError, match="no Run of the gate other was measured beside a base"):
        latest_base_path(folder.parent, "other")
