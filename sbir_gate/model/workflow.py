"""Workflow files of GitHub Actions, as far as the doctor looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Permissions = Mapping[str, str]
"""Scopes (`contents`, ...) and what is granted of each; `*` means all of them (`write-all`)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the action that it uses or the script that it runs, and what the action is given.

    `is_gate` says whether it runs sbir-gate, in either way, or should: `is_missing` says that it uses an
    action at the top of this repository, which has none.
    """

    origin: str
    is_gate: bool
    uses: str = ""
    script: str = ""
    inputs: Mapping[str, str] | None = None
    is_missing: bool = False

    def given(self, name: str, default: str = "") -> str:
        """Return an input of the action, `default` if it is not given."""
        return (self.inputs or {}).get(name, default)


@dataclass(frozen=True, slots=True)
class Job:
    """One job; `permissions` is None where it says nothing of them, `condition` its `if`.

    `is_matrix` says that there may be several of it at a time.
    """

    origin: str
    name: str
    steps: tuple[Step, ...]
    permissions: Permissions | None = None
    condition: str = ""
    is_matrix: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """One file: the events that it runs on, with the keys that narrow each down (`paths`, ...)."""

    path: str
    events: Mapping[str, frozenset[str]]
    jobs: tuple[Job, ...]
    permissions: Permissions | None = None
