"""Where the fixture is looked for in vain: no settings file names it, or one in another folder does."""

from __future__ import annotations

import os
from pathlib import Path

from sbir_gate.errors import Fault
from sbir_gate.remote_paths import is_remote
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import configuration_error
from sbir_gate.settings.layers import is_default
from sbir_gate.settings.repository_file import NAME

_SOURCES = ("awards", "recipients", "truth", "draw")


def check_fixture_place(effective: EffectiveSettings) -> None:
    """Raise ConfigurationError where `fixture_place_fault` finds something in the current folder."""
    if (fault := fixture_place_fault(effective, Path.cwd())) is not None:
        raise configuration_error([fault])


def fixture_place_fault(effective: EffectiveSettings, here: Path) -> Fault | None:
    """Return why the files of the fixture are not there for a command that is called in `here`.

    Relative paths start in the folder where a command is called, also those of a settings file that is found
    in a folder above. None where the files are there, and where they are missing for another reason.
    """
    fixtures = effective.settings.fixtures
    if effective.file is None:
        # where the folder is there, the file is what is missing
        folder = (here / fixtures.awards).parent
        is_lost = is_default(effective.origins["fixtures.awards"]) and not folder.exists()
        problem = f"no {NAME} here or in a folder above"
        return Fault(problem, hint="run 'sbir-gate init'") if is_lost else None
    for name in _SOURCES:
        key, path = f"fixtures.{name}", getattr(fixtures, name)
        if path is None or is_remote(path) or path.is_absolute() or not effective.is_from_file(key):
            continue
        above = (here / effective.file).resolve().parents
        start = next((folder for folder in above if (folder / path).exists()), None)
        if start is not None and not (here / path).exists():
            hint = (
                "relative paths start in the folder where sbir-gate is called:"
                f" run 'cd {os.path.relpath(start, here)}' first"
            )
            place = effective.place_of(key)
            return Fault("no such file or folder here", place, column=key, value=str(path), hint=hint)
    return None
