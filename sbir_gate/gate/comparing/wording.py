"""How numbers are written in the problems that the doctor finds."""

from __future__ import annotations


def number_text(value: float, digits: int = 4) -> str:
    """Return a number with the given significant digits, without an exponent where it can be read."""
    if 10**digits - 0.5 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return "1 award" or "2 awards"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
