import signal

import click
import pytest

from sbir_gate.cli.application import Interruption, application

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def signals():
    """Give back what the tests take over."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, action in before.items():
        signal.signal(number, action)


def test_without_a_signal_nothing_has_come():
    interruption = Interruption()
    interruption.watch()
    assert not interruption.has_come


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_work_and_is_remembered_whatever_becomes_of_the_error(number, status):
    interruption = Interruption()
    interruption.watch()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert interruption.has_come
    assert interruption.exit_status == status


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    interruption = Interruption()
    interruption.watch()
    signal.raise_signal(number)
    assert not interruption.has_come


@pytest.mark.parametrize(("typed", "meant"), [("rnu", "run"), ("enrch", "enrich"), ("publsh", "publish")])
def test_a_misspelled_command_is_answered_with_the_one_that_is_near(typed, meant):
    with pytest.raises(click.UsageError) as caught:
        application.main([typed], standalone_mode=False)
    assert f"Did you mean '{meant}'" in caught.value.format_message().replace("one of: ", "")


def test_a_command_that_is_like_none_gets_no_suggestion():
    with pytest.raises(click.UsageError) as caught:
        application.main(["qqqq"], standalone_mode=False)
    assert "Did you mean" not in caught.value.format_message()
