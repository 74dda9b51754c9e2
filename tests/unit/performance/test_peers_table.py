from tests.performance import curves
from tests.performance.peers.table import COLUMNS, ratio, render, seconds, table

RATES = {"precision": 0.98765, "recall": 0.5, "f1": 0.66389}
QUALITY = {"fuzzy": RATES, "precise": None, "awards": RATES, "top1_right": 9, "findable": 10}


def way(title, wall, **more):
    return {
        "name": title,
        "title": title,
        "wall_seconds": wall,
        "cpu_seconds": 2 * wall,
        "peak_rss_mib": 100 * wall,
        **more,
    }


def cells(line):
    return dict(zip(COLUMNS, (cell.strip() for cell in line.strip("|").split("|")), strict=True))


def test_ratios_are_to_the_first_way():
    _, _, ours, peer = table([way("ours", 2.0, quality=QUALITY), way("peer", 5.0, quality=QUALITY)])
    assert cells(ours)["wall, x ours"] == "1.0"
    assert cells(peer)["wall, x ours"] == "2.5"
    assert cells(peer)["peak, x ours"] == "2.5"


def test_without_ours_there_is_nothing_to_compare_with():
    found = cells(table([way("peer", 5.0, quality=QUALITY)])[-1])
    assert (found["wall s"], found["wall, x ours"], found["peak, x ours"]) == ("5.0", "-", "-")


def test_the_precision_that_was_got_stands_beside_the_recall():
    found = cells(table([way("ours", 2.0, quality={**QUALITY, "precise": RATES})])[-1])
    assert found["recall at precision 0.97"] == "0.500 (got 0.988)"


def test_a_precision_that_no_threshold_keeps_is_told_as_none():
    found = cells(table([way("ours", 2.0, quality=QUALITY)])[-1])
    assert found["recall at precision 0.97"] == "none"
    assert (found["F1"], found["top 1 right"]) == ("0.664", "0.900")


def test_what_is_extrapolated_says_so_and_has_no_quality():
    found = cells(table([way("ours", 2.0), way("brute", 9000.0, is_extrapolated=True, sampled=20)])[-1])
    assert found["way"] == "brute, extrapolated from 20 firms"
    assert found["wall s"] == "~2.5 h"
    assert found["CPU, x ours"] == "~4,500"
    assert found["F1"] == "-"


def test_a_way_that_failed_is_a_row_with_its_reason_and_no_reference():
    _, _, failed, ours = table(
        [{"name": "peer", "title": "peer", "error": "out of memory"}, way("ours", 2.0)]
    )
    assert "failed: out of memory" in failed
    assert failed.count("|") == ours.count("|")
    assert cells(ours)["wall, x ours"] == "1.0"


def test_the_page_says_machine_versions_command_and_size():
    page = render(
        {
            "date": "2026-01-02",
            "machine": "a machine",
            "versions": {"ours": {"duckdb": "2.0.0"}, "peers": {"splink": "5.0.0"}},
            "command": "python -m peers",
            "size": {"awards": 5000, "recipients": 100_000, "seed": 3},
            "fuzzy_queries": 1200,
            "findable_queries": 700,
            "ways": [way("ours", 2.0, as_it_decides=RATES)],
        }
    )
    assert "Measured on 2026-01-02: a machine. ours: duckdb 2.0.0; peers: splink 5.0.0." in page
    assert "5,000 awards against 100,000 recipients (synthesised, seed 3)" in page
    assert "1,200 queries, 700 of them" in page
    assert "as it decides them, at its own acceptance limit: award F1 0.664, award precision 0.988" in page


def test_figures_have_as_many_digits_as_they_mean():
    assert [seconds(value) for value in (1.26, 123.4, 7200)] == ["1.3", "123", "2.0 h"]
    assert [ratio(value, 2) for value in (3, 4000)] == ["1.5", "2,000"]
    assert ratio(1, 0) == "-"


def test_a_curve_is_compared_with_its_first_point_and_shows_what_was_written():
    points = [
        {"curve": "workers", "label": str(workers), "sha256": "ab" * 32, **way("", 4.0 / workers)}
        for workers in (1, 2)
    ]
    _, _, first, second = curves.table("workers", points)
    assert first.startswith("| 1 | 4.0 | 8.0 | 400 | 1.0 |")
    assert second.startswith("| 2 | 2.0 | 4.0 | 200 | 0.5 |")
    assert "`abababababab`" in second


def test_the_curve_of_recipients_grows_the_table_and_the_others_change_one_setting():
    assert [point.recipients for point in curves.points("recipients", 100)] == [100, 300, 1000]
    settings = [point.options[-1].partition("=")[0] for point in curves.points("memory", 100)]
    assert set(settings) == {"enrichment.performance.memory_threshold_mb"}
