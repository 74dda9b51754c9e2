"""The settings that reading is given, as its own options."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.reading.database import DatabaseOptions
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.schema import Settings


def reading_options(settings: Settings) -> ReadingOptions:
    """Return how files are read: in blocks as large as chunks may grow."""
    performance = settings.enrichment.performance
    return ReadingOptions(
        chunk_size=performance.chunk_size_max,
        find_header=settings.reading.find_header,
        max_record_mib=settings.reading.max_record_mib,
        max_reject_percent=settings.reading.max_reject_percent,
        retrying=retry_policy(settings),
    )


def retry_policy(settings: Settings) -> RetryPolicy:
    """Return how often, and after which pauses, a failing read or download is tried again."""
    performance = settings.enrichment.performance
    return RetryPolicy(
        kind=performance.retry_backoff,
        retries=performance.max_retries,
        base_seconds=performance.retry_base_seconds,
        cap_seconds=performance.retry_cap_seconds,
    )


def work_folder(settings: Settings) -> Path | None:
    """Return the folder for temporary files, None for the system's. Raises InputError for what is not one."""
    folder = settings.enrichment.work_folder
    if folder is not None and not folder.is_dir():
        hint = "make the folder, or leave the setting at null"
        raise InputError("is not a folder", hint, column="enrichment.work_folder", value=str(folder))
    return folder


def database_options(settings: Settings) -> DatabaseOptions:
    """Return what a database may use."""
    performance = settings.enrichment.performance
    return DatabaseOptions(performance.memory_threshold_mb, performance.workers)
