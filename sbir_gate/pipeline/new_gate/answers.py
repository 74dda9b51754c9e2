"""The answers that `sbir-gate init` needs of a team, and what makes one of them unusable."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.gate.measuring.command import parse_command
from sbir_gate.reading.layout import AWARDS, RECIPIENTS
from sbir_gate.reading.recipients import check_table
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings.effective import default_settings
from sbir_gate.settings.reading import reading_options


@dataclass(frozen=True, slots=True)
class Answers:
    """What only the team knows; paths are from the folder of the call.

    `engine` is empty for the built-in engine, `python` where the engine names none. `has_forks` says that
    pull requests come from forks too.
    """

    awards: str
    recipients: str
    engine: str
    python: str = ""
    truth: Path | None = None
    count: int = 500
    seed: int = 1
    has_forks: bool = False


def check_awards(source: str) -> None:
    """Raise InputError for what is not a table of awards."""
    check_table(source, reading_options(default_settings({}).settings), AWARDS)


def check_recipients(source: str) -> None:
    """Raise InputError for what is not a table of recipients."""
    check_table(source, reading_options(default_settings({}).settings), RECIPIENTS)


def check_engine_command(command: str) -> None:
    """Raise ConfigurationError for a command that cannot be used; an empty one is the built-in engine."""
    default_settings({"enricher.command": command or None})
    if command:
        parse_command(command)


def check_interpreter(python: str) -> None:
    """Raise InputError for an interpreter that is not there."""
    if shutil.which(python) is None:
        raise InputError("no such program", "give the path of an interpreter", path=python)


def check_truth_file(path: str) -> None:
    """Raise InputError for a truth that cannot be read; it need not be given."""
    if path:
        read_truth(Path(path))
