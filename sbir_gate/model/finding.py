"""Findings: what comparing found, as facts. Their messages are made in reporting, by `rule`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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
    """The kind of a finding. Each has its message, meaning and fix in docs/messages.md."""

    # the Run itself
    NO_RECORDS = "no-records"
    NO_REPEATS = "no-repeats"
    NOT_DETERMINISTIC = "not-deterministic"
    SEGMENT_GONE = "segment-gone"
    SEGMENT_UNLINKED = "segment-unlinked"
    ERROR = "error"

    # why nothing was compared
    BASE_LACKS_FILES = "base-lacks-files"
    OTHER_GATE = "other-gate"
    FIXTURE_CHANGED = "fixture-changed"
    FIXTURE_EDIT_UNJUDGED = "fixture-edit-unjudged"
    REFERENCE_EMPTY = "reference-empty"
    BASE_OUTDATED = "base-outdated"
    UNPROVEN_CLAIM = "unproven-claim"

    # a metric that cannot be judged at all
    METRIC_GONE = "metric-gone"
    METRIC_REPEATED = "metric-repeated"
    METRIC_EMPTY = "metric-empty"
    METRIC_UNDEFINED = "metric-undefined"
    UNIT_DIFFERS = "unit-differs"
    REPEATS_DISAGREE = "repeats-disagree"
    STAGE_SKIPPED = "stage-skipped"
    METHOD_DIFFERS = "method-differs"

    # a metric against its limits
    BELOW_MINIMUM = "below-minimum"
    ABOVE_MAXIMUM = "above-maximum"
    REGRESSION = "regression"
    POSSIBLE_REGRESSION = "possible-regression"
    FIRST_RUN_SLOWER = "first-run-slower"
    RESULTS_KEPT = "results-kept"
    HARMLESS = "harmless"
    DRIFT = "drift"

    # award by award
    AWARDS_WORSENED = "awards-worsened"
    AWARDS_UNDECIDED = "awards-undecided"
    AWARDS_DECIDED_TWICE = "awards-decided-twice"
    ONE_RECIPIENT_GAINS = "one-recipient-gains"

    # how it was compared
    NO_BASELINE = "no-baseline"
    GATE_IS_NEW = "gate-is-new"
    BASELINE_STARTS = "baseline-starts"
    COMMON_AWARDS = "common-awards"
    OTHER_DATA = "other-data"
    METRICS_RETIRED = "metrics-retired"
    ENRICHER_DIFFERS = "enricher-differs"
    SETTINGS_DIFFER = "settings-differ"
    TRUTH_DIFFERS = "truth-differs"
    JUDGED_BY_PAIRS = "judged-by-pairs"
    MACHINES_DIFFER = "machines-differ"
    CALIBRATED_BY_SPEED = "calibrated-by-speed"
    KNOWN_NOISE = "known-noise"
    OLDER_DEFINITION = "older-definition"
    NEWER_DEFINITION = "newer-definition"
    OTHER_METHOD = "other-method"
    METRIC_RENAMED = "metric-renamed"
    RENAME_IGNORED = "rename-ignored"
    BLIND_SPOT = "blind-spot"
    SMALLER_FIXTURE = "smaller-fixture"
    DRIFT_NOT_JUDGED = "drift-not-judged"
    DRIFT_REDEFINED = "drift-redefined"
    RECOVERED = "recovered"

    # how base and head were run
    SAME_COMMIT = "same-commit"
    ENVIRONMENT_SHARED = "environment-shared"
    ENVIRONMENT_OWN = "environment-own"
    PACKAGES_CHANGED = "packages-changed"
    SETTING_OF_BASE = "setting-of-base"
    SETTINGS_OF_BASE = "settings-of-base"
    SETTINGS_UNKNOWN = "settings-unknown"
    SUBMODULES_MISSING = "submodules-missing"
    LFS_POINTERS = "lfs-pointers"
    ENGINE_INSTALLED = "engine-installed"
    COMMAND_WITHOUT_FILES = "command-without-files"
    BUDGET_SPENT = "budget-spent"
    BASELINE_REMEASURED = "baseline-remeasured"
    SOURCES_UNMATCHED = "sources-unmatched"

    # the policy
    NAME_AMBIGUOUS = "name-ambiguous"
    TARGET_NOT_FOUND = "target-not-found"
    HISTORY_NOT_USED = "history-not-used"
    WAIVER_EXPIRED = "waiver-expired"
    WAIVER_POWERLESS = "waiver-powerless"
    WAIVER_UNUSED = "waiver-unused"
    WAIVER_RENAMED = "waiver-renamed"
    STRICTER_TARGET = "stricter-target"
    POLICY_NOT_FOUND = "policy-not-found"
    MEASURED_BY_FORK = "measured-by-fork"

    # the checks of a pipeline's assets
    ROWS_READ = "rows-read"
    ROWS_UNREADABLE = "rows-unreadable"
    AWARDS_COMPLETE = "awards-complete"
    AWARDS_INCOMPLETE = "awards-incomplete"
    IDS_UNIQUE = "ids-unique"
    IDS_REPEATED = "ids-repeated"
    IDS_DOUBLED = "ids-doubled"
    RECIPIENTS_READ = "recipients-read"
    RECIPIENTS_UNREADABLE = "recipients-unreadable"
    CHECK_FAILED = "check-failed"
    NO_LIMIT = "no-limit"
    TIME_NOT_JUDGED = "time-not-judged"

    # a document of an older version, or a note of a step that has no rule of its own
    AS_RECORDED = "as-recorded"


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


def note(rule: Rule, **facts: Fact) -> Finding:
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
