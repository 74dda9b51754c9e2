"""Errors of sbir-gate as Dagster's: with their hint, and tried again only where that may help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from sbir_gate.errors import ExitStatus, SbirGateError


@contextmanager
def as_failures() -> Iterator[None]:
    """Let an error with a name end the step in its own words.

    Wrong input stays wrong: only what broke (a time-out, the machine) is left to the step's retry policy.
    """
    try:
        yield
    except SbirGateError as error:
        words = [error.message, error.hint, *getattr(error, "__notes__", [])]
        raise dg.Failure(
            description="; ".join(filter(None, words)),
            metadata={"status": error.exit_status.name},
            allow_retries=error.exit_status is ExitStatus.BROKEN,
        ) from error
