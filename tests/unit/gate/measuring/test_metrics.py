from dataclasses import replace

from sbir_gate.gate.measuring.benchmark import BenchmarkResult
from sbir_gate.gate.measuring.metrics import derive_metrics
from sbir_gate.gate.measuring.output import OutputFaults
from sbir_gate.model.run import MetricKind, Quality
from sbir_gate.model.samples import Sample, StageSample

QUALITY = Quality(10, 8, 0.8, {"uei-exact": 7, "own-way": 1}, 0.9, 0.7, 0.79, None, None, 0.0)


def sample(wall_seconds, **changes):
    whole = Sample(
        wall_seconds=wall_seconds,
        cpu_seconds=1.0,
        peak_rss_mib=200.0,
        memory_delta_mib=150.0,
        calibration_seconds=0.04,
        output_digest="",
        stages=(StageSample("score", 0.5, 0.5, 180.0),),
        counters={"pairs": 100},
    )
    return replace(whole, **changes)


def result(*samples, disagreements=(), faults=None):
    return BenchmarkResult(samples, (), disagreements, faults or OutputFaults(), (0.04,) * (len(samples) + 1))


def metrics_of(*samples, awards=10, quality=QUALITY, **changes):
    metrics = derive_metrics(result(*samples, **changes), quality, awards)
    assert len({metric.name for metric in metrics}) == len(metrics)
    return {metric.name: metric for metric in metrics}


def test_noisy_metrics_have_one_value_per_repeat():
    metrics = metrics_of(sample(2.0), sample(4.0))
    assert metrics["wall_seconds"].values == (2.0, 4.0)
    assert metrics["seconds_per_record"].values == (0.2, 0.4)
    assert metrics["records_per_second"].values == (5.0, 2.5)
    assert metrics["memory_delta_mib"].values == (150.0, 150.0)
    assert metrics["stage_seconds/score"].values == (0.5, 0.5)
    assert metrics["stage_peak_mib/score"].values == (180.0, 180.0)
    assert metrics["wall_seconds"].kind is MetricKind.NOISY


def test_exact_metrics_have_one_value():
    metrics = metrics_of(sample(2.0), sample(4.0), faults=OutputFaults(("A1",), ("A2", "A3"), ()))
    assert metrics["match_rate"].values == (0.8,)
    assert metrics["work/pairs"].values == (100.0,)
    assert metrics["records"].values == (10.0,)
    assert (metrics["rows_missing"].values, metrics["rows_doubled"].values) == ((1.0,), (2.0,))
    assert metrics["rows_unknown"].values == (0.0,)
    assert all(metrics[name].kind is MetricKind.EXACT for name in ("match_rate", "records", "work/pairs"))


def test_a_rate_of_exactly_zero_is_a_value_and_an_unknown_one_is_no_metric():
    metrics = metrics_of(sample(2.0))
    assert metrics["calibration_error"].values == (0.0,)
    assert "blocking_recall" not in metrics


def test_a_rate_says_what_it_is_a_share_of():
    metrics = metrics_of(sample(2.0), quality=replace(QUALITY, wholes={"match_rate": 10}))
    assert metrics["match_rate"].whole == 10
    assert metrics["f1"].whole == metrics["records"].whole == 0


def test_methods_are_those_of_the_engine():
    metrics = metrics_of(sample(2.0))
    links = {name: metric.values[0] for name, metric in metrics.items() if name.startswith("links/")}
    assert links == {"links/uei-exact": 7, "links/own-way": 1}


def test_a_counter_that_differs_takes_its_largest_value_and_is_a_disagreement():
    samples = (
        sample(1.0, counters={"pairs": 5}),
        sample(1.0, counters={"pairs": 9, "bytes": 1}),
        sample(1.0, counters={"pairs": 7, "bytes": 1}),
    )
    metrics = metrics_of(*samples, disagreements=("A1",))
    assert metrics["work/pairs"].values == (9.0,)
    assert metrics["work/bytes"].values == (1.0,)
    assert metrics["disagreements"].values == (3.0,)


def test_what_is_not_known_in_every_repeat_is_no_metric():
    metrics = metrics_of(sample(1.0), sample(1.0, memory_delta_mib=None))
    assert "memory_delta_mib" not in metrics


def test_a_stage_that_did_not_run_took_no_time():
    metrics = metrics_of(sample(1.0), sample(1.0, stages=()))
    assert metrics["stage_seconds/score"].values == (0.5, 0.0)
    assert "stage_peak_mib/score" not in metrics


def test_no_records_give_no_time_per_record():
    metrics = metrics_of(sample(1.0), awards=0)
    assert metrics["records"].values == (0.0,)
    assert "seconds_per_record" not in metrics
    assert "records_per_second" not in metrics
