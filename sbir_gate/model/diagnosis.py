"""What is wrong with a set-up (`doctor`), what an engine does and writes (`check-engine`), and what was read.

Their texts are made in reporting, by `flaw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sbir_gate.model.finding import Fact


class Gravity(StrEnum):
    """An error is a set-up that cannot work; a warning is one that does less than it seems to.

    A note is a fact about a sound set-up, or a part of the contract that an engine keeps.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Flaw(StrEnum):
    """The kind of a diagnosis. Each has its text and its fix in docs/messages.md."""

    # settings, files and machine
    INPUT_ERROR = "input-error"
    INVALID_SETTING = "invalid-setting"
    UNREADABLE_WORKFLOW = "unreadable-workflow"
    UNMATCHED_SOURCE = "unmatched-source"
    NO_PROGRAM = "no-program"
    NO_TRUTH = "no-truth"
    LABELS = "labels"
    POPULATION_UNKNOWN = "population-unknown"
    LOCK_MISSING = "lock-missing"
    LOCK_NOT_INSTALLABLE = "lock-not-installable"
    ONE_CORE = "one-core"
    TOO_MANY_WORKERS = "too-many-workers"
    TOO_LITTLE_MEMORY = "too-little-memory"
    REPORTS_UNREADABLE = "reports-unreadable"
    DISK_FULL = "disk-full"

    # what an engine does and writes: first what is as it must be
    ENGINE_RAN = "engine-ran"
    ENGINE_OUTPUT = "engine-output"
    ENGINE_COLUMNS = "engine-columns"
    ENGINE_COLUMN_USED = "engine-column-used"
    ENGINE_COLUMN_UNUSED = "engine-column-unused"
    ENGINE_ROWS = "engine-rows"
    ENGINE_METHODS = "engine-methods"
    ENGINE_SCORES = "engine-scores"
    ENGINE_RECIPIENTS = "engine-recipients"
    ENGINE_METRICS = "engine-metrics"
    ENGINE_METRICS_ABSENT = "engine-metrics-absent"
    ENGINE_REPEATED = "engine-repeated"

    # and what is not
    ENGINE_BROKE = "engine-broke"
    ENGINE_FILE_INVALID = "engine-file-invalid"
    ENGINE_CELLS_INVALID = "engine-cells-invalid"
    ENGINE_COLUMNS_MISSING = "engine-columns-missing"
    ENGINE_ROWS_MISSING = "engine-rows-missing"
    ENGINE_ROWS_DOUBLED = "engine-rows-doubled"
    ENGINE_ROWS_UNKNOWN = "engine-rows-unknown"
    ENGINE_RECIPIENTS_UNKNOWN = "engine-recipients-unknown"
    ENGINE_SCORES_OF_ONE = "engine-scores-of-one"
    ENGINE_WITHOUT_LINKS = "engine-without-links"
    ENGINE_WROTE_ELSEWHERE = "engine-wrote-elsewhere"
    ENGINE_COUNTERS_DIFFER = "engine-counters-differ"
    ENGINE_NOT_DETERMINISTIC = "engine-not-deterministic"

    # which rows, columns and identifiers of awards and recipients were read and used
    READING_COLUMNS = "reading-columns"
    READING_COLUMNS_ABSENT = "reading-columns-absent"
    READING_NO_IDENTIFIER = "reading-no-identifier"
    READING_AWARDS = "reading-awards"
    READING_RECIPIENTS = "reading-recipients"
    READING_LEFT_OUT = "reading-left-out"
    READING_UNLINKABLE = "reading-unlinkable"
    READING_COLUMNS_JOINED = "reading-columns-joined"
    READING_COLUMNS_DIFFER = "reading-columns-differ"
    READING_BAD_FORM = "reading-bad-form"
    READING_PLACEHOLDER = "reading-placeholder"
    READING_GENERIC = "reading-generic"
    READING_COLUMN_RENAMED = "reading-column-renamed"
    READING_LINES_SKIPPED = "reading-lines-skipped"
    READING_HEADER_SHORT = "reading-header-short"
    READING_TYPES_DIFFER = "reading-types-differ"
    READING_IDS_DERIVED = "reading-ids-derived"
    READING_IDS_REPEAT = "reading-ids-repeat"
    RECIPIENT_IDS_SHARED = "recipient-ids-shared"

    # limits
    WARN_ABOVE_FAIL = "warn-above-fail"
    WARN_EQUALS_FAIL = "warn-equals-fail"
    MINIMUM_NEVER_BROKEN = "minimum-never-broken"
    MAXIMUM_NEVER_BROKEN = "maximum-never-broken"
    MINIMUM_ALWAYS_BROKEN = "minimum-always-broken"
    FALL_NEVER_REACHED = "fall-never-reached"
    WITHOUT_LIMIT = "without-limit"
    TOO_FEW_REPEATS = "too-few-repeats"
    TOO_FEW_PAIRS = "too-few-pairs"
    LIMIT_BELOW_NOISE = "limit-below-noise"

    # baseline
    BASELINE_MISSING = "baseline-missing"
    BASELINE_UNSOUND = "baseline-unsound"
    BASELINE_OF_OTHER_FIXTURE = "baseline-of-other-fixture"
    BASELINE_OLD = "baseline-old"
    BASELINE_OF_OTHER_ENRICHER = "baseline-of-other-enricher"
    BASELINE_OF_OTHER_SETTINGS = "baseline-of-other-settings"
    BASELINE_OF_OTHER_VERSION = "baseline-of-other-version"
    BASELINE_UNCOMMITTED = "baseline-uncommitted"
    BASELINE_WITHOUT_SEGMENTS = "baseline-without-segments"
    BASELINE_LACKS_METRIC = "baseline-lacks-metric"
    BASELINE_HAS_OTHER_UNIT = "baseline-has-other-unit"
    BASELINE_FAILS_LIMIT = "baseline-fails-limit"
    BASELINE_BREAKS_LIMIT = "baseline-breaks-limit"

    # waivers
    WAIVERS_FILE_MISSING = "waivers-file-missing"
    INVALID_WAIVER = "invalid-waiver"
    WAIVER_OUTDATED = "waiver-outdated"
    WAIVER_OVER = "waiver-over"
    WAIVER_NOT_NEEDED = "waiver-not-needed"
    WAIVER_WITHIN_MAX_LOST = "waiver-within-max-lost"
    WAIVER_WITHOUT_LIMIT = "waiver-without-limit"
    WAIVER_MISSPELLED = "waiver-misspelled"
    WAIVER_WITHIN_LIMIT = "waiver-within-limit"

    # readiness for a deployment: first what holds
    RUN_PASSED = "run-passed"
    BASELINE_FRESH = "baseline-fresh"
    ALERT_SENT = "alert-sent"
    REVIEWED = "reviewed"
    NO_RUN_OF_GATE = "no-run-of-gate"
    RUN_NOT_PASSED = "run-not-passed"
    MATCH_RATE_TOO_LOW = "match-rate-too-low"
    RUN_TOO_OLD = "run-too-old"
    NO_WEBHOOK = "no-webhook"
    ALERT_NOT_TESTED = "alert-not-tested"
    CHECKLIST_UNREADABLE = "checklist-unreadable"
    CHECKLIST_EMPTY = "checklist-empty"
    NOT_REVIEWED = "not-reviewed"
    REVIEW_DATE_INVALID = "review-date-invalid"
    REVIEW_OLD = "review-old"

    # workflows
    PATH_FILTER = "path-filter"
    NO_PERMISSIONS = "no-permissions"
    PERMISSION_MISSING = "permission-missing"
    STRANGERS_CODE = "strangers-code"
    SHALLOW_CHECKOUT = "shallow-checkout"
    ACTION_MISSING = "action-missing"
    ACTION_PLACEHOLDER = "action-placeholder"
    PARTIAL_CHECKOUT = "partial-checkout"
    PARTIAL_CLONE = "partial-clone"
    SHALLOW_CLONE = "shallow-clone"
    MATRIX_SHARES_NAME = "matrix-shares-name"
    JOBS_SHARE_NAME = "jobs-share-name"
    TOKEN_LEFT_BEHIND = "token-left-behind"  # noqa: S105 -- a kind of flaw, not a password

    # what doctor --live tried on GitHub: first what works
    LIVE_WORKS = "live-works"
    LIVE_CLEANED = "live-cleaned"
    LIVE_FAILED = "live-failed"
    LIVE_NOT_TRIED = "live-not-tried"
    LIVE_LEFT_BEHIND = "live-left-behind"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong: where (a file and line where known), what, and the parameters of its text."""

    gravity: Gravity
    flaw: Flaw
    place: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
