"""The schema of the settings: the type and the bounds of every key.

There are no defaults here: they are in `config/base.yaml`. What may be left out of a
metric takes the default of `model.verdict.MetricLimit`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from sbir_gate.model.finding import Severity
from sbir_gate.model.matches import Method
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit

# what MetricLimit assumes of a metric of which nothing but its nature is said
_LEFT_OUT = MetricLimit("", "", Direction.LOWER_IS_BETTER, MetricKind.EXACT)


def fault(allowed: str, **context: object) -> PydanticCustomError:
    """Return the error for a value, with what is allowed.

    In the context, `sibling` is the other key of two that are at odds, `names` are all values allowed.
    """
    return PydanticCustomError("setting", "{allowed}", {"allowed": allowed, **context})


def _not_below(sibling: str) -> AfterValidator:
    """Return a check that a limit is not below the field `sibling`, which is declared before it."""

    def check(value: float | None, info: ValidationInfo) -> float | None:
        floor = info.data.get(sibling)
        if value is not None and floor is not None and value < floor:
            raise fault(f"must not be below {sibling}, which is {floor}", sibling=sibling)
        return value

    return AfterValidator(check)


def _path(value: object) -> object:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise fault("must be a path (put a number in quotes)")
    return Path(value)


def one_of(*members: str) -> BeforeValidator:
    """Return a conversion of text to the member that it is the value of: of an enum, or a literal type."""

    def member(value: object) -> object:
        if value not in members:
            raise fault(f"must be one of {', '.join(members)}", names=members)
        return members[members.index(value)]

    return BeforeValidator(member)


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a check that a whole text is of a pattern; `allowed` says so in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise fault(f"must be {allowed}")
        return text

    return AfterValidator(check)


def _command(value: object) -> object:
    """Split a command line as a shell would; a list of arguments is taken as it is."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise fault(f"must be a command line ({error})") from error


def _runnable(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if command is not None and (not command or not command[0].strip()):
        raise fault("must name a program, or be null for the built-in engine")
    if command is not None and any("\0" in argument for argument in command):
        raise fault("must not hold a NUL character")
    return command


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    # not Field(min_length): that would count the wrong items out and report a second, untrue fault
    if not values:
        raise fault("must name at least one")
    return values


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise fault("must not name anything twice")
    return values


def _relative(name: str) -> str:
    if not name.strip() or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise fault("must be a path within the folder in which sbir-gate is called")
    return name


def _source(pattern: str) -> str:
    if not pattern.strip() or pattern.startswith("/") or ".." in Path(pattern).parts or "\0" in pattern:
        raise fault("must be a file, folder or pattern of the repository, from its top, as in engine/**")
    return pattern


def _cron_line(line: str) -> str:
    if not re.fullmatch(r"[0-9*/,-]+( [0-9*/,-]+){2}( [0-9A-Za-z*/,-]+){2}", line):
        raise fault("must be five fields of cron: minute, hour, day, month, weekday, as in 0 6 * * 1")
    return line


Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
Percent = Annotated[float, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=604_800)]  # a week: a longer wait is a slip of the hand
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
PathValue = Annotated[Path, BeforeValidator(_path)]
MatchMethod = Annotated[Method, one_of(*(method for method in Method if method is not Method.NONE))]
Command = Annotated[tuple[str, ...] | None, BeforeValidator(_command), AfterValidator(_runnable)]
SourcePattern = Annotated[str, AfterValidator(_source)]
RelativeName = Annotated[str, AfterValidator(_relative)]
VariableName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable: letters, digits and _")
]
FileStem = Annotated[
    str, matching(r"[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _"), Field(max_length=80)
]
# no more than that it is text: `reading.addresses` checks it, and shows nothing that is secret in it
Url = Annotated[str, Field(min_length=1, max_length=4000)]
Login = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?", "a login on GitHub"), Field(max_length=100)
]
WebUrl = Annotated[
    str, matching(r"https?://[^\s/]+[^\s]*", "an http or https address"), Field(max_length=1000)
]
Sha256 = Annotated[str, matching(r"[0-9a-f]{64}", "64 hexadecimal digits in lower case")]
FileSize = Annotated[int, Field(ge=1, le=1_000_000_000_000_000)]
TableName = Annotated[
    str,
    matching(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?", "a table, as table or schema.table"),
    Field(max_length=130),
]
_METRIC_NAME = r"[a-z][a-z0-9_-]*(/[a-z0-9_-]+)*"
MetricName = Annotated[
    str, matching(_METRIC_NAME, "a metric, as recall or links/uei-exact"), Field(max_length=80)
]
LimitName = Annotated[
    str,
    matching(rf"{_METRIC_NAME}(/\*)?", "a metric, as recall, or links/* for every metric of a group"),
    Field(max_length=80),
]


class Section(BaseModel):
    """A section of the settings: frozen, strict in its types, without unknown keys, NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PerformanceSettings(Section):
    """`enrichment.performance`: how the enrichment runs. Nothing here but the threshold changes a verdict."""

    chunk_size: Count
    memory_threshold_mb: Annotated[int, Field(ge=64, le=1_000_000_000)]
    match_rate_threshold: Share
    timeout_seconds: Seconds
    retry_backoff: Annotated[
        Literal["exponential", "constant", "none"], one_of("exponential", "constant", "none")
    ]
    max_retries: Annotated[int, Field(ge=0, le=100)]
    retry_base_seconds: Seconds
    retry_cap_seconds: Annotated[Seconds, _not_below("retry_base_seconds")]
    workers: Annotated[int, Field(ge=0, le=1024)]


class EnrichmentSettings(Section):
    """`enrichment`: how the enrichment runs, and where it keeps its parts."""

    performance: PerformanceSettings
    work_folder: PathValue | None
    keeps_chunks: bool


class AwardsSourceSettings(Section):
    """`sources.awards`: where the awards are published, and what the file must be."""

    url: Url
    sha256: Sha256 | None
    size_bytes: FileSize | None


class RecipientsSourceSettings(Section):
    """`sources.recipients`: where the recipients are published, and what the file must be."""

    url: Url | None
    listing_url: Url
    table: TableName | None
    sha256: Sha256 | None
    size_bytes: FileSize | None


class SourcesSettings(Section):
    """`sources`: what `data fetch` downloads, to where, and how long servers are waited for."""

    folder: PathValue
    connect_timeout_seconds: Seconds
    read_timeout_seconds: Seconds
    retry_after_cap_seconds: Seconds
    awards: AwardsSourceSettings
    recipients: RecipientsSourceSettings


class EnricherSettings(Section):
    """`enricher`: the engine under test; without a command, the built-in one."""

    command: Command
    python: PathValue | None
    sources: Annotated[tuple[SourcePattern, ...], AfterValidator(_distinct)]
    pass_environment: Annotated[tuple[VariableName, ...], AfterValidator(_distinct)]
    private_home: bool


class FixturesSettings(Section):
    """`fixtures`: the files that a benchmark enriches."""

    awards: PathValue
    recipients: PathValue
    truth: PathValue | None


class ReadingSettings(Section):
    """`reading`: how much damage an input may have."""

    max_reject_percent: Annotated[float, Field(ge=0, le=100)]
    max_record_mib: Annotated[int, Field(ge=1, le=1024)]


class MatchingSettings(Section):
    """`matching`: what the built-in engine tries, and from where on it is sure."""

    methods: Annotated[tuple[MatchMethod, ...], AfterValidator(_some), AfterValidator(_distinct)]
    min_precision: OpenShare
    acceptance_limit: Share | None
    max_candidates: Annotated[int, Field(ge=1, le=5)]
    namesakes_in_state: Count
    max_firms_per_key: Count
    max_pairs_per_key: Count
    pairs_per_query: Count
    min_training_labels: Count
    max_training_labels: Annotated[Count, _not_below("min_training_labels")]


class BenchmarkSettings(Section):
    """`benchmark`: how often the enricher is measured, alone or side by side with the base."""

    repeats: Annotated[int, Field(ge=1, le=1000)]
    warm_ups: Annotated[int, Field(ge=0, le=1000)]
    min_pairs: Annotated[int, Field(ge=1, le=1000)]
    max_pairs: Annotated[int, Field(ge=1, le=1000), _not_below("min_pairs")]
    max_seconds: Seconds
    base_lock: Annotated[tuple[RelativeName, ...], AfterValidator(_distinct)] | None
    base_setup: Command
    is_timed: bool


class MetricSettings(Section):
    """`gate.metrics.<name>`: how one metric is judged; see `model.verdict.MetricLimit`."""

    unit: Annotated[str, Field(min_length=1, max_length=40)]
    direction: Annotated[Direction, one_of(*Direction)]
    kind: Annotated[MetricKind, one_of(*MetricKind)]
    minimum: float | None = _LEFT_OUT.minimum
    maximum: Annotated[float | None, _not_below("minimum")] = _LEFT_OUT.maximum
    warn_percent: Percent | None = _LEFT_OUT.warn_percent
    fail_percent: Annotated[Percent | None, _not_below("warn_percent")] = _LEFT_OUT.fail_percent
    smallest_change: Annotated[float, Field(ge=0)] = _LEFT_OUT.smallest_change
    absolute_severity: Annotated[Severity, one_of(Severity.FAIL, Severity.WARN)] = _LEFT_OUT.absolute_severity
    is_required: bool = _LEFT_OUT.is_required


_RENAMABLE = ("work/", "stage_seconds/", "stage_peak_mib/", "links/")


def _renaming(text: str) -> str:
    old, arrow, new = (part.strip() for part in text.partition("->"))
    group = next((group for group in _RENAMABLE if old.startswith(group)), None)
    is_named = all(re.fullmatch(_METRIC_NAME, name) for name in (old, new))
    if not arrow or not is_named or group is None or not new.startswith(group) or old == new:
        raise fault(f"must be 'old -> new', two names that begin alike with one of {', '.join(_RENAMABLE)}")
    return f"{old} -> {new}"


def _one_to_one(values: tuple[str, ...]) -> tuple[str, ...]:
    names = [name for value in values for name in value.split(" -> ")]
    if len(set(names)) < len(names):
        raise fault("must not name a metric twice")
    return values


Renaming = Annotated[str, Field(max_length=200), AfterValidator(_renaming)]


class GateSettings(Section):
    """`gate`: what the verdict depends on."""

    name: FileStem
    baselines_folder: PathValue
    max_lost: Annotated[int, Field(ge=0, le=1_000_000_000)]
    significance: OpenShare
    metrics: Annotated[
        Mapping[LimitName, MetricSettings | None],  # None: switched off
        AfterValidator(MappingProxyType),  # frozen like the rest, and a dict again when it is dumped
        PlainSerializer(dict, return_type=dict[str, MetricSettings | None]),
    ]
    waivers_file: PathValue
    renamed: Annotated[tuple[Renaming, ...], AfterValidator(_one_to_one)]


class ReportsSettings(Section):
    """`reports`: where reports and saved runs go."""

    folder: PathValue


class DoctorSettings(Section):
    """`doctor`: when a set-up is no longer fresh."""

    baseline_max_days: Annotated[int, Field(ge=1, le=36_500)]


class HistorySettings(Section):
    """`history`: what is kept of every Run."""

    folder: PathValue | None
    keeps_runs: bool
    remote: Annotated[str, Field(min_length=1, max_length=255)]
    branch: Annotated[str, Field(min_length=1, max_length=255)]


class DriftSettings(Section):
    """`drift`: the second comparison, with older Runs of the history."""

    days: Annotated[int, Field(ge=1, le=3650)]
    branch: Annotated[str, Field(min_length=1, max_length=255)] | None
    release_pattern: Annotated[str, Field(min_length=1, max_length=255)]
    warn_percent: Percent | None
    fail_percent: Annotated[Percent | None, _not_below("warn_percent")]
    max_severity: Annotated[Severity, one_of(Severity.FAIL, Severity.WARN)]


class PublishingSettings(Section):
    """`publishing`: how GitHub is asked, and how much is read from an untrusted job."""

    login: Login | None
    timeout_seconds: Seconds
    max_retries: Annotated[int, Field(ge=0, le=100)]
    retry_base_seconds: Seconds
    retry_cap_seconds: Annotated[Seconds, _not_below("retry_base_seconds")]
    trend_runs: Annotated[int, Field(ge=0, le=30)]
    untrusted_max_mib: Annotated[int, Field(ge=1, le=512)]


class OrchestrationSettings(Section):
    """`orchestration`: the pipeline inside Dagster."""

    folder: PathValue | None
    progress_seconds: Annotated[Seconds, Field(ge=1)]
    min_complete_percent: Annotated[float, Field(ge=0, le=100)]
    stores_baseline: bool
    max_retries: Annotated[int, Field(ge=0, le=100)]
    retry_seconds: Seconds
    schedule: Annotated[str, AfterValidator(_cron_line)]
    first_year: Annotated[int, Field(ge=1900, le=2100)]
    webserver_url: WebUrl | None


class Settings(Section):
    """All settings. Units are in the names or in `config/base.yaml`."""

    enrichment: EnrichmentSettings
    sources: SourcesSettings
    enricher: EnricherSettings
    fixtures: FixturesSettings
    reading: ReadingSettings
    matching: MatchingSettings
    benchmark: BenchmarkSettings
    gate: GateSettings
    reports: ReportsSettings
    doctor: DoctorSettings
    history: HistorySettings
    drift: DriftSettings
    publishing: PublishingSettings
    orchestration: OrchestrationSettings
