"""How the enricher of the settings runs on a fixture: its command, its files, and what it may not change."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from sbir_gate.gate.conclusion import LOGS_NAME
from sbir_gate.gate.fixture import ReadFixture
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan
from sbir_gate.gate.measuring.environment import python_of_caller
from sbir_gate.gate.measuring.interleaving import Side
from sbir_gate.gate.measuring.seals import files_in
from sbir_gate.model.run import BUILT_IN
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.sources import source_paths
from sbir_gate.settings.display import render_effective
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.layers import base_file
from sbir_gate.settings.reading import reading_options
from sbir_gate.settings.schema import Settings

BUILT_IN_COMMAND = (
    "{python} -m sbir_gate enrich --quiet --awards {awards} --recipients {recipients}"
    " --output {output} --metrics {metrics}"
)
CHILD_SETTINGS = "settings.yaml"


def sealed_files(effective: EffectiveSettings, *plans: BenchmarkPlan) -> Iterator[Path]:
    """Yield what no run may change: inputs, settings, those that engines are handed too, and this program."""
    fixtures = effective.settings.fixtures
    for source in filter(None, (fixtures.awards, fixtures.recipients, fixtures.truth, fixtures.draw)):
        for file in resolve_files(str(source)):
            yield from (path.absolute() for path in source_paths(file, reading_options(effective.settings)))
    for plan in plans:
        yield from plan.scratch_folder.glob(CHILD_SETTINGS)
        handed_over = (plan.awards_path, plan.recipients_path)
        yield from (path.absolute() for path in handed_over if path.is_file())
    yield base_file()
    # of another commit it is none of this folder's
    if effective.file is not None and effective.file.is_file():
        yield effective.file.absolute()
    yield from files_in(Path(__file__).parents[1], without="__pycache__")


def settings_digest(effective: EffectiveSettings) -> str:
    """Return the SHA-256 of the settings that change what is linked."""
    settings = effective.settings
    text = settings.matching.model_dump_json() + settings.reading.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()


def plan_of(effective: EffectiveSettings, read: ReadFixture, scratch: Path) -> BenchmarkPlan:
    """Return how the enricher is run on the fixture, from the current folder."""
    settings = effective.settings
    if settings.enricher.command is not None:
        command = shlex.join(settings.enricher.command)
    else:
        # the child must see the very settings in force here, wherever they came from
        child_config = scratch / CHILD_SETTINGS
        child_config.write_text(render_effective(effective), encoding="utf-8")
        command = f"{BUILT_IN_COMMAND} --config {shlex.quote(str(child_config))}"
    awards, recipients = read.handed or (settings.fixtures.awards, settings.fixtures.recipients)
    return BenchmarkPlan(
        command=command,
        awards_path=awards,
        recipients_path=recipients,
        award_ids=tuple(read.profiles.award_ids),
        scratch_folder=scratch,
        working_folder=Path.cwd(),
        environment=os.environ,
        repeats=settings.benchmark.repeats if settings.benchmark.is_timed else 1,
        warmups=settings.benchmark.warm_ups if settings.benchmark.is_timed else 0,
        timeout_seconds=settings.enrichment.performance.timeout_seconds,
        pass_environment=settings.enricher.pass_environment,
        python=interpreter(settings),
        has_private_home=settings.enricher.private_home,
        logs=settings.reports.folder / LOGS_NAME / Side.HEAD.value,
    )


def interpreter(settings: Settings) -> str:
    """Return the interpreter for `{python}`: for the built-in engine always what runs this program.

    A path is made absolute: the base, which has no environment of its own in its checkout, uses it too.
    """
    enricher = settings.enricher
    if enricher.command is None:
        return sys.executable
    if enricher.python is None:
        return python_of_caller(Path.cwd(), os.environ)
    # links are not followed: the place of an interpreter says which environment is meant
    return str(Path.cwd() / enricher.python) if os.sep in str(enricher.python) else str(enricher.python)


def subject_line(effective: EffectiveSettings) -> str:
    """Return what is measured: the gate, its engine and its settings file."""
    settings = effective.settings
    engine = " ".join(settings.enricher.command or (BUILT_IN,))
    return f"gate {settings.gate.name}; engine: {engine}; settings file: {effective.file or 'none'}"
