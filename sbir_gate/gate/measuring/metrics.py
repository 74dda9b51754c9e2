"""The metrics that the gate compares, derived once from samples and quality."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sbir_gate.gate.measuring.benchmark import BenchmarkResult
from sbir_gate.model.definitions import metric_version
from sbir_gate.model.run import Metric, MetricKind, Quality
from sbir_gate.model.samples import Sample, StageSample


def derive_metrics(
    result: BenchmarkResult,
    quality: Quality,
    awards: int,
    *,
    rejected: int | None = None,
    unknown: int | None = None,
) -> tuple[Metric, ...]:
    """Return every metric of a benchmark over `awards` awards.

    `rejected` counts the rows of the fixture that could not be read, `unknown` the recipients in the output
    that are in no row; None if not checked.

    What is not known has no metric (the gate fails where a required one is missing): no rates without a
    truth, no time per record without records. A work counter that differs between repeats takes its
    largest value and is one more disagreement.
    """
    counters, unsteady = _counters(result.samples)
    return (
        *_process_metrics(result.samples, awards),
        *_first_run_metrics(result),
        *_stage_metrics(result.samples),
        *(_count(f"work/{name}", value) for name, value in counters.items()),
        *_quality_metrics(quality),
        _count("rows_missing", len(result.faults.missing)),
        _count("rows_doubled", len(result.faults.doubled)),
        _count("rows_unknown", len(result.faults.unknown)),
        *([_count("recipients_unknown", unknown)] if unknown is not None else []),
        *([_count("rows_rejected", rejected)] if rejected is not None else []),
        _count("disagreements", len(result.disagreements) + unsteady),
        _count("records", awards),
    )


def _process_metrics(samples: Sequence[Sample], awards: int) -> Iterator[Metric]:
    walls = [sample.wall_seconds for sample in samples]
    yield _noisy("wall_seconds", "s", walls)
    cpu_method = _joined(sample.cpu_method for sample in samples)
    memory_method = _joined(sample.memory_method for sample in samples)
    yield _noisy("cpu_seconds", "s", [sample.cpu_seconds for sample in samples], cpu_method)
    yield _noisy("peak_rss_mib", "MiB", [sample.peak_rss_mib for sample in samples], memory_method)
    deltas = [sample.memory_delta_mib for sample in samples if sample.memory_delta_mib is not None]
    if len(deltas) == len(samples):
        yield _noisy("memory_delta_mib", "MiB", deltas, memory_method)
    if awards and all(wall > 0 for wall in walls):
        yield _noisy("seconds_per_record", "s", [wall / awards for wall in walls])
        yield _noisy("records_per_second", "1/s", [awards / wall for wall in walls])


def _first_run_metrics(result: BenchmarkResult) -> Iterator[Metric]:
    first = result.first_run or next(iter(result.samples), None)
    if first is not None:
        name = "first_run_seconds"
        yield Metric(name, "s", MetricKind.ONCE, (first.wall_seconds,), metric_version(name))


def _stage_metrics(samples: Sequence[Sample]) -> Iterator[Metric]:
    """Yield time and peak of each stage; a stage that did not run in a repeat took no time in it."""
    repeats = [{stage.name: stage for stage in sample.stages} for sample in samples]
    for name in _ordered(stage.name for sample in samples for stage in sample.stages):
        stages = [repeat.get(name, StageSample(name, 0.0, 0.0)) for repeat in repeats]
        yield _noisy(f"stage_seconds/{name}", "s", [stage.wall_seconds for stage in stages])
        peaks = [stage.peak_rss_mib for stage in stages if stage.peak_rss_mib is not None]
        if len(peaks) == len(stages):
            yield _noisy(f"stage_peak_mib/{name}", "MiB", peaks)


def _quality_metrics(quality: Quality) -> Iterator[Metric]:
    for name, rate in quality.rates().items():
        yield replace(_exact(name, "ratio", rate), whole=quality.wholes.get(name, 0))
    # a method without a link has no metric: in a comparison it counts 0
    for method, links in quality.links_by_method.items():
        yield _count(f"links/{method}", links)


def _counters(samples: Sequence[Sample]) -> tuple[dict[str, int], int]:
    """Return the largest value of each counter, and how many counters differ between repeats."""
    names = _ordered(name for sample in samples for name in sample.counters)
    values = {name: [sample.counters.get(name) for sample in samples] for name in names}
    largest = {name: max(value for value in each if value is not None) for name, each in values.items()}
    return largest, sum(len(set(each)) > 1 for each in values.values())


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _joined(methods: Iterable[str]) -> str:
    """Return the one method of all repeats; repeats that were measured in several ways are like no others."""
    return "+".join(sorted(set(methods)))


def _noisy(name: str, unit: str, values: Sequence[float], method: str = "") -> Metric:
    return Metric(name, unit, MetricKind.NOISY, tuple(values), metric_version(name), method)


def _exact(name: str, unit: str, value: float) -> Metric:
    return Metric(name, unit, MetricKind.EXACT, (value,), metric_version(name))


def _count(name: str, value: int) -> Metric:
    return _exact(name, "count", float(value))
