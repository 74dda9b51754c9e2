"""What a layer of settings is made of: entries, and the faults found on the way."""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate import errors

MAX_FAULTS_SHOWN = 50
MAX_VALUE_CHARACTERS = 80

Scalar = str | int | float | bool | None
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value: its dotted key, and where it was set (`config/base.yaml:12`, a variable, an option)."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, at which key (may be empty), and what is allowed."""

    origin: str
    key: str
    problem: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return str(self.of_error())

    def of_error(self) -> errors.Fault:
        """Return the fault as an error carries it."""
        return errors.Fault(self.problem, path=self.origin, column=_printable(self.key))


@dataclass(frozen=True, slots=True)
class Layer:
    """The entries of one layer, in the order in which they stand, and its faults."""

    entries: tuple[Entry, ...] = ()
    faults: tuple[Fault, ...] = ()


def shown(value: object) -> str:
    """Return a value for a message: on one short line."""
    if isinstance(value, tuple):
        value = list(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return _cut(repr(value))


def _printable(key: str) -> str:
    return _cut(key if key.isprintable() else repr(key))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 3] + "..."


def configuration_error(faults: list[Fault]) -> errors.ConfigurationError:
    """Return one error that lists all faults, one per line (the first 50, and how many more)."""
    listed = [fault.of_error() for fault in faults[:MAX_FAULTS_SHOWN]]
    if len(faults) > MAX_FAULTS_SHOWN:
        listed.append(errors.Fault(f"... and {len(faults) - MAX_FAULTS_SHOWN} more"))
    hint = "config/base.yaml lists every key, with its unit and what is allowed"
    return errors.ConfigurationError("the settings are wrong", hint, listed)
