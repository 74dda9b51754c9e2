"""The verdict as JSON for programs: the saved document itself, so that there is one format to know."""

from __future__ import annotations

from sbir_gate.model.document import VERDICT, encode
from sbir_gate.model.verdict import Verdict


def render_json(verdict: Verdict) -> str:
    """Return the verdict as one line of JSON that ends in a newline."""
    return encode(VERDICT, verdict)
