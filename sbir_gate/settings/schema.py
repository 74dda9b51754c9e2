"""The schema of the settings: the type and the bounds of every key.

There are no defaults here: they are in `config/base.yaml`. What may be left out of a
metric takes the default of `model.verdict.MetricLimit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit
from sbir_gate.settings.values import (
    DISTINCT,
    SOME,
    ClusterAddress,
    Command,
    Count,
    Cron,
    FileSize,
    GateName,
    LimitName,
    Login,
    MatchMethod,
    OpenShare,
    Owner,
    PathValue,
    Percent,
    RelativeName,
    Renamings,
    Seconds,
    Sha256,
    Share,
    SourcePattern,
    TableName,
    Url,
    VariableName,
    WebUrl,
    not_below,
    one_of,
)

# what MetricLimit assumes of a metric of which nothing but its nature is said
_LEFT_OUT = MetricLimit("", "", Direction.LOWER_IS_BETTER, MetricKind.EXACT)


class Section(BaseModel):
    """A section of the settings: frozen, strict in its types, without unknown keys, NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PerformanceSettings(Section):
    """`enrichment.performance`: how the enrichment runs. Nothing here but the threshold changes a verdict."""

    chunk_size: Count
    chunk_size_max: Annotated[Count, not_below("chunk_size")]
    memory_threshold_mb: Annotated[int, Field(ge=64, le=1_000_000_000)]
    match_rate_threshold: Share
    timeout_seconds: Seconds
    retry_backoff: Annotated[
        Literal["exponential", "constant", "none"], one_of("exponential", "constant", "none")
    ]
    max_retries: Annotated[int, Field(ge=0, le=100)]
    retry_base_seconds: Seconds
    retry_cap_seconds: Annotated[Seconds, not_below("retry_base_seconds")]
    workers: Annotated[int, Field(ge=0, le=1024)]


class EnrichmentSettings(Section):
    """`enrichment`: how the enrichment runs, and where it keeps its parts."""

    performance: PerformanceSettings
    work_folder: PathValue | None
    keeps_chunks: bool
    cluster: ClusterAddress | None


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
    sources: Annotated[tuple[SourcePattern, ...], DISTINCT]
    pass_environment: Annotated[tuple[VariableName, ...], DISTINCT]
    private_home: bool


class FixturesSettings(Section):
    """`fixtures`: the files that a benchmark enriches, and how they were drawn."""

    awards: PathValue
    recipients: PathValue
    truth: PathValue | None
    draw: PathValue | None


class ReadingSettings(Section):
    """`reading`: how much damage an input may have."""

    max_reject_percent: Annotated[float, Field(ge=0, le=100)]
    find_header: bool
    max_record_mib: Annotated[int, Field(ge=1, le=1024)]


class MatchingSettings(Section):
    """`matching`: what the built-in engine tries, and from where on it is sure."""

    methods: Annotated[tuple[MatchMethod, ...], SOME, DISTINCT]
    min_precision: OpenShare
    acceptance_limit: Share | None
    max_candidates: Annotated[int, Field(ge=1, le=5)]
    namesakes_in_state: Count
    max_firms_per_key: Count
    max_pairs_per_key: Count
    pairs_per_query: Count
    min_training_labels: Count
    max_training_labels: Annotated[Count, not_below("min_training_labels")]


class BenchmarkSettings(Section):
    """`benchmark`: how often the enricher is measured, alone or side by side with the base."""

    repeats: Annotated[int, Field(ge=1, le=1000)]
    warm_ups: Annotated[int, Field(ge=0, le=1000)]
    min_pairs: Annotated[int, Field(ge=1, le=1000)]
    max_pairs: Annotated[int, Field(ge=1, le=1000), not_below("min_pairs")]
    max_seconds: Seconds
    base_lock: Annotated[tuple[RelativeName, ...], DISTINCT] | None
    base_setup: Command
    is_timed: bool


class MetricSettings(Section):
    """`gate.metrics.<name>`: how one metric is judged; see `model.verdict.MetricLimit`."""

    unit: Annotated[str, Field(min_length=1, max_length=40)]
    direction: Annotated[Direction, one_of(*Direction)]
    kind: Annotated[MetricKind, one_of(*MetricKind)]
    minimum: float | None = _LEFT_OUT.minimum
    maximum: Annotated[float | None, not_below("minimum")] = _LEFT_OUT.maximum
    warn_percent: Percent | None = _LEFT_OUT.warn_percent
    fail_percent: Annotated[Percent | None, not_below("warn_percent")] = _LEFT_OUT.fail_percent
    smallest_change: Annotated[float, Field(ge=0)] = _LEFT_OUT.smallest_change
    absolute_severity: Annotated[Severity, one_of(Severity.FAIL, Severity.WARN)] = _LEFT_OUT.absolute_severity
    is_required: bool = _LEFT_OUT.is_required


class GateSettings(Section):
    """`gate`: what the verdict depends on."""

    name: GateName
    baselines_folder: PathValue
    match_rate_of: Annotated[Literal["fixture", "population"], one_of("fixture", "population")]
    max_lost: Annotated[int, Field(ge=0, le=1_000_000_000)]
    significance: OpenShare
    metrics: Annotated[
        Mapping[LimitName, MetricSettings | None],  # None: switched off
        AfterValidator(MappingProxyType),  # frozen like the rest, and a dict again when it is dumped
        PlainSerializer(dict, return_type=dict[str, MetricSettings | None]),
    ]
    waivers_file: PathValue
    renamed: Renamings


class ReportsSettings(Section):
    """`reports`: where reports and saved runs go."""

    folder: PathValue


class DoctorSettings(Section):
    """`doctor`: when a set-up is no longer fresh."""

    baseline_max_days: Annotated[int, Field(ge=1, le=36_500)]


class ChecklistSettings(Section):
    """`checklist`: what must hold before a deployment."""

    min_match_rate: Share
    max_days: Annotated[int, Field(ge=1, le=36_500)]
    full_gate: GateName
    file: str
    review_max_days: Annotated[int, Field(ge=1, le=36_500)]


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
    fail_percent: Annotated[Percent | None, not_below("warn_percent")]
    max_severity: Annotated[Severity, one_of(Severity.FAIL, Severity.WARN)]


class PublishingSettings(Section):
    """`publishing`: how GitHub is asked, and how much is read from an untrusted job."""

    login: Login | None
    timeout_seconds: Seconds
    max_retries: Annotated[int, Field(ge=0, le=100)]
    retry_base_seconds: Seconds
    retry_cap_seconds: Annotated[Seconds, not_below("retry_base_seconds")]
    trend_runs: Annotated[int, Field(ge=0, le=30)]
    dashboard_url: WebUrl | None
    untrusted_max_mib: Annotated[int, Field(ge=1, le=512)]


SwitchStatus = Annotated[Literal["running", "stopped"], one_of("running", "stopped")]


class OrchestrationSettings(Section):
    """`orchestration`: the pipeline inside Dagster."""

    folder: PathValue | None
    progress_seconds: Annotated[Seconds, Field(ge=1)]
    min_complete_percent: Annotated[float, Field(ge=0, le=100)]
    stores_baseline: bool
    keep_places: Annotated[int, Field(ge=1, le=10_000)]
    executor: Annotated[Literal["in-process", "multiprocess"], one_of("in-process", "multiprocess")]
    max_retries: Annotated[int, Field(ge=0, le=100)] | None
    retry_seconds: Seconds | None
    lock_seconds: Seconds
    schedule: Cron
    schedule_status: SwitchStatus
    sensor_status: SwitchStatus
    fresh_days: Annotated[float, Field(gt=0, le=3650)] | None
    owners: Annotated[tuple[Owner, ...], DISTINCT]
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
    checklist: ChecklistSettings
    history: HistorySettings
    drift: DriftSettings
    publishing: PublishingSettings
    orchestration: OrchestrationSettings
