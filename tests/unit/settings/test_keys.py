import pytest

from sbir_gate.settings.keys import is_known, is_section, metric_names, nearest_key


def test_every_kind_of_key_is_known():
    assert is_known("enrichment.performance.chunk_size")
    assert is_known("reports.folder")
    assert is_known("gate.metrics.work/pairs_scored.fail_percent")
    assert is_known("gate.metrics.anything.unit")


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "gate",
        "gate.metrics",
        "gate.metrics.wall_seconds",
        "gate.metrics.a.b.unit",
        "gate.name.x",
        "*",
    ],
)
def test_sections_and_strangers_hold_no_value(key):
    assert not is_known(key)


def test_the_number_that_another_key_holds_is_no_key():
    assert not is_known("gate.metrics.match_rate.minimum")
    assert is_known("gate.metrics.recall.minimum")


def test_sections_are_told_from_strangers():
    assert is_section("gate")
    assert is_section("gate.metrics.wall_seconds")
    assert not is_section("gates")
    assert not is_section("gate.name")


def test_the_names_of_metrics_are_read_from_keys():
    keys = ["gate.name", "gate.metrics.b.unit", "gate.metrics.b.kind", "gate.metrics.work/a.unit"]
    assert metric_names(keys) == ("b", "work/a")


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("enrichment.performance.chunk_sise", "enrichment.performance.chunk_size"),
        ("enrichmnt.performance.chunk_size", "enrichment.performance.chunk_size"),
        ("chunk_size", "enrichment.performance.chunk_size"),
        ("performance.retry_backof", "enrichment.performance.retry_backoff"),
        ("gate.metrics.recall.fail_percentage", "gate.metrics.recall.fail_percent"),
        ("zzzzzzzz", ""),
        ("q" * 100_000, ""),
    ],
)
def test_the_nearest_key_is_found(key, near):
    assert nearest_key(key, ["recall", "precision"]) == near
