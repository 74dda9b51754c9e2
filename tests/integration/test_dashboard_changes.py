"""Planted changes are named with their commit, and noise alone is not: 1,000 Runs, 20 seeds."""

from dataclasses import replace

import pytest

from sbir_gate.gate.dashboard import dashboard_of
from sbir_gate.gate.reporting.dashboard_data import gate_data
from sbir_gate.gate.storing.history import open_entries
from sbir_gate.settings.effective import load_settings
from tests.factories_dashboard import long_history

pytestmark = pytest.mark.slow

RUNS, SEEDS = 1000, 20
STEP_AT, RAMP_AT, RAMP_END = 600, 300, 340
NAMES = {"wall_seconds", "peak_rss_mib"}


def changes_of(seed):
    """Return the changes of each metric as the page gets them, and the commits of the Runs."""
    entries = {
        f"{place:05}.json": replace(
            entry, metrics=tuple(each for each in entry.metrics if each.name in NAMES)
        )
        for place, entry in enumerate(long_history(RUNS, seed, step_at=STEP_AT, ramp_at=RAMP_AT))
    }
    settings = load_settings(None, {}, {}, ("drift.branch=main",)).settings
    with open_entries(entries) as history:
        (gate,) = dashboard_of(history, settings, None, has_changes=True)
    data = gate_data(gate)
    found = {course["metric"]: course["changes"] for course in data["courses"]}
    return found, data["commits"]


def test_planted_changes_are_named_and_noise_is_not():
    strangers = exact = held = 0
    for seed in range(SEEDS):
        found, commits = changes_of(seed)
        steps = [each for each in found["wall_seconds"] if abs(each["at"][1] - STEP_AT) <= 10]
        ramps = [each for each in found["peak_rss_mib"] if each["at"][2] > each["at"][1]]
        assert len(steps) == len(ramps) == 1, seed
        earliest, start, _, latest = steps[0]["at"]
        assert steps[0]["after"] / steps[0]["before"] == pytest.approx(1.08, abs=0.01)
        assert commits[start][:12] in steps[0]["text"]
        exact += start == STEP_AT
        held += earliest <= STEP_AT <= latest
        start, end = ramps[0]["at"][1:3]
        assert "gradually" in ramps[0]["text"]
        assert all(commits[at][:12] in ramps[0]["text"] for at in (start, end))
        assert ramps[0]["at"][1:3] == pytest.approx([RAMP_AT, RAMP_END], abs=15)
        strangers += len(found["wall_seconds"]) + len(found["peak_rss_mib"]) > 2
    # the range of a beginning holds the true one in 95 of 100 series
    assert held >= 0.85 * SEEDS
    assert exact >= 0.5 * SEEDS
    assert strangers <= 2
