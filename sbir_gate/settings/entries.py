"""What a layer of settings is made of: entries, and the faults found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sbir_gate.errors import ConfigurationError, Fault

MAX_FAULTS_SHOWN = 50
KEYS_HINT = "'sbir-gate config show' lists every key"

Scalar = str | int | float | bool | None
Value = Scalar | tuple[Scalar, ...]
Tree = dict[str, "object | Tree"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value: its dotted key, and where it was set: a line of a file, a variable, or an option.

    `section_lines` are those of the sections that it is in within a file, the outermost first.
    """

    key: str
    value: object
    path: str
    line: int | None = None
    section_lines: tuple[int, ...] = field(default=(), compare=False)

    @property
    def origin(self) -> str:
        """Where it was set, as in `config/base.yaml:12`."""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    @property
    def is_from_file(self) -> bool:
        """Say whether it is written in a file, and not set for this call by an option or variable."""
        return is_in_file(self.origin)

    def fault(self, problem: str, hint: str = "", value: object = None) -> Fault:
        """Return what is wrong here; `value` is shown with it."""
        return Fault(problem, self.path, self.line, column=self.key, value=value, hint=hint)


def is_in_file(origin: str) -> bool:
    """Say whether an origin is a line of a file."""
    return re.search(r":\d+$", origin) is not None


@dataclass(frozen=True, slots=True)
class Layer:
    """The entries of one layer, in the order in which they stand, and its faults."""

    entries: tuple[Entry, ...] = ()
    faults: tuple[Fault, ...] = ()


def configuration_error(faults: Sequence[Fault], hint: str = KEYS_HINT) -> ConfigurationError:
    """Return one error that lists all faults, one per line (the first 50, and how many more)."""
    listed = in_order(faults)[:MAX_FAULTS_SHOWN]
    needs_hint = any(not fault.hint for fault in listed)
    if len(faults) > MAX_FAULTS_SHOWN:
        listed.append(Fault(f"... and {len(faults) - MAX_FAULTS_SHOWN:,} more"))
    return ConfigurationError("wrong values", hint if needs_hint else "", listed)


def in_order(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults by the lines of their files, which keep their order."""
    paths = list(dict.fromkeys(fault.path for fault in faults))
    return sorted(faults, key=lambda fault: (paths.index(fault.path), fault.line or 0))


def nested(values: Mapping[str, object]) -> Tree:
    """Return the values by dotted key as sections within sections."""
    root: Tree = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        branch = root
        for section in sections:
            branch = branch.setdefault(section, {})  # type: ignore[assignment]  # known keys: never a value here
        branch[name] = value
    return root


def flat(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of sections within sections, by dotted key."""
    for name, content in tree.items():
        if isinstance(content, dict):
            yield from flat(content, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", content
