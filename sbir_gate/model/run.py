"""The Run: all that one benchmark learned, the one document that goes through everything."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.definitions import FIRST_DEFINITIONS, FIRST_VERSION
from sbir_gate.model.finding import Finding
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.matches import PlaceEvidence
from sbir_gate.model.moments import utc
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.samples import Sample

# every whole number up to here is exact as a float
_MOST_AWARDS = 2**53
GATE_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
"""What the name of a gate looks like: it is part of the names of files, branches and comments."""

MOST_GATE_CHARACTERS = 64
BUILT_IN = "built-in"
"""How a Run names the built-in engine; every other it names by its command line."""


class MetricKind(StrEnum):
    """An exact metric has one true value; a noisy one differs from repeat to repeat.

    One that is measured once has noise, too, and a single value that does not show it.
    """

    EXACT = "exact"
    NOISY = "noisy"
    ONCE = "once"


def enricher_name(command: Sequence[str] | None) -> str:
    """Return how a Run names the enricher: by its command line, or as the built-in one."""
    return shlex.join(command) if command else BUILT_IN


@dataclass(frozen=True, slots=True)
class Call:
    """How `sbir-gate run` was called; the fields are named as those of a Run, `base` is the option."""

    enricher: str
    settings_file: str = ""
    base: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that measured; two Runs with equal fingerprints may compare raw times."""

    fingerprint: str
    cpu_model: str
    cores: int
    memory_mib: int
    system: str
    python_version: str


@dataclass(frozen=True, slots=True)
class Source:
    """The code that was measured. Empty strings where there is no git.

    `pull_request` is the number of the pull request that it belongs to, or came with; 0 if it is not known.
    """

    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    pull_request: int = 0


@dataclass(frozen=True, slots=True)
class Fixture:
    """What was enriched. `fingerprint` is the SHA-256 over the bytes of awards, recipients and truth.

    `commit` is the base's, where its fixture was measured to judge a change of it; empty for the files of the
    working tree. Such a Run never becomes a baseline, and the history does not keep it.
    """

    fingerprint: str
    awards_path: str
    recipients_path: str
    truth_path: str
    awards: int
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a Run: one value if exact or measured once, one per repeat if noisy. Units are in `unit`.

    `version` is that of its definition (`definitions`), and `method` how it was measured where a platform
    decides (memory, processor time). Values that differ in either are never compared. `whole` is the number
    that a rate is a share of; 0 for everything else, and in documents of older versions.
    """

    name: str
    unit: str
    kind: MetricKind
    values: tuple[float, ...]
    version: int = FIRST_VERSION
    method: str = ""
    whole: int = 0


class Timing(StrEnum):
    """Whether time and memory were measured; if not, the engine ran once for the exact metrics alone."""

    MEASURED = "measured"
    ENGINE_UNCHANGED = "engine-unchanged"
    QUICK = "quick"


@dataclass(frozen=True, slots=True)
class Repeats:
    """The single repeats behind the metrics: sample i gave value i of each noisy metric.

    Repeats of the same `session`, not empty, were measured side by side: sample i of the one is the pair of
    sample i of the other. `first_run` is the first run where it was a warm-up; None where it is the first of
    `samples`.
    """

    session: str = ""
    first_run: Sample | None = None
    samples: tuple[Sample, ...] = ()


_NOT_KEPT = Repeats()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Who measured what, when and where, with which metrics: what a Run and its history entry share.

    `started_at` is in UTC, which a time without a zone is taken for. `metrics` are derived from samples and
    quality once, when measured, and are what is compared. `calibration_seconds` are all timings of the
    calibration workload, between the repeats; `calibration_cpu_seconds` its processor time in each.
    `settings_digest` is the SHA-256 of the settings that change results. `definitions` is the number of the
    set of metrics that the program measured. `timing` says why there are no noisy metrics, if there are none.
    """

    gate: str
    started_at: datetime
    tool_version: str
    machine: Machine
    source: Source
    fixture: Fixture
    enricher: str
    settings_digest: str
    metrics: tuple[Metric, ...]
    calibration_seconds: tuple[float, ...] = ()
    calibration_cpu_seconds: tuple[float, ...] = ()
    definitions: int = FIRST_DEFINITIONS
    timing: Timing = Timing.MEASURED

    def __post_init__(self) -> None:
        """Bring the start to UTC. Raises ValueError for one that is out of range there."""
        object.__setattr__(self, "started_at", utc(self.started_at))

    @property
    def repeats(self) -> Repeats:
        """The single repeats, as far as they are kept: a Run keeps them, the history does not."""
        return _NOT_KEPT


@dataclass(frozen=True, slots=True)
class Stratum:
    """Quality within one slice of the awards, e.g. dimension `phase`, value `II`.

    `precision` and `recall` are None where there is no truth or nothing to count.
    """

    dimension: str
    value: str
    awards: int
    links: int
    match_rate: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class LinkStratum:
    """The links of one method, and of what the place says of them, in awards.

    `place` is None where an identifier decided, or where the engine does not say it. `stated` is their mean
    confidence, None without one; `precision` counts those with a label.
    """

    method: str
    place: PlaceEvidence | None
    links: int
    stated: float | None
    precision: Proportion


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Links and candidates whose confidence fell in [low, high): how sure, and how often right."""

    low: float
    high: float
    count: int
    mean_confidence: float
    share_right: float


@dataclass(frozen=True, slots=True)
class PopulationRate:
    """The match rate of all `awards` that a fixture was drawn from, estimated, with its 95% interval."""

    awards: int
    rate: float
    low: float
    high: float

    @property
    def fault(self) -> str:
        """What is impossible about these numbers; empty for nothing."""
        is_sound = 0 < self.awards <= _MOST_AWARDS and 0 <= self.low <= self.rate <= self.high <= 1
        return "" if is_sound else "population: a match rate of all awards cannot be so"


@dataclass(frozen=True, slots=True)
class Quality:
    """Exact quality of the decisions. Rates are 0..1; None without a truth.

    `blocking_recall`: the right recipient was among the candidates at all.
    `scoring_recall`: of those, it was linked.
    `links_by_method` has every method that made a link. `labelled` counts the awards in the truth; None
    without a truth, and in Runs of older versions. `wholes` are the numbers that rates are shares of, by
    their names (of an estimate, the effective number); none in Runs of older versions. `population` is None
    where it is not known how the fixture was drawn, and in Runs of older versions. `absent_linked` counts the
    firms without a recipient, by the truth, and those of them that have a link; None without a truth. It
    and `link_strata` are not in Runs of older versions.
    """

    awards: int
    links: int
    match_rate: float
    links_by_method: Mapping[str, int]
    precision: float | None
    recall: float | None
    f1: float | None
    blocking_recall: float | None
    scoring_recall: float | None
    calibration_error: float | None
    strata: tuple[Stratum, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    labelled: int | None = None
    wholes: Mapping[str, int] = field(default_factory=dict)
    population: PopulationRate | None = None
    link_strata: tuple[LinkStratum, ...] = ()
    absent_linked: Proportion | None = None

    def rates(self) -> Mapping[str, float]:
        """Return the rates that are known: each is a metric of its name, and in every report."""
        found = {
            "match_rate": self.match_rate,
            "population_match_rate": self.population.rate if self.population else None,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "blocking_recall": self.blocking_recall,
            "scoring_recall": self.scoring_recall,
            "calibration_error": self.calibration_error,
        }
        return {name: rate for name, rate in found.items() if rate is not None}


class GapKind(StrEnum):
    """Why head was measured without its base: the gate is new, or the base lacks what its command names."""

    NEW_GATE = "new-gate"
    NO_ENGINE = "no-engine"


@dataclass(frozen=True, slots=True)
class BaseGap:
    """What is missing to measure the base: `names` are the files or modules that the base (`commit`) lacks.

    `target` is the branch that the change goes to.
    """

    kind: GapKind
    target: str
    commit: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetBranch:
    """The branch that a change goes to: its name, its newest commit, and how far the base is behind that."""

    name: str
    commit: str
    commits_ahead: int
    days_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Measurement):
    """One benchmark: a Measurement with its samples, its quality and its awards.

    `awards` has a record for each row of the enricher's output, in its order: an award with two rows, which
    is a fault, is there twice. `has_truth` says whether there was a truth; without one no award is labelled.

    `entities` maps recipients to the UEI of their entity, where several ids are one entity: all ids of those
    that awards are linked to. `unknown_recipient_ids` and `unknown_award_ids` are the first ids in the output
    that no recipient, or no award, has; `reject_examples` are the first rows of the fixture that could not be
    read.

    `warnings` are notes on how it was measured, for its verdict. `engine_notes` are facts that the enricher
    reported (model version, acceptance limit). Runs with the same `session`, not empty, were measured side by
    side: on one fixture, sample i of the one is the pair of sample i of the other. `has_own_policy` says of a
    Run side by side that the working tree's policy judges it, not the base's. `settings_file` is the file
    over base.yaml, empty if there was none. `overrides` are the settings that options, `--set` or variables
    gave for this run alone: keys, and values as YAML.
    `base_gap` says why a run beside the base went without it; None where it did not.
    `first_run` is the first run where it was a warm-up; None where it is the first of `samples`, and in
    documents of format 2.
    `renamed` maps names of metrics that the measured code changed to new ones.
    `fixture_edits` is what head edits of its base's fixture; None if nothing, or where there is no base.
    `policy_commit` is the commit whose policy judges it, empty for the working tree's, and `target` the
    branch that the change goes to, as it stood then. `is_merged` says that it may start a new baseline.
    """

    samples: tuple[Sample, ...]
    quality: Quality
    awards: Sequence[AwardRecord]
    has_truth: bool = False
    warnings: tuple[Finding, ...] = ()
    engine_notes: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    has_own_policy: bool = False
    settings_file: str = ""
    base_gap: BaseGap | None = None
    first_run: Sample | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)
    unknown_recipient_ids: tuple[str, ...] = ()
    reject_examples: tuple[str, ...] = ()
    fixture_edits: FixtureEdits | None = None
    policy_commit: str = ""
    target: TargetBranch | None = None
    is_merged: bool = False
    unknown_award_ids: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def repeats(self) -> Repeats:
        """The repeats that were measured."""
        return Repeats(self.session, self.first_run, self.samples)

    @property
    def is_fully_labelled(self) -> bool:
        """Whether the truth knows every award."""
        return self.has_truth and all(award.label is not Label.UNLABELLED for award in self.awards)
