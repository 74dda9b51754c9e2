"""What the shell offers after Tab: refs of git, metrics, and keys of the settings. Files are click's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

_MOST = 200
_SECONDS = 5.0


def complete_ref(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 -- click's signature
    """Return the branches and tags that begin so; none outside of a repository."""
    from sbir_gate.errors import SbirGateError
    from sbir_gate.gate.storing.git import Git
    from sbir_gate.gate.storing.references import reference_names

    try:
        return _begun(reference_names(Git(Path.cwd(), timeout_seconds=_SECONDS)), incomplete)
    except SbirGateError:
        return []


def complete_metric(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 -- click's signature
    """Return the metrics with a limit that begin so; for a group, what its members begin with."""
    from sbir_gate.settings.keys import metric_names
    from sbir_gate.settings.layers import base_layer

    names = metric_names(entry.key for entry in base_layer().entries if entry.key.startswith("gate.metrics."))
    return _begun((name.removesuffix("*") for name in names), incomplete)


def complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 -- click's signature
    """Return the keys of the settings that begin so, with the sign that their value follows."""
    from sbir_gate.settings.layers import base_layer

    return _begun((f"{entry.key}=" for entry in base_layer().entries), incomplete)


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})[:_MOST]
