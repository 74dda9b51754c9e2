import sys
import threading
from pathlib import Path

import pytest

from sbir_gate.probes import (
    KernelProbe,
    PeakLedger,
    SamplingProbe,
    Sizes,
    choose_probe,
    cpu_seconds,
    process_peaks,
    psutil_sampler,
)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's peak counter is Linux's")
SPIKE_MIB = 120


class FakeProbe:
    """A process whose sizes the test sets; `grow` is a spike, `now_mib` stays."""

    description = "fake"

    def __init__(self, now_mib=100.0):
        self.now_mib = now_mib
        self.peak_mib = now_mib

    def spike(self, peak_mib):
        self.peak_mib = max(self.peak_mib, peak_mib)

    def take(self):
        taken, self.peak_mib = max(self.peak_mib, self.now_mib), self.now_mib
        return Sizes(taken, self.now_mib)


def spike():
    block = bytearray(SPIKE_MIB * 2**20)
    block[::4096] = b"x" * len(block[::4096])


@on_linux
def test_a_spike_that_is_gone_again_is_seen_in_full():
    probe = KernelProbe()
    before_mib = probe.take().now_mib
    spike()
    peak_mib, now_mib = probe.take()
    assert now_mib < before_mib + SPIKE_MIB / 2
    assert peak_mib >= before_mib + SPIKE_MIB * 0.95


@on_linux
def test_taking_the_peak_starts_anew():
    probe = KernelProbe()
    spike()
    probe.take()
    peak_mib, now_mib = probe.take()
    assert peak_mib < now_mib + SPIKE_MIB / 2


def test_an_inner_block_does_not_wipe_out_the_peak_of_the_outer_one():
    probe = FakeProbe()
    ledger = PeakLedger(probe)
    outer = ledger.open()
    probe.spike(900.0)
    inner = ledger.open()
    probe.spike(300.0)
    ledger.close(inner)
    ledger.close(outer)
    assert (inner.peak_mib, outer.peak_mib) == (300.0, 900.0)


def test_a_peak_inside_an_inner_block_belongs_to_the_outer_one_too():
    probe = FakeProbe()
    ledger = PeakLedger(probe)
    outer = ledger.open()
    inner = ledger.open()
    probe.spike(700.0)
    ledger.close(inner)
    ledger.close(outer)
    assert (inner.peak_mib, outer.peak_mib) == (700.0, 700.0)


def test_a_peak_before_a_block_is_not_its_own():
    probe = FakeProbe()
    ledger = PeakLedger(probe)
    probe.spike(700.0)
    mark = ledger.open()
    ledger.close(mark)
    assert mark.peak_mib == 100.0


def test_blocks_that_overlap_without_nesting_each_see_their_own_time():
    probe = FakeProbe()
    ledger = PeakLedger(probe)
    first = ledger.open()
    second = ledger.open()
    ledger.close(first)
    probe.spike(500.0)
    ledger.close(second)
    assert (first.peak_mib, second.peak_mib) == (100.0, 500.0)


def test_a_dropped_block_is_forgotten():
    ledger = PeakLedger(FakeProbe())
    ledger.open()
    assert len(ledger._open) == 0


def test_without_a_probe_the_ledger_says_so_and_gives_nothing():
    ledger = PeakLedger(None)
    assert not ledger.is_memory_measured
    assert ledger.open() is None
    assert ledger.close(None) is None
    assert "psutil is not installed" in ledger.description


@on_linux
def test_the_kernel_probe_is_chosen_on_linux():
    assert isinstance(choose_probe(), KernelProbe)
    assert process_peaks() is process_peaks()


def test_without_proc_memory_is_sampled(tmp_path):
    probe = choose_probe(tmp_path, psutil_sampler())
    assert isinstance(probe, SamplingProbe)
    assert probe.take().now_mib > 1
    probe.stop()


def test_a_status_file_without_sizes_is_not_trusted(tmp_path):
    (tmp_path / "status").write_text("Name:\tpython\n")
    (tmp_path / "clear_refs").write_text("")
    with pytest.raises(OSError, match="does not show"):
        KernelProbe(tmp_path)


def test_a_reset_that_is_refused_is_not_taken_for_one(tmp_path: Path):
    (tmp_path / "status").write_text("VmHWM:\t 2048 kB\nVmRSS:\t 1024 kB\n")
    with pytest.raises(FileNotFoundError):
        KernelProbe(tmp_path / "absent")
    (tmp_path / "clear_refs").mkdir()
    with pytest.raises(IsADirectoryError):
        KernelProbe(tmp_path)


def test_the_sampler_keeps_the_largest_size_that_it_has_seen():
    sizes = iter([10.0, 50.0, 20.0])
    seen = threading.Event()

    def read_mib():
        size = next(sizes, None)
        if size is None:
            seen.set()
            return 20.0
        return size

    probe = SamplingProbe(read_mib, interval_seconds=0.001)
    assert seen.wait(60)
    assert probe.take() == (50.0, 20.0)
    assert probe.take() == (20.0, 20.0)
    probe.stop()


def test_processor_time_counts_work():
    before = cpu_seconds()
    sum(i * i for i in range(200_000))
    assert cpu_seconds() > before
