"""The base, made ready to be measured: where it lies, and its environment, settings and command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import ToolError, UsageError
from sbir_gate.gate.commit_files import has_gate
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.enricher_plan import BUILT_IN_COMMAND, CHILD_SETTINGS, interpreter, settings_digest
from sbir_gate.gate.measuring.base_environment import (
    Place,
    engine_folder,
    moved,
    named_files,
    python_of,
    recipe_of,
    set_up,
    side_command,
    side_environment,
)
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan
from sbir_gate.gate.measuring.environment import scrubbed_environment
from sbir_gate.gate.measuring.interleaving import Side, blamed_on
from sbir_gate.gate.measuring.locks import PROJECT, PackageChange, changed_packages, differing_locks
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure
from sbir_gate.gate.run import Progress
from sbir_gate.gate.storing.merge_base import MergeBase
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.run import BaseGap, GapKind
from sbir_gate.settings.base_settings import COMMAND, BaseSettings, Given, base_settings
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import Layer
from sbir_gate.settings.layers import VARIABLE_PREFIX
from sbir_gate.settings.repository_file import settings_file

ENGINE_PACKAGE = "sbir_gate"


@dataclass(frozen=True, slots=True)
class Places:
    """Where both sides lie."""

    head: Place
    base: Place


def head_place(found: MergeBase) -> Place:
    """Return where head is; its enricher runs in the current folder."""
    return Place(found.root.resolve(), Path.cwd().resolve())


def find_gap(
    found: MergeBase, given: Given, own: EffectiveSettings, operator: Sequence[Layer]
) -> BaseGap | None:
    """Return why the base cannot be measured beside head, None if it can be tried.

    A gate that neither the base nor the target branch has is new. Where `operator` names the command, both
    sides run it: a base that lacks what it names cannot, and that does not make the gate new: otherwise
    moving a file would bypass the gate.
    """
    named = given.config_file
    if not any(has_gate(each, named, own, operator) for each in (found.revision, found.target)):
        return BaseGap(GapKind.NEW_GATE, found.ref, found.commit)
    command = own.settings.enricher.command
    if command is None or not _is_from_outside(found, named, operator):
        return None
    head = head_place(found)
    lacking = tuple(
        name
        for name, paths in named_files(command, head).items()
        if all((place := found.revision.place_of(path)) is None or not _is_at(found, place) for path in paths)
    )
    return BaseGap(GapKind.NO_ENGINE, found.ref, found.commit, lacking) if lacking else None


def _is_from_outside(found: MergeBase, named: Path | None, operator: Sequence[Layer]) -> bool:
    """Say whether the command is the same for both sides, whatever the repository holds."""
    if any(entry.key == COMMAND for layer in operator for entry in layer.entries):
        return True
    return named is not None and found.revision.place_of(named) is None


def _is_at(found: MergeBase, place: str) -> bool:
    return bool(found.revision.blobs_in(place))


def places_of(found: MergeBase, tree: Path) -> Places:
    """Return where both sides lie; the base's enricher runs in the folder that answers to head's.

    Raises UsageError if the base has no such folder.
    """
    head = head_place(found)
    folder = head.working_folder.relative_to(head.root)
    if not (tree / folder).is_dir():
        raise UsageError(
            f"--base: the base has no folder {folder}, in which head's enricher runs",
            "call sbir-gate in a folder that both commits have",
        )
    return Places(head, Place(tree, tree / folder))


@dataclass(frozen=True, slots=True)
class BaseSide:
    """The base, ready to be run.

    `locks` are those that differ, `packages` the packages that differ in them. `own` is its own Python
    environment, if it needed one; `shared` says why it has none though it needs one, None if that is not so.
    `engine` is the folder with its own built-in engine; None if it has none.
    """

    places: Places
    locks: tuple[str, ...]
    packages: tuple[PackageChange, ...]
    shared: Finding | None
    own: Path | None
    engine: Path | None
    settings: BaseSettings
    environment: Mapping[str, str]


def prepare_base(
    effective: EffectiveSettings, given: Given, places: Places, edges: Edges, progress: Progress
) -> BaseSide:
    """Make the base's environment, if it needs one of its own, and find out its settings."""
    head, base = places.head, places.base
    folders = head.working_folder, base.working_folder
    locks = differing_locks(effective.settings.benchmark.base_lock, *folders)
    own, shared = _own_environment(effective, given, base, locks, edges, progress)
    engine = engine_folder(base, own, ENGINE_PACKAGE)
    settings = base_settings(
        given, _config_file(given, places), engine, effective.settings, settings_digest(effective)
    )
    environment = side_environment(base, head, own, given.environment)
    if settings.command is None:
        # they are in the file that it is given, without those that it does not know
        environment = {
            name: value for name, value in environment.items() if not name.startswith(VARIABLE_PREFIX)
        }
    packages = changed_packages(locks, *folders)
    return BaseSide(places, locks, packages, shared, own, engine, settings, environment)


def _own_environment(
    effective: EffectiveSettings,
    given: Given,
    base: Place,
    locks: Sequence[str],
    edges: Edges,
    progress: Progress,
) -> tuple[Path | None, Finding | None]:
    """Return the base's own environment if it needs one, and why it runs in head's though it does.

    Without instructions to make one, it may do without. A command of benchmark.base_setup must work.
    """
    benchmark = effective.settings.benchmark
    # without a lock to compare nothing says that the environments are the same
    is_always = benchmark.base_lock == () and benchmark.base_setup is not None
    if not locks and not is_always:
        return None, None
    if benchmark.base_setup is None:
        recipe = recipe_of(base.working_folder)
        if recipe is None or not {recipe, PROJECT} & set(locks):
            return None, note(Rule.ENVIRONMENT_SHARED, names=tuple(locks), reason="no-recipe")
    progress("making the base's environment" + (f": {', '.join(locks)} differs" if locks else ""))
    python = interpreter(effective.settings)
    try:
        return set_up(benchmark.base_setup, base, python, given.environment, edges.launch), None
    except ToolError as error:
        if benchmark.base_setup is not None:
            raise
        return None, note(Rule.ENVIRONMENT_SHARED, names=tuple(locks), reason="failed", fault=error.message)


def _config_file(given: Given, places: Places) -> Path | None:
    """Return the base's version of the settings file: of the one that is given, else its own."""
    if given.config_file is not None:
        of_base = moved(Path.cwd() / given.config_file, places.head, places.base)
        return of_base if of_base.is_file() else given.config_file
    folder = places.base.working_folder
    found = settings_file(None, folder)
    return folder / found if found is not None else None


def base_plan_of(head: BenchmarkPlan, base: BaseSide, scratch: Path) -> BenchmarkPlan:
    """Return head's plan turned into the base's: the same fixture; its own files, environment, settings."""
    settings, places = base.settings, base.places
    if settings.command is not None:
        command = shlex.join(side_command(settings.command, places.head, places.base))
    else:
        config = scratch / CHILD_SETTINGS
        # also where nothing is set: without a file the engine would look for one of its own
        config.write_text(settings.text or "{}\n", encoding="utf-8")
        command = f"{BUILT_IN_COMMAND} --config {shlex.quote(str(config))}"
    return replace(
        head,
        command=command,
        scratch_folder=scratch,
        working_folder=places.base.working_folder,
        environment=base.environment,
        python=str(python_of(base.own)) if base.own else head.python,
        logs=head.logs and head.logs.with_name(Side.BASE.value),
    )


def check_code(plan: BenchmarkPlan, base: BaseSide, edges: Edges) -> None:
    """Make sure that the base's built-in engine is imported from where the base has it.

    Raises ToolError if it is not: head would be compared with itself, and nothing would ever be found.
    """
    if base.settings.command is not None or base.engine is None:
        return
    request = ProcessRequest(
        (plan.python, "-c", f"import {ENGINE_PACKAGE}; print({ENGINE_PACKAGE}.__file__)"),
        scrubbed_environment(plan.environment, plan.pass_environment),
        plan.working_folder,
        plan.timeout_seconds,
    )
    with blamed_on(Side.BASE):
        result = edges.launch(request)
        raise_on_failure(request, result)
    imported = result.log_tail[-1] if result.log_tail else ""
    if not Path(imported).is_relative_to(base.engine):
        raise ToolError(
            f"--base: the base's engine would not run: {ENGINE_PACKAGE} is imported from {imported!r}",
            "make the base an environment of its own: benchmark.base_lock=[] and benchmark.base_setup",
        )
