"""The doctor: settings, waivers, fixtures, enricher, baseline, machine and workflows; nothing is measured."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.errors import Fault, SbirGateError
from sbir_gate.gate.baseline import baseline_diagnoses
from sbir_gate.gate.comparing.feasibility import (
    PlaceOf,
    baseline_faults,
    limit_faults,
    noise_faults,
    pairs_fault,
    repeats_fault,
)
from sbir_gate.gate.comparing.waiver_faults import waiver_faults
from sbir_gate.gate.comparing.workflow_faults import workflow_faults
from sbir_gate.gate.engine_sources import unmatched_sources
from sbir_gate.gate.fixture import (
    describe_fixture,
    draw_of,
    population_fault,
    read_fixture,
    read_profiles,
    shared_ids_of,
)
from sbir_gate.gate.measuring.base_environment import recipe_of
from sbir_gate.gate.measuring.command import parse_command
from sbir_gate.gate.measuring.locks import PROJECT, lock_names
from sbir_gate.gate.measuring.machine import describe_machine
from sbir_gate.gate.storing.baselines import baseline_path, load_baseline
from sbir_gate.gate.storing.clone import is_partial, is_shallow, missing_object_hint
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.sessions import latest_run_path
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.model.run import Machine, Run
from sbir_gate.model.verdict import limit_names
from sbir_gate.model.waiver import Waivers
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.layout import RECIPIENTS
from sbir_gate.reading.recipients import check_table
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings.effective import EffectiveSettings, inspect_settings
from sbir_gate.settings.entries import KEYS_HINT
from sbir_gate.settings.fixture_place import fixture_place_fault
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.waivers import HINT as WAIVER_HINT
from sbir_gate.settings.waivers import default_waivers_file, parse_waivers, waivers_content
from sbir_gate.settings.workflows import read_workflows, repository_folder

# A Run, its report and an enrichment's parts of the fixtures take some tens of mebibytes.
LEAST_FREE_MIB = 512
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DoctorEdges:
    """What the doctor needs of the world; tests pass fakes. Free space is in MiB, of the disk of a path."""

    now: Callable[[], datetime]
    machine: Callable[[], Machine]
    free_mib: Callable[[Path], float]
    find_program: Callable[[str], str | None]


def real_edges() -> DoctorEdges:
    """Return the edges of this machine."""
    return DoctorEdges(
        now=lambda: datetime.now(UTC),
        machine=describe_machine,
        free_mib=lambda path: shutil.disk_usage(path).free / _MEBIBYTE,
        find_program=shutil.which,
    )


def examine(
    config_file: Path | None, environment: Mapping[str, str], assignments: Sequence[str], edges: DoctorEdges
) -> tuple[Diagnosis, ...]:
    """Return all that is wrong, errors first. One fault never hides another that could be looked for."""
    effective, faults = inspect_settings(config_file, environment, {}, assignments)
    found = [_of_fault(fault) for fault in faults]
    if effective is not None:
        found += _of_settings(effective, edges)
    found += _repository(Path.cwd())
    return tuple(sorted(found, key=lambda diagnosis: list(Gravity).index(diagnosis.gravity)))


def _of_settings(effective: EffectiveSettings, edges: DoctorEdges) -> Iterator[Diagnosis]:
    settings = effective.settings
    place_of = _place_of(effective)
    judged = policy(settings)
    yield from limit_faults(judged, place_of)
    if settings.benchmark.is_timed:
        repeats, pairs = settings.benchmark.repeats, settings.benchmark.max_pairs
        faults = (repeats_fault(judged, repeats, place_of), pairs_fault(judged, pairs, place_of))
        yield from filter(None, faults)
    yield from _enricher(effective, edges)
    yield from _fixtures(effective, edges)
    yield from _locks(effective, Path.cwd())
    for source in unmatched_sources(Git(Path.cwd()), settings.enricher.sources):
        place = effective.place_of("enricher.sources")
        yield Diagnosis(Gravity.ERROR, Flaw.UNMATCHED_SOURCE, place, {"source": source})
    yield from _machine(effective, edges)
    baseline, problems = _baseline(effective)
    yield from problems
    if baseline is not None:
        machine = edges.machine()
        yield from baseline_faults(judged, baseline, place_of)
        yield from noise_faults(judged, baseline, machine, settings.benchmark.repeats, place_of)
        yield from baseline_diagnoses(effective, baseline, _fingerprint(effective), edges.now().date())
    yield from _waivers(effective, edges, baseline)


def _repository(folder: Path) -> Iterator[Diagnosis]:
    """Look at the clone, and its workflows that use the gate, if the folder lies in a repository."""
    root = repository_folder(folder)
    if root is None:
        return
    workflows, faults = read_workflows(root)
    for fault in faults:
        yield Diagnosis(Gravity.WARNING, Flaw.UNREADABLE_WORKFLOW, fault.place, {"text": fault.detail})
    for workflow in workflows:
        yield from workflow_faults(workflow)
    git = Git(root)
    flaw = Flaw.PARTIAL_CLONE if is_partial(git) else Flaw.SHALLOW_CLONE if is_shallow(git) else None
    if flaw is not None:
        yield Diagnosis(Gravity.WARNING, flaw, str(root), {"hint": missing_object_hint(git)})


def _place_of(effective: EffectiveSettings) -> PlaceOf:
    def place_of(key: str) -> str:
        """Return the origin of a key, or of another key of its section, else the key itself."""
        if key in effective.origins:
            return effective.place_of(key)
        section, _, field = key.rpartition(".")
        metric = section.removeprefix("gate.metrics.")
        patterns = (f"gate.metrics.{pattern}.{field}" for pattern in limit_names(metric)[1:])
        of_pattern = next((effective.place_of(held) for held in patterns if held in effective.origins), "")
        if of_pattern:
            return of_pattern
        siblings = (known for known in effective.origins if known.startswith(f"{section}."))
        return next(map(effective.place_of, siblings), key)

    return place_of


def _of_fault(fault: Fault, flaw: Flaw = Flaw.INVALID_SETTING, hint: str = KEYS_HINT) -> Diagnosis:
    facts = {"text": fault.detail, "hint": fault.hint or hint}
    return Diagnosis(Gravity.ERROR, flaw, fault.place, facts)


def _of_error(place: str, error: SbirGateError) -> Diagnosis:
    facts = {"text": error.message, "hint": error.hint}
    return Diagnosis(Gravity.ERROR, Flaw.INPUT_ERROR, place, facts)


def _enricher(effective: EffectiveSettings, edges: DoctorEdges) -> Iterator[Diagnosis]:
    command = effective.settings.enricher.command
    if command is None:
        return
    place = effective.place_of("enricher.command")
    try:
        program = parse_command(shlex.join(command)).arguments[0]
    except SbirGateError as error:
        yield _of_error(place, error)
        return
    if "{" not in program and edges.find_program(program) is None:
        yield Diagnosis(Gravity.ERROR, Flaw.NO_PROGRAM, place, {"program": program})


def _fixtures(effective: EffectiveSettings, edges: DoctorEdges) -> Iterator[Diagnosis]:
    fixtures = effective.settings.fixtures
    if (absent := fixture_place_fault(effective, Path.cwd())) is not None:
        yield _of_fault(absent)
        return
    checks: list[tuple[str, Callable[[], object]]] = [
        ("awards", lambda: resolve_files(str(fixtures.awards))),
        (
            "recipients",
            lambda: check_table(str(fixtures.recipients), reading_options(effective.settings), RECIPIENTS),
        ),
    ]
    truth = fixtures.truth
    if truth is not None:
        checks.append(("truth", lambda: read_truth(truth)))
    if fixtures.draw is not None:
        checks.append(("draw", lambda: draw_of(effective, read_profiles(effective))))
    is_sound = True
    for name, check in checks:
        try:
            check()
        except SbirGateError as error:
            is_sound = False
            yield _of_error(effective.place_of(f"fixtures.{name}"), error)
    if (fault := population_fault(effective)) is not None:
        is_sound = False
        yield fault
    if truth is not None and is_sound:
        yield from _labels(effective, edges)
    if truth is None:
        yield Diagnosis(Gravity.WARNING, Flaw.NO_TRUTH, effective.place_of("fixtures.truth"))


def _labels(effective: EffectiveSettings, edges: DoctorEdges) -> Iterator[Diagnosis]:
    """Say how many awards the truth covers, or why it and the fixture do not fit, and what blurs it."""
    place = effective.place_of("fixtures.truth")
    with tempfile.TemporaryDirectory(prefix="sbir-gate-doctor-") as scratch:
        try:
            read = read_fixture(effective, edges, lambda _text: None, Path(scratch))
        except SbirGateError as error:
            yield _of_error(place, error)
            return
        yield from shared_ids_of(read, effective.place_of("fixtures.recipients"))
    labelled, awards = len(read.truth or {}), len(read.profiles)
    coverage = "part" if labelled < awards else "whole"
    facts: dict[str, Fact] = {"labelled": labelled, "awards": awards, "coverage": coverage}
    yield Diagnosis(Gravity.NOTE, Flaw.LABELS, place, facts)


def _locks(effective: EffectiveSettings, folder: Path) -> Iterator[Diagnosis]:
    """Look for lock files that are not there, and for ones from which no environment can be made."""
    benchmark = effective.settings.benchmark
    place = effective.place_of("benchmark.base_lock")
    for name in benchmark.base_lock or ():
        if not (folder / name).exists():
            yield Diagnosis(Gravity.WARNING, Flaw.LOCK_MISSING, place, {"name": name})
    locks = [name for name in lock_names(benchmark.base_lock, folder) if name != PROJECT]
    if locks and benchmark.base_setup is None and recipe_of(folder) is None:
        place = effective.place_of("benchmark.base_setup")
        yield Diagnosis(Gravity.WARNING, Flaw.LOCK_NOT_INSTALLABLE, place, {"names": tuple(locks)})


def _machine(effective: EffectiveSettings, edges: DoctorEdges) -> Iterator[Diagnosis]:
    settings, machine = effective.settings, edges.machine()
    performance = settings.enrichment.performance
    if machine.cores < 2:
        yield Diagnosis(Gravity.WARNING, Flaw.ONE_CORE, "this machine")
    if performance.workers > machine.cores:
        facts = {"workers": performance.workers, "cores": machine.cores}
        place = effective.place_of("enrichment.performance.workers")
        yield Diagnosis(Gravity.WARNING, Flaw.TOO_MANY_WORKERS, place, facts)
    if performance.memory_threshold_mb > machine.memory_mib > 0:
        facts = {"threshold_mib": performance.memory_threshold_mb, "memory_mib": machine.memory_mib}
        place = effective.place_of("enrichment.performance.memory_threshold_mb")
        yield Diagnosis(Gravity.ERROR, Flaw.TOO_LITTLE_MEMORY, place, facts)
    folder = _existing(settings.reports.folder)
    try:
        free = edges.free_mib(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        yield Diagnosis(Gravity.ERROR, Flaw.REPORTS_UNREADABLE, str(folder), {"reason": reason})
        return
    if free < LEAST_FREE_MIB:
        facts = {"free_mib": int(free), "needed_mib": LEAST_FREE_MIB}
        yield Diagnosis(Gravity.WARNING, Flaw.DISK_FULL, effective.place_of("reports.folder"), facts)


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that is there."""
    return next((found for found in (path, *path.absolute().parents) if found.exists()), Path.cwd())


def _baseline(effective: EffectiveSettings) -> tuple[Run | None, list[Diagnosis]]:
    gate = effective.settings.gate
    place = f"gate.name {gate.name!r}"
    try:
        place = str(baseline_path(gate.baselines_folder, gate.name))
        baseline = load_baseline(gate.baselines_folder, gate.name)
    except SbirGateError as error:
        return None, [_of_error(place, error)]
    if baseline is not None:
        return baseline, []
    if _has_side_by_side(Path.cwd()):
        # the change is compared with its base, and the main branch makes a baseline by itself
        return None, []
    return None, [Diagnosis(Gravity.WARNING, Flaw.BASELINE_MISSING, place)]


def _has_side_by_side(folder: Path) -> bool:
    """Say whether a workflow of the repository measures changes beside their base."""
    root = repository_folder(folder)
    if root is None:
        return False
    steps = (step for found in read_workflows(root)[0] for job in found.jobs for step in job.steps)
    return any(
        step.is_gate
        and (step.given("side-by-side", "true") == "true" if step.uses else "--base" in step.script)
        for step in steps
    )


def _fingerprint(effective: EffectiveSettings) -> str:
    """Return the fingerprint of the fixtures here, empty if they cannot be read (which is said elsewhere)."""
    try:
        return describe_fixture(effective, 0).fingerprint
    except SbirGateError:
        return ""


def _waivers(effective: EffectiveSettings, edges: DoctorEdges, baseline: Run | None) -> Iterator[Diagnosis]:
    path = effective.settings.gate.waivers_file
    try:
        content = waivers_content(path)
    except SbirGateError as error:
        yield _of_error(str(path), error)
        return
    if content is None:
        if path != effective.folder / default_waivers_file():
            origin = effective.place_of("gate.waivers_file")
            yield Diagnosis(Gravity.ERROR, Flaw.WAIVERS_FILE_MISSING, origin, {"path": str(path)})
        return
    waivers, faults = parse_waivers(content, str(path))
    yield from (_of_fault(fault, Flaw.INVALID_WAIVER, WAIVER_HINT) for fault in faults)
    entries = Waivers(waivers, edges.now().date())
    yield from waiver_faults(policy(effective.settings), entries, _latest(effective), baseline)


def _latest(effective: EffectiveSettings) -> Run | None:
    """Return the latest saved Run of this gate, None if there is none that can be read."""
    try:
        run = load_run(latest_run_path(effective.settings.reports.folder))
    except SbirGateError:
        return None
    return run if run.gate == effective.settings.gate.name else None
