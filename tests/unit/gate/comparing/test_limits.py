import pytest

from sbir_gate.gate.comparing.limits import absolute_findings, relative_findings
from sbir_gate.gate.comparing.ratios import Ratio
from sbir_gate.gate.reporting.messages import text
from sbir_gate.model.finding import Rule, Severity, worst
from tests.factories import EXACT, make_limit


def test_an_inconclusive_outranks_a_warning_because_it_may_hide_a_failure():
    assert worst([Severity.WARN, Severity.INCONCLUSIVE, Severity.INFO]) is Severity.INCONCLUSIVE
    assert worst([Severity.INCONCLUSIVE, Severity.FAIL]) is Severity.FAIL
    assert worst([]) is Severity.OK


def test_both_bounds_can_be_breached_only_by_a_policy_that_contradicts_itself():
    findings = absolute_findings(make_limit("x", minimum=5.0, maximum=1.0), 3.0)
    assert [(finding.rule, finding.measured, finding.limit) for finding in findings] == [
        (Rule.BELOW_MINIMUM, 3.0, 5.0),
        (Rule.ABOVE_MAXIMUM, 3.0, 1.0),
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
    assert (finding.rule, finding.ratio, finding.limit) == (Rule.REGRESSION, None, percent)
    assert text(finding) == f"x rose (0 → 3; limit: +{percent:g}%)"
