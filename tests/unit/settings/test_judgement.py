import dataclasses

from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Severity
from sbir_gate.settings import load_settings, policy


def limits(*assignments):
    return {limit.name: limit for limit in policy(load_settings(None, {}, {}, assignments).settings).limits}


def test_the_default_policy_is_the_documented_one():
    judged = limits()
    assert judged["wall_seconds"] == MetricLimit(
        "wall_seconds",
        "s",
        Direction.LOWER_IS_BETTER,
        MetricKind.NOISY,
        warn_percent=10,
        fail_percent=25,
        smallest_change=0.05,
    )
    assert (judged["peak_rss_mib"].warn_percent, judged["peak_rss_mib"].fail_percent) == (20, 50)
    assert (judged["match_rate"].minimum, judged["match_rate"].fail_percent) == (0.70, 5)
    assert judged["memory_delta_mib"].maximum == 500
    assert judged["memory_delta_mib"].absolute_severity is Severity.WARN
    assert judged["seconds_per_record"].maximum == 5
    for name in ("rows_missing", "rows_doubled", "rows_unknown", "disagreements"):
        assert (judged[name].maximum, judged[name].is_required) == (0, True)
    assert judged["records"].minimum == 1
    assert not judged["recall"].is_required


def test_the_match_rate_threshold_is_the_minimum_of_the_match_rate():
    assert limits("enrichment.performance.match_rate_threshold=0.9")["match_rate"].minimum == 0.9


def test_max_lost_and_significance_reach_the_policy():
    judged = policy(load_settings(None, {}, {}, ["gate.max_lost=0", "gate.significance=0.01"]).settings)
    assert (judged.max_lost, judged.significance) == (0, 0.01)


def test_every_field_of_a_limit_reaches_the_policy():
    wanted = MetricLimit(
        "x",
        "rows",
        Direction.HIGHER_IS_BETTER,
        MetricKind.NOISY,
        1.0,
        2.0,
        3.0,
        4.0,
        5.0,
        Severity.WARN,
        False,
    )
    fields = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}
    name = fields.pop("name")
    assignments = [f"gate.metrics.{name}.{key}={str(value).lower()}" for key, value in fields.items()]
    assert limits(*assignments)["x"] == wanted


def test_what_a_metric_leaves_out_is_what_a_limit_leaves_out():
    assignments = ["gate.metrics.x.unit=s", "gate.metrics.x.direction=lower", "gate.metrics.x.kind=exact"]
    assert limits(*assignments)["x"] == MetricLimit("x", "s", Direction.LOWER_IS_BETTER, MetricKind.EXACT)
