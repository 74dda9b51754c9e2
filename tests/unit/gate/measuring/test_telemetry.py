import json

import pytest

from sbir_gate.errors import EnricherError
from sbir_gate.gate.measuring.telemetry import LIMIT_BYTES, Telemetry, read_telemetry
from sbir_gate.monitor import PerformanceMonitor


@pytest.fixture
def told(tmp_path):
    def read(content):
        path = tmp_path / "metrics.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_telemetry(path)

    return read


def test_no_file_tells_nothing(tmp_path):
    assert read_telemetry(tmp_path / "absent") == Telemetry()


def test_what_a_monitor_exports_is_read_back(told):
    monitor = PerformanceMonitor()
    with monitor.monitor_block("score"):
        monitor.count("pairs", 3)
    telemetry = told(monitor.export())
    assert telemetry.stage_samples() == monitor.stages()
    assert telemetry.counters == {"pairs": 3}
    assert telemetry.highest_mib() >= (telemetry.start_rss_mib or 0.0)


def test_unknown_keys_are_passed_over(told):
    assert told({"counters": {"pairs": 1}, "flavour": "salt"}).counters == {"pairs": 1}


def test_a_byte_order_mark_and_whole_numbers_with_a_point_are_read(told):
    assert told('\ufeff{"counters": {"pages": 1200.0}}').counters == {"pages": 1200}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Invalid JSON"),
        ("[1]", "must hold keys"),
        ('{"counters": {"pairs": 1}', "Invalid JSON"),
        ({"counters": {"pairs": -1}}, "counters.pairs"),
        ({"counters": {"pairs": 1.5}}, "counters.pairs"),
        ({"counters": {"pairs": True}}, "counters.pairs"),
        ({"counters": {"pairs": "1_0"}}, "counters.pairs"),
        ({"peak_rss_mib": "1_0"}, "peak_rss_mib"),
        ({"peak_rss_mib": True}, "peak_rss_mib"),
        ({"stages": [{"name": "a", "wall_seconds": "1_0.5"}]}, "wall_seconds"),
        ({"counters": {"pairs": 2**60}}, "counters.pairs"),
        ({"counters": {"<script>": 1}}, "a name has"),
        ({"counters": {f"c{i}": 1 for i in range(201)}}, "counters"),
        ('{"stages": [{"name": "a", "wall_seconds": NaN}]}', "wall_seconds"),
        ('{"stages": [{"name": "a", "wall_seconds": 1e999}]}', "wall_seconds"),
        ({"stages": [{"name": "a"}]}, "wall_seconds"),
        ({"stages": [{"name": "a", "wall_seconds": 1}] * 2}, "reported twice"),
        ({"notes": {"a": "x" * 501}}, "notes.a"),
        (" " * (LIMIT_BYTES + 1), "larger than"),
        ("[" * 100_000, "recursion limit"),
    ],
)
def test_a_fault_is_named(told, content, message):
    with pytest.raises(EnricherError) as caught:
        told(content)
    assert message in caught.value.message
    assert caught.value.message.startswith("metrics.json")


def test_a_folder_in_its_place_is_an_error_of_the_enricher(tmp_path):
    with pytest.raises(EnricherError, match="cannot be read"):
        read_telemetry(tmp_path)
