"""Moments: aware datetimes in UTC, and how they are written in messages and in names of files."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST_YEAR = 2000
LATEST_YEAR = 2200


def utc(moment: datetime) -> datetime:
    """Return the moment in UTC, which one without a zone is. Raises ValueError beyond the years 1 to 9999."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"the time {moment.isoformat()} is out of range in UTC") from error


def moment_text(moment: datetime) -> str:
    """Return a moment in UTC to the second, e.g. 2026-01-31T23:59:59Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_stem(moment: datetime) -> str:
    """Return a moment in UTC for file names, e.g. 20260131T235959Z."""
    return moment.strftime("%Y%m%dT%H%M%SZ")


def is_plausible(moment: datetime) -> bool:
    """Say whether something of ours can have happened then: what lies outside is damage, or was made up."""
    return EARLIEST_YEAR <= moment.year < LATEST_YEAR
