from sbir_gate.gate.quality_history import compare_quality
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, SegmentChange
from tests.factories_quality import DECISIONS, PROFILES, TRUTH, link, make_report, report_of


def changes(before, after):
    return compare_quality(before, after).changes


def test_a_report_does_not_differ_from_itself():
    whole = Proportion.of(2, 9)
    assert changes(make_report(), make_report()) == (SegmentChange(None, "", whole, whole),)


def test_all_awards_come_first_then_the_largest_difference():
    after = report_of((*DECISIONS[:2], link("A3", "R9"), *DECISIONS[3:]), PROFILES, TRUTH)
    found = changes(make_report(), after)
    assert (found[0].dimension, found[0].before, found[0].after) == (
        None,
        Proportion.of(2, 9),
        Proportion.of(3, 9),
    )
    assert (found[1].dimension, found[1].value, found[1].delta) == (Dimension.YEAR, "2021", 1.0) or (
        found[1].dimension is Dimension.IDENTIFIER_TYPE
    )
    sizes = [abs(change.delta) for change in found[1:]]
    assert sizes == sorted(sizes, reverse=True)
    assert all(change.before != change.after for change in found[1:])


def test_a_segment_that_one_report_lacks_has_no_difference_and_comes_first():
    fewer = report_of(DECISIONS[:1], PROFILES[:1], TRUTH)
    assert changes(fewer, make_report())[1].delta is None
    assert changes(fewer, make_report())[1].before is None
