"""How values, differences and changes are printed: the same units, digits and signs in every channel."""

from __future__ import annotations

import math

from sbir_gate.model.verdict import Change

NOTHING = "-"
NO_CHANGE = "~"
ARROW = "\N{RIGHTWARDS ARROW}"
MINUS = "\N{MINUS SIGN}"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# A metric in this unit is a share of 0 to 1; its difference is in percentage points.
_RATIO = "ratio"
_COUNT = "count"
_SECONDS = "s"
_MILLISECONDS = "ms"
# from here down, seconds are printed in ms
_FEW_SECONDS = 0.1

_DIGITS = 3
_MOST_DIGITS = 9
_BAR_CELLS = 20


def quantity(value: float | None, unit: str) -> str:
    """Return a value with its unit: "1.71 s", "23.5/s", "42 ms"; a count bare, a share as 0.750."""
    if value is None:
        return NOTHING
    value, unit = _scaled(value, unit, abs(value))
    return f"{_number(value, unit)}{_suffix(unit)}"


def plain_quantity(value: float, unit: str) -> str:
    """Return a configured value without trailing zeros: "500 MiB", "0.5 s"."""
    text = quantity(value, unit)
    number, _, rest = text.partition(" ")
    if unit == _RATIO or "." not in number:
        return text
    return f"{number.rstrip('0').rstrip('.')} {rest}".rstrip()


def quantities(reference: float | None, head: float | None, unit: str) -> str:
    """Return "9.78 → 15.1 s": both values in one unit, with enough digits to tell them apart."""
    if reference is None or head is None:
        return NOTHING if reference is head else f"{quantity(reference, unit)} {ARROW} {quantity(head, unit)}"
    size = max(abs(reference), abs(head))
    (before, printed), (after, _) = _scaled(reference, unit, size), _scaled(head, unit, size)
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        texts = _number(before, printed, digits), _number(after, printed, digits)
        if texts[0] != texts[1] or math.isclose(before, after, rel_tol=1e-9):
            break
    return f"{texts[0]} {ARROW} {texts[1]}{_suffix(printed)}"


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
        return NOTHING if change.reference is None else "gone"
    if change.reference is None:
        return "not compared" if change.not_compared else NOTHING
    if not change.is_significant and not is_shown:
        return NO_CHANGE
    if change.ratio is None:
        return "from 0" if change.reference == 0 else "from below 0"
    text = signed_percent(change.ratio, is_shown=is_shown)
    return text if text == NO_CHANGE else f"{text}{interval_text(change)}"


def interval_text(change: Change) -> str:
    """Return the interval of the change, e.g. " [-4, +2]"; empty where there is none."""
    low, high = change.ratio_low, change.ratio_high
    if low is None or high is None or low >= high:
        return ""
    return f" [{_bound(low)}, {_bound(high)}]"


def interval_range(change: Change) -> str:
    """Return the interval in a column of its own, e.g. "+4 … +140%"."""
    low, high = change.ratio_low, change.ratio_high
    if low is None or high is None:
        return NOTHING
    return f"{_bound(low)} {_ELLIPSIS} {_bound(high)}%"


def signed_percent(ratio: float, *, is_shown: bool = False) -> str:
    """Return a ratio of head to reference as "+37.4%"; `~` where nothing is left to print.

    With `is_shown` a change that small is printed with the digits that it takes.
    """
    percent = (ratio - 1) * 100
    text = _signed(percent, 0 if abs(percent) >= 100 else 1)
    if float(text.replace(MINUS, "-").replace(",", "")):
        return f"{text}%"
    if not is_shown:
        return NO_CHANGE
    if percent == 0 or abs(percent) < 1e-9:
        return "±0%"
    return f"{'+' if percent > 0 else MINUS}{abs(percent):.1g}%"


def percent_text(value: float) -> str:
    """Return a percentage without a sign: "24.7%", "1,250%"."""
    return f"{_plain_number(abs(value), 0 if abs(value) >= 100 else 1)}%"


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
    if unit.startswith("1/"):
        return unit[1:]
    return "" if unit in {"", _RATIO, _COUNT} else f" {unit}"


def _number(value: float, unit: str, digits: int = _DIGITS) -> str:
    """Return a number: `digits` decimals of a share, all of a count, else `digits` significant digits."""
    if unit == _RATIO:
        return f"{value:.{digits}f}".replace("-", MINUS)
    if value == 0 or (unit == _COUNT and value.is_integer()) or abs(value) >= 1e15:
        return f"{value:,.0f}".replace("-", MINUS)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)
