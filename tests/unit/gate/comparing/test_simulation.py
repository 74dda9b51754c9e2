"""How often the verdict is wrong, by simulation with known noise (docs/statistics.md has the figures).

What is promised holds for 10,000 trials, which takes minutes; fewer trials see a gross error.
"""

import pytest

from sbir_gate.model.finding import Severity
from tests.simulation import (
    LOOKS,
    Noise,
    minimum_of_five,
    shares,
    side_by_side,
    single_runs,
    stored,
    stored_with_history,
)

NOISE = Noise()
TRIALS = [
    pytest.param(200, id="few"),
    pytest.param(1_000, id="many", marks=pytest.mark.slow),
    pytest.param(10_000, id="full", marks=pytest.mark.nightly),
]


def severities(trials, noise, slowdown, looks=LOOKS):
    return shares(lambda random: side_by_side(random, noise, slowdown, looks).change.severity, trials)


def severities_stored(trials, noise, slowdown, **how):
    return shares(lambda random: stored(random, noise, slowdown, **how).severity, trials)


@pytest.mark.parametrize("trials", TRIALS)
class TestSideBySide:
    def test_unchanged_code_fails_in_no_more_than_one_of_a_thousand(self, trials):
        assert severities(trials, NOISE, 1.0).get(Severity.FAIL, 0) <= 0.1

    def test_code_40_percent_slower_is_caught(self, trials):
        assert severities(trials, NOISE, 1.4)[Severity.FAIL] >= 99.5

    def test_five_pairs_alone_do_not_accuse_either(self, trials):
        assert severities(trials, NOISE, 1.0, looks=(5,)).get(Severity.FAIL, 0) <= 0.1

    @pytest.mark.parametrize("slowdown", [1.0, 1.3, 1.5])
    def test_the_interval_that_stopped_the_measurement_holds_the_truth(self, trials, slowdown):
        def is_covered(random):
            change = side_by_side(random, NOISE, slowdown).change
            return change.ratio_low <= slowdown <= change.ratio_high

        assert shares(is_covered, trials)[True] >= 95

    def test_on_a_quiet_machine_five_pairs_are_enough(self, trials):
        quiet = Noise(jitter=0.02)
        assert shares(lambda random: side_by_side(random, quiet, 1.0).pairs, trials)[5] >= 95


@pytest.mark.parametrize("trials", TRIALS)
class TestStoredBaseline:
    @pytest.mark.parametrize("is_same_kind", [True, False])
    def test_unchanged_code_fails_in_no_more_than_one_of_a_hundred(self, trials, is_same_kind):
        found = severities_stored(trials, NOISE, 1.0, is_same_kind=is_same_kind)
        assert found.get(Severity.FAIL, 0) <= 1.0
        assert found[Severity.OK] >= 90

    @pytest.mark.parametrize("is_same_kind", [True, False])
    def test_a_history_mends_a_calibration_that_is_worse_than_assumed(self, trials, is_same_kind):
        poor = Noise(mismatch=0.15)
        assumed = severities_stored(trials, poor, 1.0, is_same_kind=is_same_kind)
        known = severities_stored(
            trials, poor, 1.0, is_same_kind=is_same_kind, spread={"wall_seconds": poor.mismatch}
        )
        assert assumed[Severity.FAIL] > 3
        assert known.get(Severity.FAIL, 0) <= 1.0

    @pytest.mark.slow
    @pytest.mark.parametrize(("mismatch", "is_same_kind"), [(0.02, False), (0.15, True)])
    def test_a_history_of_thirty_runs_accuses_no_unchanged_code_either(self, trials, is_same_kind, mismatch):
        noise = Noise(mismatch=mismatch)
        found = shares(
            lambda random: stored_with_history(random, noise, 1.0, is_same_kind=is_same_kind).severity, trials
        )
        assert found.get(Severity.FAIL, 0) <= 1.0


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("way", [single_runs, minimum_of_five])
def test_what_other_tools_do_accuses_a_fifth_of_unchanged_code(trials, way):
    assert shares(lambda random: way(random, NOISE, 1.0), trials)[True] >= 20


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("noise", [Noise(jitter=0.2), Noise(jitter=0.3), Noise(jitter=0.05, hiccups=0.1)])
def test_on_a_loud_machine_the_verdict_is_rather_inconclusive_than_wrong(trials, noise):
    found = severities(trials, noise, 1.0)
    assert found.get(Severity.FAIL, 0) <= 1.5
    assert found.get(Severity.WARN, 0) <= 1.5
