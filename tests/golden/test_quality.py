"""The quality report as people see it; `make golden` writes it anew."""

import re

import pytest

from sbir_gate.gate.quality_history import compare_quality
from sbir_gate.gate.reporting.history import HistoryFormat
from sbir_gate.gate.reporting.quality_history import render_reports
from sbir_gate.gate.reporting.quality_page import (
    render_quality_console,
    render_quality_html,
    render_quality_markdown,
)
from sbir_gate.model.document import QUALITY, encode
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase
from tests.factories_quality import (
    DECISIONS,
    MADE_AT,
    PROFILES,
    TRUTH,
    candidate,
    link,
    make_report,
    nothing,
    profile,
    report_of,
)
from tests.golden.test_reports import HOSTILE, HOSTILE_TAIL
from tests.page_body import body_of

IN_SCRIPT = "</script><script>alert(1)</script>\u2028<!--"


def bare():
    """Return the report of an output of four columns."""
    profiles = [
        AwardProfile(award_id, "", Phase.OTHER, CompanySize.UNKNOWN, IdentifierType.NEITHER)
        for award_id in ("A1", "A2")
    ]
    return report_of([link("A1", confidence=None, method="soundex"), nothing("A2")], profiles)


def hostile():
    """Return a report in which all that comes from data tries to act."""
    profiles = [
        profile(HOSTILE, HOSTILE_TAIL, agency=HOSTILE, program=IN_SCRIPT, state="=1+1", uei="U1"),
        profile(IN_SCRIPT, IN_SCRIPT, agency=HOSTILE_TAIL, uei="U1"),
        profile("A3", IN_SCRIPT),
    ]
    decisions = [candidate(HOSTILE, IN_SCRIPT), link(IN_SCRIPT, HOSTILE, method=IN_SCRIPT), link("A3", "R3")]
    names = {IN_SCRIPT: LinkedRecipient(IN_SCRIPT, HOSTILE), HOSTILE: LinkedRecipient(HOSTILE, HOSTILE_TAIL)}
    return report_of(decisions, profiles, None, names)


CASES = {"quality": make_report, "quality-bare": bare, "quality-hostile": hostile}


@pytest.mark.parametrize("name", CASES)
def test_markdown(name, check_golden):
    check_golden(f"{name}.md", render_quality_markdown(CASES[name]()))


@pytest.mark.parametrize("name", CASES)
def test_console(name, check_golden):
    check_golden(f"{name}.txt", render_quality_console(CASES[name](), 120))


@pytest.mark.parametrize("name", CASES)
def test_html(name, check_golden):
    check_golden(f"{name}.html", body_of(render_quality_html(CASES[name]())))


def test_json(check_golden):
    text = encode(QUALITY, make_report())
    check_golden("quality.json", re.sub(r'("tool_version":)"[^"]*"', r'\1""', text))


@pytest.mark.parametrize("format_", HistoryFormat)
def test_history(format_, check_golden, tmp_path):
    before = make_report()
    after = report_of((*DECISIONS[:2], link("A3", "R9"), *DECISIONS[3:]), PROFILES, TRUTH)
    assert before.made_at == after.made_at == MADE_AT
    reports = [(tmp_path / "2026-01-31.json", before), (tmp_path / "2026-01-31-2.json", after)]
    suffix = {HistoryFormat.TABLE: "txt"}.get(format_, format_.value)
    check_golden(
        f"quality-history.{suffix}", render_reports(reports, compare_quality(before, after), format_, 120)
    )
