import dataclasses

import pytest

from sbir_gate.errors import ConfigurationError
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit, Policy
from sbir_gate.settings import load_settings, policy
from sbir_gate.settings.judgement import renamed


def of_settings(*assignments):
    return policy(load_settings(None, {}, {}, assignments).settings)


def limits(*assignments):
    return {limit.name: limit for limit in of_settings(*assignments).limits}


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


def test_what_a_policy_leaves_out_is_what_the_default_settings_say():
    made, bare = of_settings(), Policy(())
    assert (bare.max_lost, bare.significance) == (made.max_lost, made.significance)


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


class TestGroups:
    """`links/*` and `work/*` hold for whatever methods and counters an engine has."""

    def test_a_group_holds_for_every_metric_of_it(self):
        limit = of_settings().limit_of("links/fuzzy-v2")
        assert (limit.name, limit.fail_percent, limit.direction) == ("links/fuzzy-v2", 50, "higher")
        assert of_settings().limit_of("work/pages_read").direction == "lower"

    def test_a_metric_of_a_group_may_have_its_own_limit_and_takes_the_rest_from_the_group(self):
        limit = of_settings("gate.metrics.links/uei-exact.fail_percent=90").limit_of("links/uei-exact")
        assert (limit.unit, limit.warn_percent, limit.fail_percent) == ("count", 20, 90)

    def test_a_whole_entry_stands_by_itself(self):
        limit = of_settings().limit_of("work/recipients_scanned")
        assert (limit.direction, limit.warn_percent, limit.fail_percent) == ("higher", 0, 1)

    def test_null_switches_a_metric_off(self):
        policy_without = of_settings("gate.metrics.recall=null", "gate.metrics.work/queries=null")
        assert policy_without.limit_of("recall") is None
        assert policy_without.limit_of("work/queries") is None
        assert policy_without.is_unjudged("work/queries")
        assert policy_without.limit_of("work/pages") is not None

    def test_null_switches_a_group_off_and_a_metric_of_it_may_stay(self):
        policy_without = of_settings(
            "gate.metrics.work/*=null",
            "gate.metrics.work/pages.unit=count",
            "gate.metrics.work/pages.direction=lower",
            "gate.metrics.work/pages.kind=exact",
            "gate.metrics.work/pages.maximum=9",
        )
        assert policy_without.limit_of("work/queries") is None
        assert policy_without.is_unjudged("work/queries")
        assert policy_without.limit_of("work/pages").maximum == 9
        assert not policy_without.is_unjudged("work/pages")

    def test_the_match_rate_cannot_be_switched_off(self):
        with pytest.raises(ConfigurationError, match="match_rate_threshold always holds"):
            of_settings("gate.metrics.match_rate=null")


def test_renamed_metrics_are_pairs_of_names():
    settings = load_settings(None, {}, {}, ["gate.renamed=[work/old->work/new, links/a -> links/b]"]).settings
    assert renamed(settings) == {"work/old": "work/new", "links/a": "links/b"}


@pytest.mark.parametrize(
    "entry",
    [
        "work/a",
        "work/a -> links/a",
        "match_rate -> recall",
        "work/a -> work/a",
        "work/a -> ",
        "work/* -> work/b",
    ],
)
def test_only_what_an_engine_names_itself_can_be_renamed(entry):
    with pytest.raises(ConfigurationError, match="must be 'old -> new'"):
        load_settings(None, {}, {}, [f"gate.renamed=['{entry}']"])


def test_no_metric_is_renamed_twice():
    with pytest.raises(ConfigurationError, match="must not name a metric twice"):
        load_settings(None, {}, {}, ["gate.renamed=[work/a -> work/b, work/b -> work/c]"])


def test_the_threshold_is_put_on_one_match_rate():
    own = limits("enrichment.performance.match_rate_threshold=0.8")
    assert own["match_rate"].minimum == 0.8
    assert "population_match_rate" not in own
    found = limits("enrichment.performance.match_rate_threshold=0.8", "gate.match_rate_of=population")
    assert (found["match_rate"].minimum, found["match_rate"].fail_percent) == (None, 5)
    estimate = found["population_match_rate"]
    assert (estimate.minimum, estimate.fail_percent, estimate.is_required) == (0.8, None, True)


def test_a_limit_on_the_estimate_is_kept_and_its_minimum_has_one_place():
    entry = {"unit": "ratio", "direction": "higher", "kind": "exact", "fail_percent": 3}
    given = [f"gate.metrics.population_match_rate.{key}={value}" for key, value in entry.items()]
    found = limits(*given, "gate.match_rate_of=population")["population_match_rate"]
    assert (found.fail_percent, found.minimum) == (3, 0.7)
    with pytest.raises(ConfigurationError, match=r"is set by enrichment\.performance\.match_rate_threshold"):
        limits("gate.metrics.population_match_rate.minimum=0.2")
