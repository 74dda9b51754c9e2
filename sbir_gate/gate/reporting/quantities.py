"""How values, differences and changes are printed: the same units, digits and signs in every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from sbir_gate.model.finding import ABSOLUTE
from sbir_gate.model.verdict import Change

NOTHING = "-"
NO_CHANGE = "~"
NOT_MEASURED = "not measured"
ARROW = "\N{RIGHTWARDS ARROW}"
MINUS = "\N{MINUS SIGN}"

# A metric in this unit is a share of 0 to 1; its difference is in percentage points.
_RATIO = "ratio"
_COUNT = "count"
_SECONDS = "s"
_MILLISECONDS = "ms"
# from here down, seconds are printed in ms
_FEW_SECONDS = 0.1

_DIGITS = 3
_MOST_DIGITS = 17
_SAME = 1e-12  # values that are closer, relative to their size, may read alike
_LEAST_PERCENT = 1e-9
_BAR_CELLS = 20


def quantity(value: float | None, unit: str, apart_from: float | None = None) -> str:
    """Return a value with its unit: "1.71 s", "23.5/s", "42 ms"; a count bare, a share as 0.750.

    It has enough digits to read differently from `apart_from`.
    """
    if value is None:
        return NOTHING
    (text, *_), printed = _distinct([value, *([] if apart_from is None else [apart_from])], unit, abs(value))
    return f"{text}{_suffix(printed)}"


def plain_quantity(value: float, unit: str) -> str:
    """Return a configured value without trailing zeros: "500 MiB", "0.5 s"."""
    (text,), printed = _distinct([value], unit, abs(value))
    if unit != _RATIO and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}{_suffix(printed)}"


def quantities(
    reference: float | None, head: float | None, unit: str, apart_from: float | None = None
) -> str:
    """Return "9.78 → 15.1 s": both values in one unit, with enough digits to read differently."""
    if reference is None or head is None:
        one = quantity(head, unit, apart_from)
        return NOTHING if reference is head else f"{quantity(reference, unit)} {ARROW} {one}"
    values = [reference, head, *([] if apart_from is None else [apart_from])]
    (before, after, *_), printed = _distinct(values, unit, max(abs(reference), abs(head)))
    return f"{before} {ARROW} {after}{_suffix(printed)}"


def difference(delta: float | None, unit: str) -> str:
    """Return a signed difference with its unit; that of shares in percentage points (pp)."""
    if delta is None:
        return NOTHING
    if delta == 0:
        return "0"
    if unit == _RATIO:
        return f"{_signed(delta * 100, 2)} pp"
    sign = "+" if delta > 0 else MINUS
    return f"{sign}{quantity(abs(delta), unit)}"


def change_text(change: Change, *, is_shown: bool = False) -> str:
    """Return the change in percent of the reference, with its interval if the metric is noisy.

    `~` means no change, none beyond the noise, or none that can be printed; with `is_shown` the
    estimate is printed in any case.
    """
    if change.head is None:
        return NOTHING if change.reference is None or not change.is_measured else "gone"
    if change.reference is None:
        return "not compared" if change.not_compared else NOTHING
    if not change.is_significant and not is_shown:
        return NO_CHANGE
    if change.ratio is None:
        return "from 0" if change.reference == 0 else "from below 0"
    text = change_percent(change)
    is_seen = is_shown or signed_percent(change.ratio) != NO_CHANGE
    return f"{text}{interval_text(change)}" if is_seen else NO_CHANGE


def change_percent(change: Change) -> str:
    """Return the change in percent, with enough digits to read differently from the limit."""
    if change.ratio is None:
        return NOTHING
    limits = (limit.value for limit in change.broken if limit.kind not in ABSOLUTE)
    return signed_percent(change.ratio, is_shown=True, apart_from=next(limits, None))


def interval_text(change: Change) -> str:
    """Return the interval of the change, e.g. " [-4, +2]"; empty where there is none."""
    low, high = change.ratio_low, change.ratio_high
    if low is None or high is None or low >= high:
        return ""
    return f" [{_bound(low)}, {_bound(high)}]"


def signed_percent(ratio: float, *, is_shown: bool = False, apart_from: float | None = None) -> str:
    """Return a ratio of head to reference as "+37.4%"; `~` where nothing is left to print.

    With `is_shown` a change that small is printed with the digits that it takes.
    """
    percent = (ratio - 1) * 100
    if not is_shown and not float(f"{percent:.{_decimals(percent)}f}"):
        return NO_CHANGE
    text = percent_text(percent, apart_from)
    return f"{'±' if text == '0%' else '+' if percent > 0 else MINUS}{text}"


def percent_text(value: float, apart_from: float | None = None) -> str:
    """Return a percentage without a sign, distinct from another one: "24.7%", "1,250%"."""
    size, decimals = abs(value), _decimals(value)
    if apart_from is not None and not math.isclose(size, apart_from, rel_tol=_SAME):
        while decimals < _MOST_DIGITS and f"{size:.{decimals}f}" == f"{apart_from:.{decimals}f}":
            decimals += 1
    text = _plain_number(size, decimals)
    return f"{size:.1g}%" if text == "0" and size >= _LEAST_PERCENT else f"{text}%"


def p_value_text(p_value: float) -> str:
    """Return the p-value of a test: "0.031"."""
    return f"{p_value:.2g}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return "1 award" or "1,000 awards"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def rate(value: float | None) -> str:
    """Return a share of 0 to 1 with three decimals, or a dash where it is not known."""
    return NOTHING if value is None else f"{value:.3f}"


def signed_number(value: float) -> str:
    """Return a number with its sign and two decimals."""
    return f"{MINUS if value < 0 else '+'}{abs(value):.2f}"


def bar(share: float) -> str:
    """Return a share of 0 to 1 as a bar of text."""
    filled = round(min(max(share, 0.0), 1.0) * _BAR_CELLS)
    return "█" * filled + "░" * (_BAR_CELLS - filled)


def _decimals(percent: float) -> int:
    return 0 if abs(percent) >= 100 else 1


def _bound(ratio: float) -> str:
    percent = (ratio - 1) * 100
    text = _signed(percent, 0 if abs(percent) >= 10 else 1)
    return "0" if text in {"+0", f"{MINUS}0"} else text


def _signed(value: float, decimals: int) -> str:
    return f"{MINUS if value < 0 else '+'}{_plain_number(abs(value), decimals)}"


def _plain_number(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float, unit: str, size: float) -> tuple[float, str]:
    """Return tiny seconds as milliseconds; `size` is the largest of the values that share the unit."""
    return (value * 1000, _MILLISECONDS) if unit == _SECONDS and 0 < size < _FEW_SECONDS else (value, unit)


def _suffix(unit: str) -> str:
    if unit.startswith("1/") or unit == "%":
        return unit.removeprefix("1")
    return "" if unit in {"", _RATIO, _COUNT} else f" {unit}"


def _distinct(values: Sequence[float], unit: str, size: float) -> tuple[list[str], str]:
    """Return values as texts of one unit, and that unit; different values read differently."""
    scaled = [_scaled(value, unit, size) for value in values]
    printed = scaled[0][1]
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        texts = [_number(value, printed, digits) for value, _ in scaled]
        pairs = combinations(zip(texts, values, strict=True), 2)
        if all(
            first[0] != second[0] or math.isclose(first[1], second[1], rel_tol=_SAME)
            for first, second in pairs
        ):
            break
    return texts, printed


def _number(value: float, unit: str, digits: int) -> str:
    """Return a number: `digits` decimals of a share, all of a count, else `digits` significant digits."""
    if unit == _RATIO:
        return f"{value:.{digits}f}".replace("-", MINUS)
    if value == 0 or (unit == _COUNT and value.is_integer()) or abs(value) >= 1e15:
        return f"{value:,.0f}".replace("-", MINUS)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)
