from dataclasses import replace
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.gate.comparing.trials import (
    DRAWS,
    advised_settings,
    all_found,
    estimated_percent,
    gate_runs,
    pool_of,
    smallest_found,
)
from sbir_gate.gate.measuring.interleaving import planned_looks
from sbir_gate.model.run import Metric
from sbir_gate.model.trial import Case, Ends, Found, GateRuns, Planted, Seen
from sbir_gate.settings.effective import load_settings
from tests.factories import EXACT, NOISY, make_limit, make_policy, make_run

PAIRS = 20
LIMITS = (
    make_limit("wall_seconds", warn_percent=10.0, fail_percent=25.0),
    make_limit("peak_rss_mib", unit="MiB", warn_percent=20.0, fail_percent=50.0),
)
POLICY = make_policy(limits=LIMITS)
NOW = {"benchmark.min_pairs": 5.0, "benchmark.max_pairs": 40.0, "benchmark.max_seconds": 180.0}


def looks(pairs):
    return planned_looks(5, pairs)


def side(random, factor=1.0, jitter=0.02, pairs=PAIRS):
    walls = tuple(2 * factor * random.lognormvariate(0, jitter) for _ in range(pairs))
    peaks = tuple(200 * factor * random.lognormvariate(0, 0.002) for _ in range(pairs))
    run = make_run(session="s")
    samples = tuple(
        replace(run.samples[0], wall_seconds=wall, peak_rss_mib=peak)
        for wall, peak in zip(walls, peaks, strict=True)
    )
    metrics = (
        Metric("wall_seconds", "s", NOISY, walls),
        Metric("peak_rss_mib", "MiB", NOISY, peaks),
        Metric("stage_seconds/name-fuzzy", "s", NOISY, walls),
        Metric("match_rate", "ratio", EXACT, (0.5,)),
    )
    return replace(run, metrics=metrics, samples=samples)


def pool(percent=0.0, jitter=0.02, pairs=PAIRS, seed=1):
    random = Random(seed)
    head, base = side(random, 1 + percent / 100, jitter, pairs), side(random, 1.0, jitter, pairs)
    return pool_of(head, base, POLICY, is_unchanged=not percent, seconds=(4.0, 6.0))


def case(percent=0.0, **facts):
    found = pool(percent, **facts)
    runs = tuple(gate_runs(found, (5, 10, 20), looks, 1))
    return Case(percent, found.pairs, True, 0.0, 0.0, 4.0, 4.0, runs)


def test_unchanged_code_passes_and_a_doubled_time_fails_however_it_is_drawn():
    for percent, failed in ((0.0, 0), (100.0, 1)):
        runs = list(gate_runs(pool(percent), (5, 10, 20), looks, 1))
        assert [each.pairs for each in runs] == [5, 10, 20]
        assert [each.time.separate for each in runs] == [
            Ends(blocks, failed * blocks) for blocks in (4, 2, 1)
        ]
        assert [each.memory.drawn for each in runs] == [Ends(DRAWS, failed * DRAWS)] * 3


def test_runs_end_once_they_are_decided_as_those_of_the_gate_do():
    (runs,) = gate_runs(pool(100.0), (20,), looks, 1)
    assert (runs.pairs_used, runs.seconds) == (5.0, 6.0 + 5 * 4.0)
    (runs,) = gate_runs(pool(25.0, jitter=0.2), (20,), looks, 1)
    assert runs.pairs_used > 5


def test_what_was_not_measured_is_left_out():
    assert [each.pairs for each in gate_runs(pool(pairs=12), (5, 10, 20), looks, 1)] == [5, 10]
    assert list(gate_runs(pool(pairs=4), (4, 5), looks, 1)) == []


def test_the_same_seed_draws_the_same():
    noisy = pool(25.0, jitter=0.1)
    first, again, other = (list(gate_runs(noisy, (5,), looks, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_more_pairs_detect_less():
    least = [runs.time.least_detectable_percent for runs in gate_runs(pool(jitter=0.1), (5, 20), looks, 1)]
    assert least[1] < least[0]


def test_the_estimate_is_that_of_the_gate():
    assert estimated_percent(pool(50.0), Planted.TIME) == pytest.approx(50, abs=3)
    assert estimated_percent(pool(50.0), Planted.MEMORY) == pytest.approx(50, abs=1)


def test_exact_metrics_and_those_without_a_limit_are_not_judged_again():
    assert [metric.name for metric in pool().head.metrics] == ["wall_seconds", "peak_rss_mib"]


def made_case(percent, failed, pairs=5, least=5.0, alarms=0):
    seen = Seen(Ends(4, alarms), Ends(DRAWS, failed), least)
    return Case(percent, pairs, True, 0.0, 0.0, 4.0, 4.0, (GateRuns(pairs, 5.0, 26.0, seen, seen),))


@pytest.mark.parametrize(
    ("failed", "found"),
    [
        ({10: 0, 25: 50, 50: 100}, 50.0),
        ({10: 0, 25: 90, 50: 100}, 25.0),
        ({10: 100, 25: 50, 50: 100}, 50.0),  # found by chance: a larger one is not
        ({10: 0, 25: 0, 50: 89}, None),
    ],
)
def test_a_regression_is_found_where_nine_of_ten_runs_fail_as_for_every_larger_one(failed, found):
    cases = [made_case(float(percent), count) for percent, count in failed.items()]
    assert smallest_found(cases, Planted.TIME, 5) == found
    assert all_found(cases) == (Found(Planted.TIME, 5, found), Found(Planted.MEMORY, 5, found))


def test_a_number_of_pairs_that_not_all_handicaps_have_finds_nothing():
    cases = [made_case(50.0, 100), made_case(100.0, 100, pairs=10)]
    assert smallest_found(cases, Planted.TIME, 10) is None
    assert all_found(cases) == ()


def test_nothing_is_advised_before_unchanged_code_was_measured():
    assert advised_settings((), POLICY, NOW) == ()
    assert advised_settings([made_case(50.0, 100)], POLICY, NOW) == ()


def advised(cases):
    return {each.key: each.advised for each in advised_settings(cases, POLICY, NOW)}


def test_a_quiet_machine_needs_few_pairs_and_keeps_the_limits():
    assert advised([case(), case(50.0), case(100.0)]) == {
        "benchmark.min_pairs": 5,
        "benchmark.max_pairs": 5,
        "benchmark.max_seconds": 40,  # (4 + 5 * 4) * 1.5, in steps of 10
        "gate.metrics.wall_seconds.warn_percent": 10,
        "gate.metrics.wall_seconds.fail_percent": 25,
        "gate.metrics.peak_rss_mib.warn_percent": 20,
        "gate.metrics.peak_rss_mib.fail_percent": 50,
    }


def test_noise_above_the_limit_asks_for_more_pairs_first():
    found = advised([made_case(0.0, 0, least=40.0)])
    assert found["benchmark.max_pairs"] == 12  # 5 * (log 1.4 / log 1.25) ** 2
    assert found["gate.metrics.wall_seconds.fail_percent"] == 25


def test_noise_that_no_sensible_number_of_pairs_beats_raises_the_limit():
    found = advised([made_case(0.0, 0, least=200.0)])
    assert found["benchmark.max_pairs"] == 40
    assert found["gate.metrics.wall_seconds.fail_percent"] == 70
    assert found["gate.metrics.wall_seconds.warn_percent"] == 28


def test_false_alarms_raise_the_limit():
    assert advised([made_case(0.0, 10)])["gate.metrics.wall_seconds.fail_percent"] == 40
    assert advised([made_case(0.0, 0, alarms=1)])["gate.metrics.wall_seconds.fail_percent"] == 40


@given(least=st.floats(0.01, 1e4), failed=st.integers(0, DRAWS), pairs=st.sampled_from([5, 10, 20]))
def test_whatever_is_advised_is_a_valid_setting_and_no_limit_is_tightened(
    tmp_path_factory, least, failed, pairs
):
    nested = {}
    for key, value in advised([made_case(0.0, failed, pairs, least)]).items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = int(value) if value == int(value) else value
    file = tmp_path_factory.getbasetemp() / "advised.yaml"
    file.write_text(yaml.safe_dump(nested))
    settings = load_settings(file, {}).settings
    limit = settings.gate.metrics["wall_seconds"]
    assert limit.fail_percent >= 25
    assert limit.warn_percent >= 10
    assert settings.benchmark.max_pairs >= pairs or not failed
