"""Findings: what comparing found, as facts. Their messages are made in reporting, by `rule`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import UnionType
from typing import Self

from sbir_gate.model.waiver import Waiver

Fact = str | int | float | tuple[str, ...]
"""A named parameter of a message."""


class Severity(StrEnum):
    """What one metric or one finding contributes to the verdict."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


# an inconclusive may hide a failure, so it outranks a warning
MOST_SEVERE_FIRST = (Severity.FAIL, Severity.INCONCLUSIVE, Severity.WARN, Severity.INFO, Severity.OK)


class Rule(StrEnum):
    """The kind of a finding. Each has its message, meaning and fix in docs/messages.md.

    `needs` are the facts, and fields of the finding, without which there is no message.
    """

    needs: tuple[str, ...]

    def __new__(cls, id_: str, needs: str = "") -> Self:
        """Make a rule of its id and the names of what it needs."""
        rule = str.__new__(cls, id_)
        rule._value_ = id_
        rule.needs = tuple(needs.split())
        return rule

    # the Run itself
    NO_RECORDS = "no-records"
    NO_REPEATS = "no-repeats"
    NOT_DETERMINISTIC = "not-deterministic", "repeats outputs"
    SEGMENT_GONE = "segment-gone", "dimension value awards"
    SEGMENT_UNLINKED = "segment-unlinked", "dimension value links"
    ALL_UNLINKED = "all-unlinked", "links"
    ERROR = "error", "text"

    # why nothing was compared
    BASE_LACKS_FILES = "base-lacks-files", "commit names"
    OTHER_GATE = "other-gate", "reference_gate head_gate"
    FIXTURE_CHANGED = "fixture-changed", "before after"
    FIXTURE_EDIT_UNJUDGED = "fixture-edit-unjudged"
    REFERENCE_EMPTY = "reference-empty", "missing"
    BASE_OUTDATED = "base-outdated", "commit lacks target"
    UNPROVEN_CLAIM = "unproven-claim", "claim"

    # a metric that cannot be judged at all
    METRIC_GONE = "metric-gone", "metric required_by"
    METRIC_REPEATED = "metric-repeated", "metric side times"
    METRIC_EMPTY = "metric-empty", "metric side"
    METRIC_UNDEFINED = "metric-undefined", "metric side"
    UNIT_DIFFERS = "unit-differs", "metric side unit_found unit_expected"
    REPEATS_DISAGREE = "repeats-disagree", "metric side"
    STAGE_SKIPPED = "stage-skipped", "metric skipped repeats"
    METHOD_DIFFERS = "method-differs", "metric head_method reference_method"

    # a metric against its limits
    BELOW_MINIMUM = "below-minimum", "metric measured limit limit_kind"
    ABOVE_MAXIMUM = "above-maximum", "metric measured limit limit_kind"
    REGRESSION = "regression", "metric measured reference change limit limit_kind"
    POSSIBLE_REGRESSION = "possible-regression", "metric measured reference change limit limit_kind doubt"
    FIRST_RUN_SLOWER = "first-run-slower", "metric measured reference change limit limit_kind later"
    RESULTS_KEPT = "results-kept", "metric measured later"
    HARMLESS = "harmless", "metric measured reference change limit limit_kind"
    DRIFT = "drift", "metric measured reference change limit limit_kind days reference_started_at"

    # award by award
    AWARDS_WORSENED = "awards-worsened", "measured limit limit_kind improved"
    AWARDS_UNDECIDED = "awards-undecided", "awards"
    AWARDS_DECIDED_TWICE = "awards-decided-twice", "awards"
    ONE_RECIPIENT_GAINS = "one-recipient-gains", "awards firms recipient_id links_before"

    # how it was compared
    NO_BASELINE = "no-baseline"
    GATE_IS_NEW = "gate-is-new", "target"
    BASELINE_STARTS = "baseline-starts", "before after awards"
    COMMON_AWARDS = "common-awards", "before after awards"
    OTHER_DATA = "other-data"
    METRICS_RETIRED = "metrics-retired", "names"
    ENRICHER_DIFFERS = "enricher-differs", "before after"
    SETTINGS_DIFFER = "settings-differ"
    TRUTH_DIFFERS = "truth-differs"
    RECIPIENT_IDS_SHARED = "recipient-ids-shared", "count examples"
    JUDGED_BY_PAIRS = "judged-by-pairs", "pairs"
    MACHINES_DIFFER = "machines-differ"
    CALIBRATED_BY_SPEED = "calibrated-by-speed"
    KNOWN_NOISE = "known-noise"
    OLDER_DEFINITION = "older-definition", "metric reference_version head_version"
    NEWER_DEFINITION = "newer-definition", "metric reference_version head_version"
    OTHER_METHOD = "other-method", "metric reference_method head_method"
    METRIC_RENAMED = "metric-renamed", "metric old"
    RENAME_IGNORED = "rename-ignored", "old new obstacle"
    BLIND_SPOT = "blind-spot", "metric"
    SMALLER_FIXTURE = "smaller-fixture"
    DRIFT_NOT_JUDGED = "drift-not-judged", "fault"
    DRIFT_REDEFINED = "drift-redefined", "names"
    RECOVERED = "recovered", "previous outcome"

    # how base and head were run
    SAME_COMMIT = "same-commit"
    ENVIRONMENT_SHARED = "environment-shared", "names reason"
    ENVIRONMENT_OWN = "environment-own", "names"
    PACKAGES_CHANGED = "packages-changed", "packages"
    SETTING_OF_BASE = "setting-of-base", "setting head base"
    SETTINGS_OF_BASE = "settings-of-base", "count names"
    SETTINGS_UNKNOWN = "settings-unknown", "names"
    SUBMODULES_MISSING = "submodules-missing"
    LFS_POINTERS = "lfs-pointers"
    ENGINE_INSTALLED = "engine-installed"
    COMMAND_WITHOUT_FILES = "command-without-files"
    BUDGET_SPENT = "budget-spent", "max_seconds done min_pairs needed_seconds"
    BASELINE_REMEASURED = "baseline-remeasured"
    SOURCES_UNMATCHED = "sources-unmatched", "names"

    # the policy
    NAME_AMBIGUOUS = "name-ambiguous", "name used other commit"
    TARGET_NOT_FOUND = "target-not-found", "commit target"
    HISTORY_NOT_USED = "history-not-used", "place entries names source runs ref"
    WAIVER_EXPIRED = "waiver-expired", "metric waiver"
    WAIVER_POWERLESS = "waiver-powerless", "metric waiver"
    WAIVER_UNUSED = "waiver-unused", "metric waiver"
    WAIVER_RENAMED = "waiver-renamed", "metric waiver"
    STRICTER_TARGET = "stricter-target", "target names"
    POLICY_NOT_FOUND = "policy-not-found", "commit"
    MEASURED_BY_FORK = "measured-by-fork"

    # the checks of a pipeline's assets
    ROWS_READ = "rows-read", "awards rows measured"
    ROWS_UNREADABLE = "rows-unreadable", "awards rows measured limit"
    AWARDS_COMPLETE = "awards-complete", "complete awards measured"
    AWARDS_INCOMPLETE = "awards-incomplete", "complete awards measured limit"
    IDS_UNIQUE = "ids-unique", "ids"
    IDS_REPEATED = "ids-repeated", "ids"
    IDS_DOUBLED = "ids-doubled", "awards"
    RECIPIENTS_READ = "recipients-read"
    RECIPIENTS_UNREADABLE = "recipients-unreadable", "fault"
    CHECK_FAILED = "check-failed", "text asset check"
    STEP_FAILED = "step-failed", "text step"
    RUN_FAILED = "run-failed", "text"

    # what a run of a pipeline comes to
    RUN_REFUSED = "run-refused", "run"
    RUN_BROKEN = "run-broken", "run"
    RUN_WARNED = "run-warned", "run"
    RUN_STILL_FAILS = "run-still-fails", "run since"
    RUN_STILL_WARNS = "run-still-warns", "run since"
    RUN_RECOVERED = "run-recovered", "run since"
    BACKFILL_FAILED = "backfill-failed", "run failed partitions"
    BACKFILL_WARNED = "backfill-warned", "run partitions"
    BACKFILL_RECOVERED = "backfill-recovered", "run partitions"
    NO_LIMIT = "no-limit"
    TIME_NOT_JUDGED = "time-not-judged"
    SMALL_SAMPLE = "small-sample", "metric measured whole low high least"
    PARTITION_EMPTY = "partition-empty", "place"

    # a document of an older version, or a note of a step that has no rule of its own
    AS_RECORDED = "as-recorded", "text"

    # no finding at all: shows that notifications arrive
    TEST_ALERT = "test-alert"


# They make the verdict incomparable, not failed: nothing was shown to be worse, and nothing to be unharmed.
OBSTACLES = frozenset(
    {
        Rule.BASE_LACKS_FILES,
        Rule.OTHER_GATE,
        Rule.FIXTURE_CHANGED,
        Rule.FIXTURE_EDIT_UNJUDGED,
        Rule.REFERENCE_EMPTY,
        Rule.BASE_OUTDATED,
        Rule.UNPROVEN_CLAIM,
    }
)


class LimitKind(StrEnum):
    """Which limit a value breaks: an absolute one, a relative one, or how many awards may worsen."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    WARN = "warn"
    FAIL = "fail"
    MAX_LOST = "max-lost"


ABSOLUTE = frozenset({LimitKind.MINIMUM, LimitKind.MAXIMUM})


class Excuse(StrEnum):
    """Why a limit that is broken does not fail.

    already-so: the reference breaks it too, and head is not worse. harmless: links fell, but no award
    worsened by it, or too few to break the limit. partly-harmless: too few worsened to break the more severe
    limit; only those count.
    """

    ALREADY_SO = "already-so"
    HARMLESS = "harmless"
    PARTLY_HARMLESS = "partly-harmless"


class OnFixture(StrEnum):
    """On which fixture something was found, where the change edits the fixture."""

    BASE = "base"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, as far as it is known; the path is relative to the repository, or absolute."""

    path: str
    line: int = 0


def place_of(origin: str) -> Place | None:
    """Return the place that the origin of a setting names (`gate.yaml:4`); None for what has no line."""
    path, _, line = origin.rpartition(":")
    # of a policy that comes from a commit, the file is named with it
    path = path.partition(" at commit ")[0]
    return Place(path, int(line)) if path and line.isascii() and line.isdigit() else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, without words.

    `measured` and `reference` are medians in `unit`, `limit` is what `limit_kind` says: in `unit`, in percent
    of the reference (warn, fail), or a number of awards. `ratio` is what is judged of measured / reference,
    `ratio_low` and `ratio_high` are its interval. `place` is where the fault is. `waiver` is the waiver for
    what was found: it reaches where the severity is a warning, and does not where it is a failure. `fixture`
    is given where the change edits the fixture. `facts` are the other parameters of the message.
    """

    rule: Rule
    severity: Severity
    metric: str = ""
    unit: str = ""
    measured: float | None = None
    limit: float | None = None
    limit_kind: LimitKind | None = None
    reference: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    place: Place | None = None
    award_ids: tuple[str, ...] = ()
    excuse: Excuse | None = None
    waiver: Waiver | None = None
    fixture: OnFixture | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Findings with equal keys are about the same thing."""
        return "/".join(filter(None, (self.rule.value, self.metric, self.fixture)))

    @property
    def is_deciding(self) -> bool:
        """Say whether it has a part in the outcome; what has none is a note."""
        return self.severity not in {Severity.INFO, Severity.OK}


# the kinds of facts by their names: all others are numbers
_LISTS = frozenset({"names", "lacks", "examples", "recipient_ids", "packages", "log", "in_partitions"})
_TEXTS = frozenset(
    {
        *("after", "asset", "base", "before", "began_at", "began_commit", "check", "claim", "commit"),
        *("dimension", "doubt", "fault", "file", "head", "head_gate", "head_method", "hint", "missing"),
        *(
            "name",
            "new",
            "obstacle",
            "old",
            "other",
            "outcome",
            "place",
            "previous",
            "reason",
            "recipient_id",
            "run",
            "since",
            "step",
        ),
        *("ref", "reference_commit", "reference_gate", "reference_method", "reference_started_at"),
        *("required_by", "setting", "side", "source", "tag", "target", "text", "unit_expected", "unit_found"),
        *("used", "value"),
        # of an error
        *("problem", "context", "path", "column", "command", "log_file"),
    }
)


def finding_fault(findings: Iterable[Finding]) -> str:
    """Return what the first of the findings lacks or has of a wrong type; empty where all can be worded."""
    return next(filter(None, map(_fault, findings)), "")


def _fault(finding: Finding) -> str:
    facts, rule = finding.facts, finding.rule
    for name in rule.needs:
        if name not in facts and getattr(finding, name, None) in {None, ""}:
            return f"a finding of the rule {rule} has no {name}"
    for name, fact in facts.items():
        is_figure = rule is Rule.KNOWN_NOISE or name not in _LISTS | _TEXTS
        type_: type | UnionType = int | float if is_figure else tuple if name in _LISTS else str
        if not isinstance(fact, type_):
            kind = "a number" if is_figure else "a list" if name in _LISTS else "a text"
            return f"a finding of the rule {rule} has {name[:80]} {str(fact)[:80]!r}, which is not {kind}"
    return ""


def note(rule: Rule, /, **facts: Fact) -> Finding:
    """Return a finding that nothing is failed for."""
    return Finding(rule, Severity.INFO, facts=facts)


def recorded(text: str, severity: Severity = Severity.INFO) -> Finding:
    """Return the finding of a text that was made elsewhere: by an older version, or by another program."""
    return Finding(Rule.AS_RECORDED, severity, facts={"text": text})


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the most severe: fail, inconclusive, warn, info, ok. An inconclusive may hide a failure."""
    return min(severities, key=MOST_SEVERE_FIRST.index, default=Severity.OK)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings without repetitions: failures, obstacles, undecided, warnings, then notes."""
    unique = {repr(finding): finding for finding in findings}
    return tuple(sorted(unique.values(), key=_rank))


def _rank(finding: Finding) -> tuple[int, bool]:
    return MOST_SEVERE_FIRST.index(finding.severity), finding.rule in OBSTACLES
