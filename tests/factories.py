"""Small, consistent Runs and policies for tests; every change is named by the test that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sbir_gate.model.finding import Severity
from sbir_gate.model.matches import Decision, DecisionKind, Method
from sbir_gate.model.run import (
    Fixture,
    Machine,
    Metric,
    MetricKind,
    Quality,
    ReliabilityBin,
    Run,
    Source,
    Stratum,
)
from sbir_gate.model.samples import Sample
from sbir_gate.model.verdict import Direction, MetricLimit, Policy

AWARDS = 40
LINKED = 30

LOWER, HIGHER = Direction.LOWER_IS_BETTER, Direction.HIGHER_IS_BETTER
EXACT, NOISY = MetricKind.EXACT, MetricKind.NOISY

WALL_SECONDS = (1.70, 1.71, 1.69, 1.72, 1.70)
CALIBRATION_SECONDS = (0.100, 0.101, 0.099, 0.100, 0.102)
DIGEST = "d" * 64

MACHINE = Machine("m" * 64, "Example CPU", 4, 16_384, "Linux 6.1", "3.11.7")
OTHER_MACHINE = replace(MACHINE, fingerprint="o" * 64, cpu_model="Other CPU")


def award_id(number: int) -> str:
    return f"A{number:04d}"


def link(award: str, recipient: str, method: str = Method.UEI_EXACT) -> Decision:
    return Decision(award, DecisionKind.LINK, method, recipient, 100.0, 0.99, (recipient,))


def no_link(award: str) -> Decision:
    return Decision(award, DecisionKind.NONE, Method.NONE, "", 0.0, None)


def make_decisions() -> tuple[Decision, ...]:
    """Return AWARDS decisions, the first LINKED of them links: A0000 -> R0000 and so on."""
    return tuple(
        link(award_id(number), f"R{number:04d}") if number < LINKED else no_link(award_id(number))
        for number in range(AWARDS)
    )


def make_metrics() -> tuple[Metric, ...]:
    return (
        Metric("wall_seconds", "s", NOISY, WALL_SECONDS),
        Metric("records_per_second", "1/s", NOISY, tuple(AWARDS / wall for wall in WALL_SECONDS)),
        Metric("peak_rss_mib", "MiB", NOISY, (210.0, 211.5, 209.0, 210.4, 210.2)),
        Metric("match_rate", "ratio", EXACT, (0.75,)),
        Metric("precision", "ratio", EXACT, (0.98,)),
        *(
            Metric(name, "count", EXACT, (0.0,))
            for name in ("rows_missing", "rows_doubled", "rows_unknown", "disagreements")
        ),
        Metric("stage_seconds/name-fuzzy", "s", NOISY, (0.80, 0.81, 0.79, 0.80, 0.82)),
    )


def make_quality() -> Quality:
    return Quality(
        awards=AWARDS,
        links=LINKED,
        match_rate=0.75,
        links_by_method={"uei-exact": 20, "name-fuzzy": 10},
        precision=0.98,
        recall=0.93,
        f1=0.954,
        blocking_recall=0.97,
        scoring_recall=0.96,
        calibration_error=0.021,
        strata=(
            Stratum("phase", "I", 25, 19, 0.76, 0.98, 0.94),
            Stratum("phase", "II", 15, 11, 0.7333, None, None),
        ),
        reliability=(
            ReliabilityBin(0.5, 0.75, 4, 0.62, 0.50),
            ReliabilityBin(0.9, 1.0, 26, 0.98, 0.97),
        ),
    )


def make_run(**changes: object) -> Run:
    """Return a sound Run of the gate "enrichment"; keyword arguments replace its fields."""
    decisions = make_decisions()
    run = Run(
        gate="enrichment",
        started_at="2026-01-31T12:00:00+00:00",
        tool_version="0.1.0",
        machine=MACHINE,
        source=Source("c" * 40, "main", is_dirty=False),
        fixture=Fixture("f" * 64, "awards.csv", "recipients.csv", "truth.csv", AWARDS),
        enricher="built-in",
        settings_digest="s" * 64,
        samples=tuple(Sample(wall, wall, 210.0, 150.0, 0.1, DIGEST) for wall in WALL_SECONDS),
        metrics=make_metrics(),
        quality=make_quality(),
        decisions=decisions,
        firm_names=tuple(f"Firm {number}" for number in range(AWARDS)),
        right_award_ids=tuple(award_id(number) for number in range(LINKED)),
        has_truth=True,
        calibration_seconds=CALIBRATION_SECONDS,
        calibration_cpu_seconds=CALIBRATION_SECONDS,
        engine_notes={"model": "3"},
    )
    return replace(run, **changes)


def with_metric(
    run: Run, name: str, values: Sequence[float], unit: str = "", kind: MetricKind = EXACT
) -> Run:
    """Return the Run with these values of one metric, which is added if it is not there."""
    old = next((metric for metric in run.metrics if metric.name == name), Metric(name, unit, kind, ()))
    new = replace(old, values=tuple(values))
    if old in run.metrics:
        return replace(run, metrics=tuple(new if metric is old else metric for metric in run.metrics))
    return replace(run, metrics=(*run.metrics, new))


def scaled(run: Run, name: str, factor: float) -> Run:
    """Return the Run with one metric multiplied."""
    values = next(metric.values for metric in run.metrics if metric.name == name)
    return with_metric(run, name, [value * factor for value in values])


def without_metric(run: Run, name: str) -> Run:
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.name != name))


def with_decisions(run: Run, decisions: Mapping[str, Decision | None]) -> Run:
    """Return the Run with some awards decided otherwise, or (None) not at all; right ones follow suit.

    A link is right when it is the one that `make_decisions` makes.
    """
    right = {decision.award_id: decision for decision in make_decisions()[:LINKED]}
    kept = [
        (new, name)
        for old, name in zip(run.decisions, run.firm_names, strict=True)
        if (new := decisions.get(old.award_id, old)) is not None
    ]
    return replace(
        run,
        decisions=tuple(decision for decision, _ in kept),
        firm_names=tuple(name for _, name in kept),
        right_award_ids=tuple(
            decision.award_id
            for decision, _ in kept
            if decision.award_id in right and decision.recipient_id == right[decision.award_id].recipient_id
        ),
    )


def with_lost_links(run: Run, count: int) -> Run:
    """Return the Run in which the first awards are no longer linked."""
    return with_decisions(run, {award_id(number): no_link(award_id(number)) for number in range(count)})


def make_limit(name: str, **changes: object) -> MetricLimit:
    """Return a noisy time limit of 10 and 25 %; keyword arguments replace its fields."""
    limit = MetricLimit(name, "s", LOWER, NOISY, warn_percent=10.0, fail_percent=25.0)
    return replace(limit, **changes)


def make_policy(**changes: object) -> Policy:
    """Return a policy like the default one, for the metrics of `make_run`."""
    policy = Policy(
        (
            make_limit("wall_seconds", smallest_change=0.05),
            make_limit(
                "peak_rss_mib", unit="MiB", warn_percent=20.0, fail_percent=50.0, smallest_change=20.0
            ),
            MetricLimit("match_rate", "ratio", HIGHER, EXACT, minimum=0.70, fail_percent=5.0),
            MetricLimit("precision", "ratio", HIGHER, EXACT, minimum=0.95, is_required=False),
            MetricLimit("rows_missing", "count", LOWER, EXACT, maximum=0.0),
            MetricLimit("rows_doubled", "count", LOWER, EXACT, maximum=0.0),
            MetricLimit(
                "memory_delta_mib",
                "MiB",
                LOWER,
                NOISY,
                maximum=500.0,
                absolute_severity=Severity.WARN,
                is_required=False,
            ),
        )
    )
    return replace(policy, **changes)
