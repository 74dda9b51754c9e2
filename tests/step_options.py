"""What the steps are given, as the default settings say: tests name only what they change."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from sbir_gate.engine import linking
from sbir_gate.engine.matching.candidates import BlockingOptions
from sbir_gate.engine.matching.cascade import MatchingOptions
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.retrying import RetryPolicy, full_pause
from sbir_gate.settings import reading
from sbir_gate.settings.effective import default_settings
from sbir_gate.settings.schema import Settings


@cache
def _settings() -> Settings:
    return default_settings({}).settings


def retry_policy(**changes: object) -> RetryPolicy:
    """Return the policy of reads and downloads; it waits for nothing, and draws no pauses."""
    edges = {"sleep": lambda _: None, "jitter": full_pause}
    return replace(reading.retry_policy(_settings()), **{**edges, **changes})


def reading_options(**changes: object) -> ReadingOptions:
    return replace(reading.reading_options(_settings()), **changes)


def matching_options(**changes: object) -> MatchingOptions:
    return replace(linking.matching_options(_settings()), **changes)


def blocking_options(**changes: object) -> BlockingOptions:
    return replace(matching_options().blocking, **changes)
