import pytest

from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.finding import Severity, recorded
from sbir_gate.orchestration.facts import check_result, performance_facts

MONITOR = {
    "stages": [
        {
            "name": "words",
            "calls": 1,
            "wall_seconds": 0.5,
            "cpu_seconds": 0.4,
            "peak_rss_mib": None,
            "peak_delta_mib": None,
            "end_delta_mib": None,
        }
    ],
    "counters": {"firms": 3},
    "notes": {"parts": "on disk"},
    "start_rss_mib": 100.0,
    "peak_rss_mib": 160.0,
}


def plain(metadata):
    return {name: value.value for name, value in metadata.items()}


def test_what_a_step_cost_is_told_by_numbers_and_what_is_not_known_is_left_out():
    assert plain(performance_facts(MONITOR, 2.0, 1.5, 50)) == {
        "duration_seconds": 2.0,
        "cpu_seconds": 1.5,
        "records": 50.0,
        "records_per_second": 25.0,
        "peak_memory_mib": 160.0,
        "memory_delta_mib": 60.0,
        "stage_seconds/words": 0.5,
        "stage_cpu_seconds/words": 0.4,
        "work/firms": 3.0,
        "note/parts": "on disk",
    }


def test_where_there_are_no_records_or_no_memory_there_is_no_rate_and_no_size():
    bare = {**MONITOR, "stages": [], "start_rss_mib": None, "peak_rss_mib": None}
    found = performance_facts(bare, 2.0, 1.5, None)
    assert not {"records", "records_per_second", "peak_memory_mib", "memory_delta_mib"} & found.keys()


@pytest.mark.parametrize(
    ("severity", "is_blocking", "passed", "grade"),
    [
        (Severity.OK, True, True, "ERROR"),
        (Severity.INFO, False, True, "WARN"),
        (Severity.WARN, True, False, "WARN"),
        (Severity.INCONCLUSIVE, True, True, "ERROR"),
        (Severity.FAIL, True, False, "ERROR"),
        (Severity.FAIL, False, False, "WARN"),
    ],
)
def test_only_a_blocking_check_that_fails_is_an_error(severity, is_blocking, passed, grade):
    finding = CheckFinding("gate", severity, (recorded("because", severity),))
    result = check_result(finding, is_blocking=is_blocking)
    assert (result.passed, result.severity.value, result.description) == (passed, grade, "because")


def test_text_from_data_is_never_markdown():
    finding = CheckFinding("gate", Severity.FAIL, examples=("A1 [x](https://evil.example)",))
    result = check_result(finding)
    assert type(result.metadata["examples"]).__name__ == "JsonMetadataValue"
    assert result.metadata["examples"].value == ["A1 [x](https://evil.example)"]
