from pathlib import Path

import pytest

from tests.performance.peers.evaluation import Query, Questions
from tests.performance.peers.records import COLUMNS, reported_rates, row, table
from tests.performance.peers.ways import WAYS, chosen_ways

RATES = {"precision": 0.98765, "recall": 0.5, "f1": 0.66389}
MEASURED = {"title": "peer", "wall_seconds": 2.0, "cpu_seconds": 3.0, "peak_rss_mib": 100.0}


def test_a_way_that_names_no_limit_of_its_own_has_dashes_there():
    measured = {**MEASURED, "best": RATES, "hidden": 0.125, "own": None, "own_hidden": None}
    assert row(measured) == "| peer | 2.0 | 3.0 | 100 | 0.664 | 0.988 | 0.500 | 12.5% | - | - | - | - |"


def test_a_way_that_failed_is_a_row_with_its_reason():
    lines = table([{"title": "peer", "error": "out of memory"}])
    assert "failed: out of memory" in lines[-1]
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}


def test_what_a_way_accepts_is_judged_on_the_half_that_chose_no_threshold():
    right = frozenset({"R1"})
    queries = {number: Query(True, half, right) for number, half in enumerate((0, 1, 1))}
    questions = Questions(queries, {}, {}, {})
    rates = reported_rates({0: ("R2", 9.0), 1: ("R1", 1.0)}, questions)
    assert (rates.accepted, rates.right, rates.findable) == (1, 1, 2)


def test_a_way_without_its_environment_is_left_out_unless_it_is_asked_for(monkeypatch):
    here = {way.python for way in WAYS if way.name != "nomenklatura"}
    monkeypatch.setattr(Path, "is_file", lambda path: path in here)
    assert "nomenklatura" not in [way.name for way in chosen_ways([])]
    assert "brute" not in [way.name for way in chosen_ways([], is_given=True)]
    with pytest.raises(ValueError, match="nomenklatura: run `make nomenklatura` first"):
        chosen_ways(["ours", "nomenklatura"])
