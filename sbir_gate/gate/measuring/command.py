"""The enricher's command line: a template with placeholders, split into arguments, never given to a shell."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import ConfigurationError

REQUIRED_PLACEHOLDERS = ("awards", "recipients", "output")
PLACEHOLDERS = (*REQUIRED_PLACEHOLDERS, "metrics", "python")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_HINT = "write it like '{python} enrich.py {awards} {recipients} {output}'"


@dataclass(frozen=True, slots=True)
class CommandTemplate:
    """A checked template: arguments that may hold placeholders."""

    arguments: tuple[str, ...]

    def filled(
        self, awards: Path, recipients: Path, output: Path, metrics: Path, python: str = sys.executable
    ) -> tuple[str, ...]:
        """Return the arguments of one repeat. A path stays one argument, whatever blanks or quotes it has."""
        values = {
            "awards": str(awards),
            "recipients": str(recipients),
            "output": str(output),
            "metrics": str(metrics),
            "python": python,
        }
        return tuple(_substituted(argument, values) for argument in self.arguments)


def parse_command(template: str) -> CommandTemplate:
    """Split and check a template.

    Raises ConfigurationError for unbalanced quotes, an unknown placeholder, or a missing one of
    `{awards}`, `{recipients}`, `{output}`. Braces around anything but a word are left alone.
    """
    try:
        arguments = tuple(shlex.split(template))
    except ValueError as error:
        raise ConfigurationError(f"the engine's command: {error} in {template!r}", _HINT) from error
    if not arguments:
        raise ConfigurationError("the engine's command is empty", _HINT)
    used = {name for argument in arguments for name in _PLACEHOLDER.findall(argument)}
    unknown = sorted(used - set(PLACEHOLDERS))
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ConfigurationError(
            f"the engine's command: unknown placeholder {{{unknown[0]}}} in {template!r}",
            f"known are {known}",
        )
    missing = [name for name in REQUIRED_PLACEHOLDERS if name not in used]
    if missing:
        raise ConfigurationError(
            f"the engine's command: placeholder {{{missing[0]}}} is missing in {template!r}", _HINT
        )
    if any("\0" in argument for argument in arguments):
        raise ConfigurationError(f"the engine's command: holds a NUL character: {template!r}", _HINT)
    return CommandTemplate(arguments)


def _substituted(argument: str, values: Mapping[str, str]) -> str:
    # one pass: a brace inside a path is never taken for a placeholder
    return _PLACEHOLDER.sub(lambda match: values[match[1]], argument)
