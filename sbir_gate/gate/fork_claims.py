"""Claims of a fork's Run that would exempt it from judgement, compared with what is known here.

Its figures are the fork's own (docs/publishing.md). But which fixture, which labels and which base they were
measured with, and that time need not be measured, is believed only as far as this checkout and GitHub say
the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.gate.engine_sources import unmatched_sources
from sbir_gate.gate.fixture import ReadFixture, describe_fixture, known_recipients, read_fixture
from sbir_gate.gate.measuring.locks import KNOWN
from sbir_gate.gate.measuring.quality import labels_of
from sbir_gate.gate.publishing.github import Pulls
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.model.companions import Companions
from sbir_gate.model.definitions import DEFINITIONS, metric_version
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.git import AsksGit
from sbir_gate.model.run import Run, Timing
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings
from sbir_gate.settings.workflows import path_from_top

_MOST_FILES = 3000  # GitHub lists no more
# a pattern for one character: a class or an escape
_ONE_CHARACTER = re.compile(r"\\.|\[[!^]?\]?[^\]]*\]+")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of a fork's pull request: settings, fixture and git of this checkout, and GitHub."""

    effective: EffectiveSettings
    git: AsksGit
    github: Pulls
    number: int
    has_baseline: bool
    today: date


def unproven_claims(head: Run, companions: Companions, known: Known) -> Iterator[Finding]:
    """Yield each claim that is wrong here or cannot be verified.

    Raises GitHubError if GitHub does not say what the pull request changes.
    """
    base = companions.base
    runs = tuple(run for run in (head, base) if run is not None)
    if head.base_gap is not None:
        yield _claim("no-base-as-new")
    elif base is None and not known.has_baseline:
        yield _claim("no-base-no-baseline")
    if base is not None and not _is_merged(base.source.commit, known.git):
        commit = base.source.commit
        yield _claim("other-base", commit=commit) if commit else _claim("unnamed-base")
    if any(_is_of_other_version(run) for run in (head, *companions.runs)):
        yield _claim("other-version")
    on_base = companions.on_base
    there = (on_base.head, on_base.base) if on_base else runs
    yield from _fixture_faults([run for run in there if run is not None], known)
    yield from _timing_faults(runs, known)


def _claim(name: str, **facts: Fact) -> Finding:
    return Finding(Rule.UNPROVEN_CLAIM, Severity.FAIL, facts={"claim": name, **facts})


def _is_merged(commit: str, git: AsksGit) -> bool:
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return False
    return git.ask("merge-base", "--is-ancestor", commit, "HEAD").status == 0


def _is_of_other_version(run: Run) -> bool:
    """Say whether values would not be compared, because another definition measured them."""
    return run.definitions != DEFINITIONS or any(
        metric.version != metric_version(metric.name) for metric in run.metrics
    )


def _fixture_faults(runs: Sequence[Run], known: Known) -> Iterator[Finding]:
    """Yield how the fixture that they are judged on, and its labels, differ from those of this checkout.

    `runs` are those on the base's fixture where the change edits its own.
    """
    moment = datetime.combine(known.today, time(), UTC)
    try:
        if any(run.fixture.fingerprint != describe_fixture(known.effective, 0).fingerprint for run in runs):
            yield _claim("other-fixture")
            return
        with scratch_folder("sbir-gate-fork-") as scratch:
            read = read_fixture(known.effective, _Stopped(lambda: moment), lambda _: None, scratch)
            if any(_claimed_labels(run) != _labels_here(run, read) for run in runs):
                yield _claim("other-labels")
    except InputError as error:
        yield _claim("unreadable-fixture", fault=error.message)


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A fixed clock: the time of reading the fixture is not used."""

    now: Callable[[], datetime]


def _claimed_labels(run: Run) -> tuple[object, ...]:
    """Return what the Run says of its links: which are correct, not labelled, or to one entity."""
    return run.has_truth, [award.label for award in run.awards], dict(run.entities)


def _labels_here(run: Run, read: ReadFixture) -> tuple[object, ...]:
    """Return what `_claimed_labels` does, as it follows from the Run's links and the fixture."""
    decisions = [award.decision for award in run.awards]
    entities = dict(known_recipients(read, decisions).entities)
    return read.truth is not None, [*labels_of(decisions, read.profiles, read.truth)], entities


def _timing_faults(runs: Sequence[Run], known: Known) -> Iterator[Finding]:
    settings = known.effective.settings
    timings = {run.timing for run in runs}
    if settings.benchmark.is_timed and Timing.QUICK in timings:
        yield _claim("not-timed")
    if Timing.ENGINE_UNCHANGED in timings:
        yield from _engine_changes(known, settings)


def _engine_changes(known: Known, settings: Settings) -> Iterator[Finding]:
    """Yield the first reason why the engine, its environment or its settings may have changed."""
    sources = settings.enricher.sources
    if not sources:
        yield _claim("no-sources")
    elif unmatched := unmatched_sources(known.git, sources):
        yield _claim("unmatched-source", source=unmatched[0])
    elif len(files := known.github.files_of_pull(known.number)) >= _MOST_FILES:
        yield _claim("many-files", files=_MOST_FILES)
    else:
        changed = (name for name in files if _may_be_of_the_engine(name, known.effective))
        yield from (_claim("engine-changed", file=name) for name in islice(changed, 1))


def _may_be_of_the_engine(name: str, effective: EffectiveSettings) -> bool:
    settings = effective.settings
    files = [Path(lock) for lock in settings.benchmark.base_lock or ()]
    named = {path_from_top(file) for file in (*files, effective.file) if file is not None}
    own = Path(name).name
    if (
        name in named
        or own in {"base.yaml", "sbir-gate.yaml"}
        or any(fnmatchcase(own, lock) for lock in KNOWN)
    ):
        return True
    return any(_may_match(name, source) for source in settings.enricher.sources)


def _may_match(name: str, pattern: str) -> bool:
    """Say whether a pattern of git's may match a path: it matches too much rather than too little."""
    wide = _ONE_CHARACTER.sub("?", pattern).replace("**/", "*").rstrip("/")
    return fnmatchcase(name, wide) or fnmatchcase(name, f"{wide}/*")
