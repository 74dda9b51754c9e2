import json
import sys
import threading

import pytest

from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.probes import PeakLedger, Sizes


class FakeProbe:
    description = "fake"

    def __init__(self):
        self.now_mib = self.peak_mib = 100.0

    def take(self):
        taken, self.peak_mib = max(self.peak_mib, self.now_mib), self.now_mib
        return Sizes(taken, self.now_mib)


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def probe():
    return FakeProbe()


@pytest.fixture
def monitor(probe, clock):
    return PerformanceMonitor(PeakLedger(probe), clock)


def test_blocks_of_one_name_are_summed_in_time_and_their_largest_peak_is_kept(monitor, probe, clock):
    for seconds, peak_mib in ((2.0, 300.0), (3.0, 200.0)):
        with monitor.monitor_block("score"):
            clock.now += seconds
            probe.peak_mib = peak_mib
    (stage,) = monitor.stages()
    assert (stage.name, stage.wall_seconds, stage.peak_rss_mib) == ("score", 5.0, 300.0)
    (figures,) = monitor.figures()
    assert (figures.calls, figures.peak_delta_mib) == (2, 200.0)


def test_the_end_delta_is_what_stays_and_may_be_negative(monitor, probe):
    with monitor.monitor_block("load"):
        probe.now_mib = 160.0
    with monitor.monitor_block("free"):
        probe.now_mib = 90.0
    assert [figures.end_delta_mib for figures in monitor.figures()] == [60.0, -70.0]


def test_a_timed_block_has_no_sizes(monitor):
    with monitor.time_block("read"):
        pass
    assert monitor.stages()[0].peak_rss_mib is None


def test_a_block_that_raises_is_recorded_and_the_error_goes_on(monitor, clock):
    @monitor.monitor_memory
    def score(seconds):
        clock.now += seconds
        if seconds > 3:
            raise KeyError

    with pytest.raises(KeyError):
        score(4.0)
    assert monitor.stages()[0].wall_seconds == 4.0
    score(1.0)
    assert monitor.stages()[0].wall_seconds == 5.0


def test_a_recursive_function_is_timed_once(monitor, clock):
    @monitor.time_function
    def descend(depth):
        clock.now += 1.0
        return depth if depth == 0 else descend(depth - 1)

    assert descend(3) == 0
    (figures,) = monitor.figures()
    assert (figures.calls, figures.wall_seconds) == (1, 4.0)


def test_decorators_keep_name_arguments_and_result(monitor):
    @monitor.monitor_memory
    def add(left, *, right):
        """Add."""
        return left + right

    assert add(1, right=2) == 3
    assert add.__doc__ == "Add."
    assert monitor.stages()[0].name.endswith("add")
    assert monitor.stages()[0].peak_rss_mib == 100.0


def test_functions_that_return_before_their_work_is_done_are_refused(monitor):
    async def later():
        pass

    def lazily():
        yield 1

    for function in (later, lazily):
        with pytest.raises(TypeError, match="use a block"):
            monitor.time_function(function)


def test_threads_lose_no_count_and_no_call(monitor):
    def work():
        for _ in range(300):
            monitor.count("pairs", 2)
            with monitor.monitor_block("score"):
                pass

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.export()["counters"] == {"pairs": 3600}
    assert monitor.figures()[0].calls == 1800


def test_the_export_is_plain_json_with_all_that_is_known(monitor, probe):
    with monitor.monitor_block("score"):
        probe.peak_mib = 250.0
    probe.peak_mib = 400.0
    monitor.count("pairs")
    monitor.note("model", "v1")
    export = json.loads(json.dumps(monitor.export(), allow_nan=False))
    assert export["stages"][0]["peak_rss_mib"] == 250.0
    assert export["counters"] == {"pairs": 1}
    assert export["notes"] == {"memory": "fake", "model": "v1"}
    assert (export["start_rss_mib"], export["peak_rss_mib"]) == (100.0, 400.0)


def test_without_a_probe_it_times_only_and_says_so(clock):
    monitor = PerformanceMonitor(PeakLedger(None), clock)
    with monitor.monitor_block("score"):
        clock.now += 1.0
    assert not monitor.is_memory_measured
    assert monitor.stages()[0].wall_seconds == 1.0
    assert monitor.stages()[0].peak_rss_mib is None
    assert monitor.export()["peak_rss_mib"] is None
    assert "not measured" in monitor.export()["notes"]["memory"]


@pytest.mark.skipif(sys.platform != "linux", reason="true peaks are Linux's")
def test_two_monitors_of_one_process_do_not_hide_peaks_from_each_other():
    first, second = PerformanceMonitor(), PerformanceMonitor()
    with first.monitor_block("outer"):
        block = bytearray(100 * 2**20)
        block[::4096] = b"x" * len(block[::4096])
        del block
        with second.monitor_block("inner"):
            pass
    assert first.figures()[0].peak_delta_mib > 90
    assert second.figures()[0].peak_delta_mib < 50
