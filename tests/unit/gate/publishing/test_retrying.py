import pytest

from sbir_gate.gate.publishing.retrying import Patience, Refusal, pause_seconds

NOW = 1_000_000.0
PATIENCE = Patience(retries=3, base_seconds=1.0, cap_seconds=100.0)


def pause(status, attempt=1, message="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return pause_seconds(Refusal(status, message, named), attempt, PATIENCE, NOW)


@pytest.mark.parametrize("status", [0, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_with_longer_and_longer_waits(status):
    assert [pause(status, attempt) for attempt in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, None]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_what_stays_wrong_is_not_tried_again(status):
    assert pause(status) is None


def test_a_limit_is_waited_for_as_long_as_the_server_says():
    assert pause(429, retry_after="17") == 17.0
    assert pause(403, retry_after="17") == 17.0
    assert pause(503, retry_after="17") == 17.0


def test_the_hourly_limit_is_waited_for_until_it_is_reset():
    assert pause(403, x_ratelimit_remaining="0", x_ratelimit_reset="1000030") == 30.0
    assert pause(429, x_ratelimit_remaining="0", x_ratelimit_reset="999000") == 1.0


def test_a_secondary_limit_that_does_not_say_how_long_takes_a_minute():
    assert pause(403, message="You have exceeded a secondary rate limit. Please wait") == 60.0
    assert pause(429) == 60.0


def test_a_wait_beyond_the_cap_is_not_made_at_all():
    assert pause(429, retry_after="101") is None
    assert pause(403, x_ratelimit_remaining="0", x_ratelimit_reset="1009999") is None


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "9" * 30, "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_wait_that_makes_no_sense_counts_as_unsaid(value):
    assert pause(429, retry_after=value) == 60.0


def test_a_limit_was_refused_for_sure_and_a_broken_server_was_not():
    assert not Refusal(429).is_unsure
    assert not Refusal(403, "secondary rate limit").is_unsure
    assert Refusal(502).is_unsure
    assert Refusal(0).is_unsure
    assert not Refusal(404).is_unsure
