from dataclasses import replace

import pytest

from sbir_gate.gate.comparing.award_checks import award_findings
from sbir_gate.gate.reporting.notices import check_text
from sbir_gate.model.finding import Severity
from sbir_gate.model.records import AwardTable

SOUND = AwardTable(
    awards=198, rejects=2, distinct_ids=198, repeated_ids=0, named=190, identified=150, complete=197
)


def severities(**changes):
    findings = award_findings(replace(SOUND, **changes), max_reject_percent=1.0, min_complete_percent=99.0)
    return {finding.name: finding.severity for finding in findings if not finding.is_passed}


def test_awards_within_the_limits_pass():
    assert severities() == {}


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"rejects": 3}, "pass_rate"),
        ({"complete": 195}, "completeness"),
        ({"distinct_ids": 197}, "uniqueness"),
    ],
)
def test_what_is_beyond_a_limit_is_an_error(changes, check):
    assert severities(**changes) == {check: Severity.FAIL}


def test_ids_that_the_source_repeats_warn():
    assert severities(repeated_ids=3) == {"uniqueness": Severity.WARN}


def test_nothing_at_all_is_no_pass():
    empty = dict.fromkeys(("awards", "rejects", "distinct_ids", "named", "identified", "complete"), 0)
    assert severities(**empty) == {"pass_rate": Severity.FAIL, "completeness": Severity.FAIL}


def test_the_reason_says_how_many_of_how_many_and_the_limit():
    (finding, *_) = award_findings(replace(SOUND, rejects=10), 1.0, 99.0)
    assert check_text(finding) == "198 of 208 rows could be read (95.2%; minimum: 99%)"
