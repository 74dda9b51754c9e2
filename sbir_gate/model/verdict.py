"""The judgement: the policy it follows, the change of each metric, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.effects import Effect, effect_of
from sbir_gate.model.finding import Excuse, Finding, LimitKind, Rule, Severity, finding_fault, in_order
from sbir_gate.model.fixture_edits import FixtureEdits, edits_fault
from sbir_gate.model.moments import utc
from sbir_gate.model.run import Call, MetricKind, PopulationRate, TargetBranch, Timing
from sbir_gate.model.waiver import Waiver


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


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """How one metric is judged.

    `minimum` and `maximum` are absolute, in `unit`. `warn_percent` and `fail_percent` are relative
    changes for the worse against the reference. A change smaller than `smallest_change` (absolute,
    in `unit`) never counts. None switches a limit off. `absolute_severity` is what a breach of
    `minimum` or `maximum` means. A name that ends in `/*` is a pattern: the limit holds for every metric
    of that group without a limit of its own.
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

    `limits` may hold patterns: ask `limits_on` or `limit_of`. `max_lost` is how many awards may worsen
    (`Effect`) before the gate fails, whatever improved. `significance` is the level of the exact McNemar
    test. `unjudged` are metrics, or patterns, that the settings switch off.
    """

    limits: tuple[MetricLimit, ...]
    max_lost: int = 5
    significance: float = 0.05
    unjudged: tuple[str, ...] = ()

    def limits_on(self, metrics: Iterable[str]) -> tuple[MetricLimit, ...]:
        """Return the limits for Runs with these metrics: a pattern gives one for each metric it holds for."""
        limited = {limit.name for limit in self.limits}
        held_by = {metric: self._held_by(metric, limited) for metric in metrics}
        return tuple(
            found
            for limit in self.limits
            for found in (
                [replace(limit, name=metric) for metric, name in held_by.items() if name == limit.name]
                if is_pattern(limit.name)
                else [limit]
            )
        )

    def limit_of(self, metric: str) -> MetricLimit | None:
        """Return the limit on one metric, None where there is none."""
        return next((limit for limit in self.limits_on([metric]) if limit.name == metric), None)

    def is_unjudged(self, metric: str) -> bool:
        """Say whether the settings switch off this metric, or the group that it belongs to."""
        if not self.unjudged:
            return False
        return self._held_by(metric, {limit.name for limit in self.limits}) in self.unjudged

    def _held_by(self, metric: str, limited: Container[str]) -> str:
        """Return the name in the settings that decides about the metric, an empty string for none."""
        names = limit_names(metric)
        return next((name for name in names if name in limited or name in self.unjudged), "")


_PATTERN_END = "/*"


def is_pattern(name: str) -> bool:
    """Say whether the name of a limit means a group of metrics, like `links/*`."""
    return name.endswith(_PATTERN_END)


def limit_names(metric: str) -> tuple[str, ...]:
    """Return the names under which the settings may limit a metric, the one that wins first."""
    groups = metric.removesuffix(_PATTERN_END).split("/")
    if not is_pattern(metric):
        groups.pop()
    patterns = ("/".join(groups[:depth]) + _PATTERN_END for depth in range(len(groups), 0, -1))
    return tuple(dict.fromkeys((metric, *patterns)))


class NotCompared(StrEnum):
    """Why head's value of a metric was not held against the reference's."""

    OLDER_DEFINITION = "older-definition"
    NEWER_DEFINITION = "newer-definition"
    OTHER_METHOD = "other-method"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a metric: `value` is in its unit, or (warn, fail) in percent of the reference."""

    kind: LimitKind
    value: float
    severity: Severity = Severity.FAIL


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of head against the reference.

    `head` and `reference` are the medians as measured. `ratio` is what is judged of head / reference: by the
    pairs where both were measured side by side, calibrated where the machines differ (`is_calibrated`);
    `ratio_low` and `ratio_high` are its interval (equal for exact metrics), `delta` is the same change
    in `unit`. They are None where there is no reference value. `raw_ratio` is uncalibrated.
    `is_significant` is False when the interval covers "no change". `is_judged` is False when the interval
    does not tell whether the fail limit is broken.
    `smallest_detectable` is the regression, as a share of the reference (0.1 is 10%), that would just
    have been detected; None for exact metrics and where there is no interval.
    `limits` are all limits of the metric, `broken` those that gave it its severity; the verdict's findings on
    `metric` have the figures. `excuse` is why it is not more severe. `is_sound` is False for what cannot be
    judged at all (gone, not a number, there twice), `is_measured` where time was not measured.
    `waivable_percent` is the limit that a waiver of a failure needs, None where no waiver helps.
    `renamed_from` is the name that the metric has in the reference, empty for the same one.
    `is_gone` says that head does not have the metric at all.
    `not_compared` says why there is no comparison though the reference has the metric; then `reference` is
    None, and only the absolute limits were judged.
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
    limits: tuple[Limit, ...] = ()
    broken: tuple[Limit, ...] = ()
    smallest_detectable: float | None = None
    excuse: Excuse | None = None
    renamed_from: str = ""
    is_gone: bool = False
    not_compared: NotCompared | None = None
    is_calibrated: bool = False
    is_judged: bool = True
    is_sound: bool = True
    is_measured: bool = True
    waivable_percent: float | None = None


_KINDS_BY_UNIT = {"s": "time", "1/s": "time", "MiB": "memory"}


def kind_of(change: Change) -> str:
    """Return what a metric measures, as people ask for it: "time", "memory", else its name."""
    return _KINDS_BY_UNIT.get(change.unit, change.metric)


def not_judged(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return of which kind the metrics are that were not judged and say so nowhere else: "time", "memory"."""
    return tuple(
        dict.fromkeys(
            kind_of(change)
            for change in changes
            if not change.is_judged and change.severity is not Severity.INCONCLUSIVE
        )
    )


class LostBy(StrEnum):
    """The stage in which a recipient was lost that an award was linked to before.

    blocking: head does not name it as a candidate at all. scoring: it does, but prefers another.
    acceptance: head likes it best and is not sure enough to link it.
    """

    BLOCKING = "blocking"
    SCORING = "scoring"
    ACCEPTANCE = "acceptance"


@dataclass(frozen=True, slots=True)
class AwardChange:
    """One award whose link differs: before and after, and whether the truth calls it an improvement.

    `was_right` and `is_right` are None for an award without a label. `lost_by` is None for what was not lost,
    and where the enricher names no candidates. All after it are empty or None where they are not
    known; names, UEIs and confidences are of the linked recipients.
    """

    award_id: str
    firm_name: str
    before_recipient_id: str
    after_recipient_id: str
    before_method: str
    after_method: str
    was_right: bool | None
    is_right: bool | None
    lost_by: LostBy | None = None
    phase: str = ""
    company_size: str = ""
    identifier_type: str = ""
    before_name: str = ""
    before_uei: str = ""
    after_name: str = ""
    after_uei: str = ""
    before_confidence: float | None = None
    after_confidence: float | None = None

    @property
    def effect(self) -> Effect:
        """Whether the award is better or worse off."""
        return effect_of(self.before_recipient_id, self.after_recipient_id, self.was_right, self.is_right)


@dataclass(frozen=True, slots=True)
class MethodMove:
    """How many awards kept their recipient, linked by another method; `unlabelled` are some of them."""

    before_method: str
    after_method: str
    links: int
    unlabelled: int = 0


@dataclass(frozen=True, slots=True)
class SliceChanges:
    """How many links changed within one slice of the awards, e.g. dimension `phase`, value `II`."""

    dimension: str
    value: str
    lost: int
    gained: int
    relinked: int


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """Award by award: links lost, gained and re-linked, with the exact McNemar p-value.

    `worsened` counts the awards whose `effect` is in WORSENED, `improved` those in IMPROVED. `is_sound` is
    False where head's decisions do not cover every award: no waiver accepts that. `slices` counts
    the changes by method (that lost or made the link), stage, phase, company size and identifier type.
    `moves` are links to the same recipient by another method. The last four count what is not a change of a
    link: review candidates that are gone, new, or another recipient, and links to the same recipient whose
    score or confidence differs.
    """

    lost: tuple[AwardChange, ...] = ()
    gained: tuple[AwardChange, ...] = ()
    relinked: tuple[AwardChange, ...] = ()
    worsened: int = 0
    improved: int = 0
    mcnemar_p: float = 1.0
    severity: Severity = Severity.OK
    is_sound: bool = True
    slices: tuple[SliceChanges, ...] = ()
    moves: tuple[MethodMove, ...] = ()
    candidates_lost: int = 0
    candidates_gained: int = 0
    candidates_changed: int = 0
    scores_changed: int = 0

    @property
    def effects(self) -> Mapping[Effect, int]:
        """How many awards there are of each effect, the most severe first; none with a count of 0."""
        counts = Counter(change.effect for change in (*self.lost, *self.relinked, *self.gained))
        return {effect: counts[effect] for effect in Effect if counts[effect]}


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """One thing that the gate judges by and that head changes: what, and both values as text."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, what was found, and everything needed to show it.

    `findings` are ordered: failures, obstacles, what is undecided, warnings, then notes. `waivers` are those
    that let something pass. `policy_commit` is the commit that the policy was taken from, empty for the
    working tree; then `policy_edits` is what head changes of it, and `own_policy_outcome` what the outcome
    would be by head's own policy. `target` is there where the policy is that of a commit. `fixture_edits` is
    what head edits of the base's fixture; then `changes` and `records` are of that wherever it was measured,
    and `own_fixture_changes` are the metrics on head's own, judged by the absolute limits.
    `timing` is head's. `population` is the match rate of all awards, if known. `call` is there without a Run.
    """

    gate: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    records: RecordChanges
    head_started_at: datetime
    head_commit: str
    reference_started_at: datetime | None = None
    reference_commit: str = ""
    waivers: tuple[Waiver, ...] = ()
    policy_commit: str = ""
    policy_edits: tuple[PolicyEdit, ...] = ()
    own_policy_outcome: Outcome | None = None
    target: TargetBranch | None = None
    fixture_edits: FixtureEdits | None = None
    own_fixture_changes: tuple[Change, ...] = ()
    timing: Timing = Timing.MEASURED
    population: PopulationRate | None = None
    call: Call | None = None

    def __post_init__(self) -> None:
        """Bring the starts to UTC."""
        object.__setattr__(self, "head_started_at", utc(self.head_started_at))
        if self.reference_started_at is not None:
            object.__setattr__(self, "reference_started_at", utc(self.reference_started_at))

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that the outcome rests on, the most severe first."""
        return tuple(finding for finding in self.findings if finding.is_deciding)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that a reader should know and that nothing is failed for."""
        return tuple(finding for finding in self.findings if not finding.is_deciding)

    def found(self, *findings: Finding) -> Verdict:
        """Return the verdict with more findings, and the same outcome."""
        return replace(self, findings=in_order((*self.findings, *findings)))

    @property
    def drift(self) -> tuple[Finding, ...]:
        """The findings against older Runs than the reference."""
        return tuple(finding for finding in self.findings if finding.rule is Rule.DRIFT)


@dataclass(frozen=True, slots=True)
class PromotionObstacle:
    """Why a Run may not become the baseline: it drifted, or (`outcome`) its verdict does not allow it.

    `findings` are those that decide.
    """

    findings: tuple[Finding, ...]
    outcome: Outcome | None = None


_REFUSING = frozenset({Outcome.FAIL, Outcome.INCOMPARABLE, Outcome.ERROR})


def verdict_fault(verdict: Verdict) -> str:
    """Return what cannot be true: what a finding lacks, or an outcome against the findings; else empty."""
    rate_fault = verdict.population.fault if verdict.population else ""
    if fault := finding_fault(verdict.findings) or edits_fault(verdict.fixture_edits) or rate_fault:
        return fault
    is_refused = verdict.outcome in _REFUSING
    has_failure = any(finding.severity is Severity.FAIL for finding in verdict.findings)
    found = "a" if has_failure else "no"
    said = f"the outcome is {verdict.outcome}, but {found} finding has the severity fail"
    return "" if is_refused is has_failure else said
