"""What goes from step to step: where data are and what they are; assets of others get the data themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin

import dagster as dg

from sbir_gate.errors import InputError, UsageError
from sbir_gate.orchestration.names import RAW
from sbir_gate.orchestration.records import Recorded, recorded, refusals
from sbir_gate.orchestration.retries import as_failures
from sbir_gate.reading.memory_tables import KNOWN_TABLES, PARQUET, load_table

KNOWN = ("pathlib.Path", *KNOWN_TABLES)
_PATHS = (None, Any, object, Path)


class PathIOManager(dg.IOManager):
    """Gives a step what Dagster recorded of the assets before it."""

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Check that the asset wrote what it says. The file is there already."""
        if not obj.exists() and context.asset_key.path[-1] != RAW:  # the source may be a pattern
            raise dg.Failure(f"{obj}: the step did not write what it says it did", allow_retries=False)

    def load_input(self, context: dg.InputContext) -> object:
        """Return the record of an asset to a step that asks for one.

        To others it returns the file of that record as the type that they annotate: a table (`loaded_as`) or
        its path, for several partitions a dictionary of them.
        """
        wanted = context.dagster_type.typing_type
        with as_failures():
            if get_origin(wanted) is dict:
                _, each = get_args(wanted)
                return {key: _loaded(context, key, each) for key in context.asset_partition_keys}
            partition = context.asset_partition_key if context.has_asset_partitions else None
            if wanted is Recorded:
                return _recorded(context, partition)
            return _loaded(context, partition, wanted)


def _recorded(context: dg.InputContext, partition: str | None) -> Recorded:
    return recorded(context.instance, context.step_context.dagster_run, context.asset_key, partition)


def _loaded(context: dg.InputContext, partition: str | None, wanted: object) -> object:
    """Return what was recorded, loaded. Raises InputError where its checks refused it, in whatever run."""
    found = _recorded(context, partition)
    faults = refusals(context.instance, found)
    if faults:
        raise InputError(
            f"{found.asset_key.to_user_string()} was refused: {'; '.join(faults)}",
            f"{found.hint}, or run its checks again once their limits are others",
            path=found.path,
        )
    return loaded_as(wanted, found.path)


def loaded_as(wanted: object, path: Path) -> object:
    """Return a Parquet file as the type that an annotation wants, its path without any.

    Raises UsageError for a type that is none of `KNOWN`, for another kind of file, and for a library that is
    not installed.
    """
    if wanted in _PATHS:
        return path
    library = getattr(wanted, "__module__", "").partition(".")[0]
    name = f"{library}.{getattr(wanted, '__qualname__', wanted)}"
    if name not in KNOWN_TABLES:
        raise UsageError(f"cannot be loaded as {name}", f"annotate {', '.join(KNOWN)}", path=path)
    if path.suffix != PARQUET:
        raise UsageError(f"is not a table: it cannot be loaded as {name}", "annotate pathlib.Path", path=path)
    return load_table(name, path)
