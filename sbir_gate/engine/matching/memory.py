"""What to do about memory: pure decisions from how much of the budget is used."""

from __future__ import annotations

from dataclasses import dataclass

HALVE_ABOVE = 0.80
"""Share of the budget above which the next chunk is half as large."""

SPILL_ABOVE = 0.95
"""Share of the budget above which parts go to disk."""

GROW_BELOW = 0.50
"""Share of the budget below which a chunk that was halved grows again."""

SMALLEST_CHUNK = 1_000
"""Rows; smaller chunks cost time and save nothing."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How to go on: rows of the next chunk, and whether parts are kept on disk."""

    chunk_size: int
    is_spilling: bool


def next_plan(plan: MemoryPlan, used_mib: float, budget_mib: float, wanted_chunk: int) -> MemoryPlan:
    """Return how to go on after a chunk at whose end `used_mib` of `budget_mib` were in use.

    A chunk is never made smaller than SMALLEST_CHUNK (or `wanted_chunk`, if that is smaller) and never
    larger than `wanted_chunk`. Parts that have begun to go to disk go on doing so.
    """
    share = used_mib / budget_mib
    chunk = plan.chunk_size
    if share > HALVE_ABOVE:
        chunk = max(chunk // 2, min(SMALLEST_CHUNK, wanted_chunk))
    elif share < GROW_BELOW:
        chunk = min(chunk * 2, wanted_chunk)
    return MemoryPlan(chunk, plan.is_spilling or share > SPILL_ABOVE)
