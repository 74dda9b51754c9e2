"""Small, consistent Runs and policies for tests; every change is named by the test that needs it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from sbir_gate.model.awards import AwardRecord, Label
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
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)

MACHINE = Machine("m" * 64, "Example CPU", 4, 16_384, "Linux 6.1", "3.11.7")
OTHER_MACHINE = replace(MACHINE, fingerprint="o" * 64, cpu_model="Other CPU")


def award_id(number: int) -> str:
    return f"A{number:04d}"


def link(award: str, recipient: str, method: str = Method.UEI_EXACT) -> Decision:
    return Decision(award, DecisionKind.LINK, method, recipient, 100.0, 0.99, (recipient,))


def no_link(award: str) -> Decision:
    return Decision(award, DecisionKind.NONE, Method.NONE, "", 0.0, None)


@cache
def make_decisions() -> tuple[Decision, ...]:
    """Return AWARDS decisions, the first LINKED of them links: A0000 -> R0000 and so on."""
    return tuple(
        link(award_id(number), f"R{number:04d}") if number < LINKED else no_link(award_id(number))
        for number in range(AWARDS)
    )


def make_awards(
    decisions: Sequence[Decision] | None = None,
    correct: Container[str] | None = None,
    unlabelled: Container[str] = (),
) -> tuple[AwardRecord, ...]:
    """Return the awards of decisions (default: `make_decisions`), firm n for award n.

    `correct` are the ids of those that are right; without it, those linked as `make_decisions` links them.
    """
    right = {decision.award_id: decision.link for decision in make_decisions()[:LINKED]}

    def label_of(decision: Decision) -> Label:
        if decision.award_id in unlabelled:
            return Label.UNLABELLED
        is_made_right = decision.award_id in right and decision.recipient_id == right[decision.award_id]
        is_correct = is_made_right if correct is None else decision.award_id in correct
        return Label.CORRECT if is_correct else Label.INCORRECT

    return tuple(
        AwardRecord(
            decision, label_of(decision), f"Firm {decision.award_id.removeprefix('A').lstrip('0') or '0'}"
        )
        for decision in (make_decisions() if decisions is None else decisions)
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
    """Return a sound Run of the gate "enrichment"; keyword arguments replace its fields.

    `started_at` may be ISO 8601 text.
    """
    started_at = changes.get("started_at")
    if isinstance(started_at, str):
        changes["started_at"] = datetime.fromisoformat(started_at)
    return replace(_sound_run(), **changes)


@cache
def _sound_run() -> Run:
    return Run(
        gate="enrichment",
        started_at=MOMENT,
        tool_version="0.1.0",
        machine=MACHINE,
        source=Source("c" * 40, "main", is_dirty=False),
        fixture=Fixture("f" * 64, "awards.csv", "recipients.csv", "truth.csv", AWARDS),
        enricher="built-in",
        settings_digest="s" * 64,
        samples=tuple(Sample(wall, wall, 210.0, 150.0, 0.1, DIGEST) for wall in WALL_SECONDS),
        metrics=make_metrics(),
        quality=make_quality(),
        awards=make_awards(),
        has_truth=True,
        calibration_seconds=CALIBRATION_SECONDS,
        calibration_cpu_seconds=CALIBRATION_SECONDS,
        engine_notes={"model": "3"},
    )


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
    awards = []
    for old in run.awards:
        decision = decisions.get(old.award_id, old.decision)
        if decision is not None:
            (new,) = make_awards([decision])
            label = old.label if old.label is Label.UNLABELLED else new.label
            awards.append(replace(old, decision=decision, label=label))
    return replace(run, awards=tuple(awards))


def relabelled(run: Run, correct: Container[str], unlabelled: Container[str] = ()) -> Run:
    """Return the Run in which these awards are correct and those unlabelled, all others incorrect."""
    labels = make_awards([award.decision for award in run.awards], correct, unlabelled)
    awards = zip(run.awards, labels, strict=True)
    return replace(run, awards=tuple(replace(award, label=new.label) for award, new in awards))


def with_rows(run: Run, rows: Iterable[Decision]) -> Run:
    """Return the Run with further rows of its output."""
    return replace(run, awards=(*run.awards, *make_awards(tuple(rows))))


def with_facts(run: Run, **facts: object) -> Run:
    """Return the Run with these facts (`AwardRecord`) of every award."""
    return replace(run, awards=tuple(replace(award, **facts) for award in run.awards))


def decisions_of(run: Run) -> tuple[Decision, ...]:
    return tuple(award.decision for award in run.awards)


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
