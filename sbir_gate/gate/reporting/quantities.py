"""How values, differences and changes are written, the same in every channel."""

from __future__ import annotations

import math

from sbir_gate.model.verdict import Change

NOTHING = "-"
NO_CHANGE = "~"
_TIMES = "\N{MULTIPLICATION SIGN}"

# Metrics with this unit are shares of 0..1; their differences are percentage points.
_RATIO = "ratio"
_COUNT = "count"

_BAR_CELLS = 20


def quantity(value: float | None, unit: str) -> str:
    """Return a value with its unit, e.g. "1.71 s", "23.5/s"; a count bare, a share as 0.7500."""
    if value is None:
        return NOTHING
    return f"{value:.4f}" if unit == _RATIO else _with_unit(value, unit)


def judged_difference(change: Change, unit: str) -> str:
    """Return the difference that was judged: between machines a multiple of the calibrated reference.

    Raw values of two machines differ by the machines too, so their difference says nothing of the code. Of
    two Runs side by side it is that of the pairs, which need not be that of the medians beside it.
    """
    if change.is_calibrated and change.ratio is not None:
        return f"{_TIMES} {change.ratio:.2f} calibrated"
    text = difference(change.delta, unit)
    if change.head is None or change.reference is None or not change.delta:
        return text
    medians = change.head - change.reference
    return text if math.isclose(change.delta, medians, rel_tol=0.005) else f"{text} by its pairs"


def difference(delta: float | None, unit: str) -> str:
    """Return a signed difference with its unit; that of shares in percentage points (pp)."""
    if delta is None:
        return NOTHING
    if delta == 0:
        return "0"
    if unit == _RATIO:
        return f"{delta * 100:+.2f} pp"
    sign = "+" if delta > 0 else "-"
    return f"{sign}{_with_unit(abs(delta), unit)}"


def relative_change(change: Change) -> str:
    """Return the change in percent of the reference, with its interval if noisy.

    `~` says that the change is none, or cannot be told from none. Where time was calibrated, the raw
    change is shown too.
    """
    if change.head is None:
        return NOTHING if change.reference is None else "gone"
    if change.reference is None:
        return "not compared" if change.not_compared else NOTHING
    if not change.is_significant:
        return NO_CHANGE
    if change.ratio is None:
        return "from 0" if change.reference == 0 else "from below 0"
    text = _percent(change.ratio)
    if (
        change.ratio_low is not None
        and change.ratio_high is not None
        and change.ratio_low < change.ratio_high
    ):
        text += f" [{_percent(change.ratio_low)}, {_percent(change.ratio_high)}]"
    if change.raw_ratio is not None and not math.isclose(change.raw_ratio, change.ratio, rel_tol=1e-6):
        text += f" (raw {_percent(change.raw_ratio)})"
    return text


def rate(value: float | None) -> str:
    """Return a share of 0..1 with three decimals, or a dash where it is not known."""
    return NOTHING if value is None else f"{value:.3f}"


def bar(share: float) -> str:
    """Return a share of 0..1 as a bar of text."""
    filled = round(min(max(share, 0.0), 1.0) * _BAR_CELLS)
    return "█" * filled + "░" * (_BAR_CELLS - filled)


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"


def _with_unit(value: float, unit: str) -> str:
    if unit.startswith("1/"):
        return f"{_number(value)}{unit[1:]}"
    return _number(value) if unit == _COUNT else f"{_number(value)} {unit}".rstrip()


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.1f}"
    return f"{value:.4g}"
