import re

import pytest

from sbir_gate.cli.progress import Ticker, mebibytes


class FakeClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += seconds


class FakeStream:
    """A terminal or a log that keeps what is written to it."""

    def __init__(self, is_terminal):
        self.is_terminal = is_terminal
        self.text = ""

    def write(self, text):
        self.text += text


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def terminal():
    return FakeStream(is_terminal=True)


@pytest.fixture
def log():
    return FakeStream(is_terminal=False)


def ticking(stream, clock, is_quiet=False):
    return Ticker(is_quiet=is_quiet, is_terminal=stream.is_terminal, write=stream.write, clock=clock)


def frames(terminal):
    """Return what the one line showed, one after the other."""
    return [frame.rstrip() for frame in terminal.text.split("\r") if frame.strip()]


def messages(log):
    """Return the lines of a log without their times."""
    lines = log.text.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    return [line[9:] for line in lines]


def test_a_log_has_one_line_for_each_thing_that_is_said(log, clock):
    with ticking(log, clock) as ticker:
        ticker.say("reading the fixtures")
        ticker.say("repeat 1 of 5")
    assert messages(log) == ["reading the fixtures", "repeat 1 of 5"]


def test_a_stage_is_told_at_once_and_then_only_every_five_seconds_in_a_log(log, clock):
    with ticking(log, clock) as ticker:
        for done in range(0, 12_000, 1_000):
            ticker.count("recipients", done)
            clock.forward(1)
    assert messages(log) == ["recipients", "recipients: 5,000, 1,000/s", "recipients: 10,000, 1,000/s"]


def test_a_new_stage_is_told_however_soon_it_comes_and_its_rate_starts_anew(log, clock):
    with ticking(log, clock) as ticker:
        ticker.count("awards", 1_000)
        ticker.count("recipients", 0)
        clock.forward(10)
        ticker.count("recipients", 50)
    assert messages(log) == ["awards: 1,000", "recipients", "recipients: 50, 5/s"]


def test_no_rate_is_told_within_the_first_second(log, clock):
    with ticking(log, clock) as ticker:
        ticker.count("awards", 0)
        clock.forward(1)
        ticker.count("awards", 9)
        ticker.count("done", 9)
    assert messages(log) == ["awards", "done: 9"]


def test_a_terminal_moves_one_line_ten_times_a_second_at_most(terminal, clock):
    ticker = ticking(terminal, clock)
    for done in range(100):
        ticker.count("recipients", done)
        clock.forward(0.01)
    assert "\n" not in terminal.text
    assert len(frames(terminal)) in {9, 10}


def test_a_terminal_shows_nothing_of_a_longer_line_under_a_shorter_one(terminal, clock):
    with ticking(terminal, clock) as ticker:
        ticker.say("a long line of words " * 9)
        ticker.say("short")
    lines = [frame for frame in terminal.text.split("\r") if frame]
    assert {len(line) for line in lines} == {78}


def test_a_terminal_is_left_clean_even_after_an_error(terminal, clock):
    def interrupted():
        with ticking(terminal, clock) as ticker:
            ticker.say("repeat 1 of 5")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.text.endswith("\r" + " " * 78 + "\r")


@pytest.mark.parametrize("stream", ["terminal", "log"])
def test_quiet_says_nothing_at_all(stream, clock, request):
    shown = request.getfixturevalue(stream)
    with ticking(shown, clock, is_quiet=True) as ticker:
        ticker.say("reading")
        ticker.count("recipients", 5)
        clock.forward(60)
        ticker.count("recipients", 50)
    assert shown.text == ""


def test_a_terminal_draws_a_bar_where_the_share_is_known(terminal, clock):
    ticker = ticking(terminal, clock)
    ticker.count("recipients", 0, 0.0)
    clock.forward(2)
    ticker.count("recipients", 500, 0.25)
    first, last = (frame.strip() for frame in frames(terminal))
    assert first == "recipients [--------------------]   0%"
    assert last == "recipients [#####---------------]  25%: 500, 250/s, 6 s left"


def test_a_log_tells_the_percent_and_how_long_it_will_take(log, clock):
    ticker = ticking(log, clock)
    ticker.count("recipients", 0, 0.0)
    clock.forward(10)
    ticker.count("recipients", 500, 0.5)
    assert messages(log) == ["recipients 0%", "recipients 50%: 500, 50/s, 10 s left"]


def test_what_was_there_when_a_stage_began_tells_nothing_of_its_rate(log, clock):
    with ticking(log, clock) as ticker:
        ticker.count("download", 800, 0.8)
        clock.forward(10)
        ticker.count("download", 900, 0.9)
    assert messages(log) == ["download 80%: 800", "download 90%: 900, 10/s, 10 s left"]


def test_an_amount_may_have_a_unit(log, clock):
    with ticking(log, clock) as ticker:
        ticker.count("download", 0, 0.0)
        clock.forward(10)
        ticker.count("download", 50 * 2**20, 0.5, amount=mebibytes)
    assert messages(log)[-1] == "download 50%: 50.0 MiB, 5.0 MiB/s, 10 s left"


def test_a_note_stays_on_a_terminal(terminal, clock):
    with ticking(terminal, clock) as ticker:
        ticker.count("download", 5)
        ticker.note("trying again in 1 s")
        ticker.count("other", 6)
    assert "\rtrying again in 1 s\n" in terminal.text


def test_a_note_is_a_line_of_a_log_and_nothing_where_it_is_to_be_quiet(log, terminal, clock):
    ticking(log, clock).note("trying again")
    assert messages(log) == ["trying again"]
    ticking(terminal, clock, is_quiet=True).note("trying again")
    assert terminal.text == ""


def test_the_first_line_of_a_run_stays_on_a_terminal(terminal, clock):
    ticker = Ticker(is_quiet=False, is_terminal=True, keeps_first=True, write=terminal.write, clock=clock)
    ticker.say("gate enrichment")
    ticker.say("reading")
    assert "gate enrichment\n" in terminal.text
    assert "reading\n" not in terminal.text
