from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.side_by_side import is_decided
from tests.factories import NOISY, make_policy, make_run, with_lost_links, with_metric

WIDE = (1.2, 2.2, 1.7, 2.5, 1.3)


def verdict(head):
    """Return the verdict on a head whose times nobody can judge yet."""
    noisy = with_metric(head, "wall_seconds", WIDE, "s", NOISY)
    return judge(noisy, make_run(session="s"), make_policy())


def test_more_pairs_are_measured_while_time_is_open():
    assert not is_decided(verdict(make_run(session="s")), make_policy())


def test_none_are_once_awards_have_failed_the_gate():
    assert is_decided(verdict(with_lost_links(make_run(session="s"), 6)), make_policy())
