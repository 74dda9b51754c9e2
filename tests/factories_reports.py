"""A verdict with all that its page shows: stages, repeats of both sides, courses of the history."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.publication import Background, TrendSeries
from sbir_gate.model.run import Metric, Run
from sbir_gate.model.verdict import Verdict
from tests.factories import NOISY, award_id, link, make_policy, make_run, no_link, scaled, with_decisions

_STAGES = {
    "reading": (0.40, 120.0),
    "blocking": (0.35, 180.0),
    "similarity": (0.62, 205.0),
    "writing": (0.12, 150.0),
}
_NOISE = (1.0, 1.02, 0.99, 1.01, 0.985)


def staged(run: Run, factor: float = 1.0) -> Run:
    """Return the Run with time and memory of four stages; `factor` scales the time of one."""
    metrics = [metric for metric in run.metrics if not metric.name.startswith("stage_")]
    for name, (seconds, peak) in _STAGES.items():
        slower = factor if name == "similarity" else 1.0
        times, peaks = [seconds * slower * each for each in _NOISE], [peak * each for each in _NOISE]
        metrics += [
            Metric(f"stage_seconds/{name}", "s", NOISY, tuple(times)),
            Metric(f"stage_peak_mib/{name}", "MiB", NOISY, tuple(peaks)),
        ]
    return replace(run, metrics=tuple(metrics))


def judged_pair(firm: str = "Quellmark Optics") -> tuple[Run, Verdict, Background]:
    """Return a slower Run that lost seven links, its verdict, and what it is seen against."""
    base = staged(make_run(started_at="2026-01-01T06:00:00+00:00"))
    head = staged(scaled(make_run(), "wall_seconds", 1.4), 1.9)
    changed = {award_id(number): no_link(award_id(number)) for number in range(7)}
    changed[award_id(8)] = link(award_id(8), "R9999", "name-fuzzy")
    head = with_decisions(head, changed)
    awards = tuple(replace(award, firm_name=f"{firm} {place}") for place, award in enumerate(head.awards))
    head = replace(head, awards=awards)
    walls = tuple(1.7 + 0.02 * (number % 4) for number in range(11))
    trends = (
        TrendSeries("match_rate", "ratio", tuple("abcdefghijkl"), (0.75,) * 12),
        TrendSeries("wall_seconds", "s", tuple("abcdefghijkl"), (*walls, 2.38), 2.125),
    )
    return head, judge(head, base, make_policy()), Background((base,), trends)
