"""The numbers that a measurement can have: what lies outside is damage, or was made up."""

from __future__ import annotations

from collections.abc import Iterator

from sbir_gate.model.finding import finding_fault
from sbir_gate.model.fixture_edits import edits_fault
from sbir_gate.model.moments import is_plausible
from sbir_gate.model.run import Measurement, Quality, Run
from sbir_gate.model.samples import Sample

# every whole number up to here is exact as a float
MOST = 2.0**53
LEAST = 1e-12
_NEVER_NEGATIVE = frozenset({"s", "MiB", "count", "ratio", "1/s"})
# a difference of two sizes
_SIGNED = frozenset({"memory_delta_mib"})


def number_fault(measured: Measurement) -> str:
    """Return the first number that no measurement can have, with its place; empty if there is none."""
    return next(_faults(measured), "")


def run_fault(run: Run) -> str:
    """Return the first number that no measurement can have, or what a finding lacks; empty for neither."""
    return number_fault(run) or finding_fault(run.warnings) or edits_fault(run.fixture_edits)


def is_amount(value: float, *, may_be_negative: bool = False) -> bool:
    """Say whether a value is 0, or of a size that is measured; below 0 only where it may be."""
    return value == 0 or (LEAST <= abs(value) <= MOST and (value > 0 or may_be_negative))


def _faults(measured: Measurement) -> Iterator[str]:
    if not is_plausible(measured.started_at):
        yield f"started_at: {measured.started_at:%Y-%m-%d}: a Run cannot have been measured then"
    for name, timings in (
        ("calibration_seconds", measured.calibration_seconds),
        ("calibration_cpu_seconds", measured.calibration_cpu_seconds),
    ):
        for place, value in enumerate(timings):
            if value == 0 or not is_amount(value):
                yield f"{name}.{place}: {value:g} s is not the time of any workload"
    yield from _whole_number_faults(measured)
    for metric in measured.metrics:
        may_be_negative = metric.unit not in _NEVER_NEGATIVE or metric.name in _SIGNED
        for value in metric.values:
            if not is_amount(value, may_be_negative=may_be_negative):
                amount = f"{value:g} {metric.unit[:20]}".strip()
                yield f"metrics: {metric.name[:80]!r} is {amount}, which cannot be measured"
    if isinstance(measured, Run):
        for place, sample in enumerate(measured.samples):
            yield from (f"samples.{place}.{fault}" for fault in _sample_faults(sample))
        yield from (f"quality.{fault}" for fault in _quality_faults(measured.quality))


def _whole_number_faults(measured: Measurement) -> Iterator[str]:
    """Yield whole numbers that are none of ours: a store of 64 bits could not take them."""
    numbers = [("source.pull_request", measured.source.pull_request), ("definitions", measured.definitions)]
    for place, metric in enumerate(measured.metrics):
        numbers += [(f"metrics.{place}.version", metric.version), (f"metrics.{place}.whole", metric.whole)]
    for name, number in numbers:
        if not 0 <= number <= MOST:
            yield f"{name}: {str(number)[:40]} is beyond any that is counted"


def _sample_faults(sample: Sample) -> Iterator[str]:
    amounts = {
        "wall_seconds": sample.wall_seconds,
        "cpu_seconds": sample.cpu_seconds,
        "peak_rss_mib": sample.peak_rss_mib,
        "calibration_seconds": sample.calibration_seconds,
        "cpu_wait_seconds": sample.cpu_wait_seconds,
        "calibration_cpu_seconds": sample.calibration_cpu_seconds,
        **sample.counters,
    }
    for name, value in amounts.items():
        if value is not None and not is_amount(value):
            yield f"{name[:80]}: {value:g} cannot be measured"
    for stage in sample.stages:
        if not all(is_amount(value) for value in (stage.wall_seconds, stage.cpu_seconds)):
            yield f"stages: the times of {stage.name[:80]!r} cannot be measured"


def _quality_faults(quality: Quality) -> Iterator[str]:
    counts = {"awards": quality.awards, "links": quality.links, **quality.links_by_method}
    for name, value in counts.items():
        if not 0 <= value <= MOST:
            yield f"{name[:80]}: {value} is not a count of awards"
    shares = [stratum.precision for stratum in quality.link_strata]
    for share in filter(None, (*shares, quality.absent_linked)):
        if not share.is_sound:
            yield f"{share.part} of {share.whole} is not {share.rate}"
    if sum(stratum.links for stratum in quality.link_strata) > quality.links:
        yield f"link_strata: they count more than {quality.links} links"
    if quality.population is not None and quality.population.fault:
        yield quality.population.fault
