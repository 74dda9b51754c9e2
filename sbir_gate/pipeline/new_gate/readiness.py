"""What keeps a gate from doing what the team answered: settings that were kept, files that are missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sbir_gate.pipeline.new_gate.file_plan import Fate, PlannedFile
from sbir_gate.pipeline.new_gate.file_texts import GateFacts
from sbir_gate.pipeline.new_gate.place import Place
from sbir_gate.settings.effective import EffectiveSettings, default_settings


class Problem(StrEnum):
    """A file that is missing, an engine other than the answered one, or a value that is not made use of."""

    MISSING_FILE = "missing-file"
    OTHER_ENGINE = "other-engine"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class OpenSetting:
    """A key of the settings in force that is to be changed before the gate does what the team answered.

    `origin` is where its value was set. `wanted` is the value to set; empty where only --force or a file
    of the team helps.
    """

    key: str
    origin: str
    value: str
    wanted: str
    problem: Problem

    @property
    def is_needed(self) -> bool:
        """Say whether the gate cannot run, or measures something else, until it is set."""
        return self.problem is not Problem.UNUSED


def open_settings(
    effective: EffectiveSettings, facts: GateFacts, place: Place, planned: Sequence[PlannedFile]
) -> Iterator[OpenSetting]:
    """Yield what is wrong with the settings in force, as it will be once the files are written."""
    settings, origins = effective.settings, effective.origins
    written = {each.file.path for each in planned if each.fate is not Fate.KEPT}

    def is_there(path: Path) -> bool:
        return place.inside(path.as_posix()) in written or (place.root / place.folder / path).exists()

    for name, path, wanted in (
        ("awards", settings.fixtures.awards, facts.awards),
        ("recipients", settings.fixtures.recipients, facts.recipients),
        ("truth", settings.fixtures.truth, facts.truth),
        ("draw", settings.fixtures.draw, facts.draw),
    ):
        key = f"fixtures.{name}"
        if path is not None and not is_there(path):
            is_drawn = not wanted or is_there(Path(wanted))
            value = (wanted or "null") if is_drawn else ""
            yield OpenSetting(key, origins[key], str(path), value, Problem.MISSING_FILE)
        elif path is None and wanted and is_there(Path(wanted)):
            yield OpenSetting(key, origins[key], "null", wanted, Problem.UNUSED)
    command = settings.enricher.command or ()
    if list(command) != shlex.split(facts.command):
        key, value = "enricher.command", shlex.join(command) or "null"
        yield OpenSetting(key, origins[key], value, facts.command or "null", Problem.OTHER_ENGINE)
    if facts.name and settings.gate.name == default_settings({}).settings.gate.name:
        key = "gate.name"
        yield OpenSetting(key, origins[key], settings.gate.name, facts.name, Problem.UNUSED)
