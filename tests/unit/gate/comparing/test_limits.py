import pytest

from sbir_gate.gate.comparing.limits import absolute_findings, relative_findings, worst
from sbir_gate.gate.comparing.ratios import Ratio
from sbir_gate.model.verdict import Severity
from tests.factories import EXACT, make_limit


def test_an_inconclusive_outranks_a_warning_because_it_may_hide_a_failure():
    assert worst([Severity.WARN, Severity.INCONCLUSIVE, Severity.INFO]) is Severity.INCONCLUSIVE
    assert worst([Severity.INCONCLUSIVE, Severity.FAIL]) is Severity.FAIL
    assert worst([]) is Severity.OK


def test_both_bounds_can_be_breached_only_by_a_policy_that_contradicts_itself():
    findings = absolute_findings(make_limit("x", minimum=5.0, maximum=1.0), 3.0)
    assert [finding.reason for finding in findings] == [
        "x 3 is below the minimum 5",
        "x 3 is above the maximum 1",
    ]


def test_limits_that_are_switched_off_find_nothing():
    limit = make_limit("x", warn_percent=None, fail_percent=None)
    ratio = Ratio(9.0, 9.0, 9.0, 9.0, 8.0, 8.0, is_significant=True)
    assert relative_findings(limit, ratio, 9.0, 1.0) == ()
    assert absolute_findings(limit, 9.0) == ()


@pytest.mark.parametrize("percent", [0.0, 5.0])
def test_a_change_from_zero_is_worded_without_a_percentage(percent):
    limit = make_limit("x", kind=EXACT, unit="count", warn_percent=None, fail_percent=percent)
    ratio = Ratio(None, None, None, None, 3.0, 3.0, is_significant=True)
    (finding,) = relative_findings(limit, ratio, 3.0, 0.0)
    assert finding.reason == f"x rose from 0 to 3, limit {percent:g} %"
