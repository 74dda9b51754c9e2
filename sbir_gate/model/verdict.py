"""The judgement: the policy it follows, the change of each metric, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.run import MetricKind


class Direction(StrEnum):
    """Which way a metric should go."""

    LOWER_IS_BETTER = "lower"
    HIGHER_IS_BETTER = "higher"


class Outcome(StrEnum):
    """What the gate says."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    INCOMPARABLE = "incomparable"
    NO_BASELINE = "no-baseline"
    ERROR = "error"


class Severity(StrEnum):
    """What one metric or one finding contributes to the verdict."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """How one metric is judged.

    `minimum` and `maximum` are absolute, in `unit`. `warn_percent` and `fail_percent` are relative
    changes for the worse against the reference. A change smaller than `smallest_change` (absolute,
    in `unit`) never counts. None switches a limit off. `absolute_severity` is what a breach of
    `minimum` or `maximum` means.
    """

    name: str
    unit: str
    direction: Direction
    kind: MetricKind
    minimum: float | None = None
    maximum: float | None = None
    warn_percent: float | None = None
    fail_percent: float | None = None
    smallest_change: float = 0.0
    absolute_severity: Severity = Severity.FAIL
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """All that a verdict depends on besides the Runs.

    `max_lost` is how many awards may lose a right link before the gate fails whatever was gained.
    `significance` is the level of the exact McNemar test.
    """

    limits: tuple[MetricLimit, ...]
    max_lost: int = 5
    significance: float = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of head against the reference.

    `delta` is head minus reference in `unit`; `ratio` is head / reference, with `ratio_low` and
    `ratio_high` its interval (equal for exact metrics); None where there is no reference value.
    `raw_ratio` is uncalibrated. `is_significant` is False when the interval covers "no change".
    `limit` says in words which limit decided; `reason` says why the severity is what it is.
    """

    metric: str
    unit: str
    kind: MetricKind
    direction: Direction
    head: float | None
    reference: float | None
    delta: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    raw_ratio: float | None
    is_significant: bool
    severity: Severity
    limit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AwardChange:
    """One award whose link differs: before and after, and whether the truth calls it an improvement.

    `was_right` and `is_right` are None without a truth.
    """

    award_id: str
    firm_name: str
    before_recipient_id: str
    after_recipient_id: str
    before_method: str
    after_method: str
    was_right: bool | None
    is_right: bool | None


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """Award by award: links lost, gained and re-linked, with the exact McNemar p-value.

    With a truth, `worsened` counts awards that were right and no longer are, `improved` the
    opposite; without one they count lost and gained links.
    """

    lost: tuple[AwardChange, ...] = ()
    gained: tuple[AwardChange, ...] = ()
    relinked: tuple[AwardChange, ...] = ()
    worsened: int = 0
    improved: int = 0
    mcnemar_p: float = 1.0
    severity: Severity = Severity.OK
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One metric that got worse slowly: beyond its limit against an older Run than the reference.

    `against` says in words which Run that is. `ratio` is head / older Run, None where that is not above 0.
    """

    metric: str
    against: str
    reference_started_at: str
    reference_commit: str
    ratio: float | None
    severity: Severity
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says, why, and everything needed to show it."""

    gate: str
    outcome: Outcome
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    records: RecordChanges
    head_started_at: str
    head_commit: str
    reference_started_at: str = ""
    reference_commit: str = ""
    notes: tuple[str, ...] = ()
    drift: tuple[DriftFinding, ...] = ()
