"""How numbers and limits are said in reasons."""

from __future__ import annotations

from sbir_gate.model.finding import Severity
from sbir_gate.model.verdict import MetricLimit


def number_text(value: float, digits: int = 4) -> str:
    """Return a number to so many significant digits, without an exponent where it can be read."""
    if 10**digits - 0.5 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def distinct_texts(first: float, second: float, fewest_digits: int = 4) -> tuple[str, str]:
    """Return two numbers with enough digits to tell them apart, so that no reason says 0.7 < 0.7.

    Equal numbers come out equal.
    """
    for digits in range(fewest_digits, 17):
        texts = number_text(first, digits), number_text(second, digits)
        if texts[0] != texts[1]:
            return texts
    return number_text(first, fewest_digits), number_text(second, fewest_digits)


def unit_text(unit: str) -> str:
    """Return the unit with a blank before it; nothing for plain ratios and counts."""
    return "" if unit in {"", "ratio", "count"} else f" {unit}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return "1 award" or "2 awards"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def limits_text(limit: MetricLimit) -> str:
    """Return all limits of a metric in one line, e.g. "warn 10 %, fail 25 %, minimum 0.7"."""
    parts = []
    if limit.warn_percent is not None:
        parts.append(f"warn {number_text(limit.warn_percent)} %")
    if limit.fail_percent is not None:
        parts.append(f"fail {number_text(limit.fail_percent)} %")
    softness = "" if limit.absolute_severity is Severity.FAIL else f" ({limit.absolute_severity})"
    if limit.minimum is not None:
        parts.append(f"minimum {number_text(limit.minimum)}{softness}")
    if limit.maximum is not None:
        parts.append(f"maximum {number_text(limit.maximum)}{softness}")
    return ", ".join(parts)
