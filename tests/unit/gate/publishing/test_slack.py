import logging
import socket
import threading

import pytest
import requests
from werkzeug import Request, Response

from sbir_gate.errors import PublishError, UsageError
from sbir_gate.gate.publishing.slack import SlackEdges, check_webhook, post_to_slack

CANARY = "T0CANARY/B0CANARY/s3cr3tcanary"
PAYLOAD = '{"text": "ü"}'


class Slack:
    """A webhook that answers as it is told, one answer for each request."""

    def __init__(self, httpserver):
        self.url = httpserver.url_for(f"/services/{CANARY}")
        self.answers: list[Response] = []
        self.got: list[tuple[str, bytes]] = []
        self.waits: list[float] = []
        httpserver.expect_request(f"/services/{CANARY}").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.got.append((request.headers["Content-Type"], request.get_data()))
        return self.answers.pop(0) if self.answers else Response("ok")

    def post(self):
        with requests.Session() as session:
            post_to_slack(self.url, PAYLOAD, SlackEdges(session, self.waits.append))


@pytest.fixture
def slack(httpserver):
    return Slack(httpserver)


def everything_of(error):
    """Return all that a traceback or a log would show of an error."""
    shown = []
    while error is not None:
        shown += [str(error), repr(error), getattr(error, "hint", "")]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(shown)


def test_the_payload_arrives_as_json(slack):
    slack.post()
    assert slack.got == [("application/json; charset=utf-8", PAYLOAD.encode())]
    assert slack.waits == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_can_pass_is_waited_out(slack, status):
    slack.answers = [Response("busy", status), Response("busy", status)]
    slack.post()
    assert len(slack.got) == 3
    assert slack.waits == [1.0, 2.0]


def test_slack_says_how_long_to_wait_and_is_not_waited_for_for_ever(slack):
    slack.answers = [
        Response("", 429, {"Retry-After": "7"}),
        Response("", 429, {"Retry-After": "99999"}),
        Response("", 429, {"Retry-After": "soon"}),
    ]
    slack.post()
    assert slack.waits == [7.0, 60.0, 4.0]


def test_a_server_that_stays_busy_is_told(slack):
    slack.answers = [Response("", 503)] * 9
    with pytest.raises(PublishError, match=r"^Slack answers with 503, 4 times$"):
        slack.post()
    assert len(slack.got) == 4


@pytest.mark.parametrize(
    ("word", "cure"),
    [("no_service", "make a new one"), ("channel_is_archived", "choose another"), ("?", "check the secret")],
)
def test_what_cannot_pass_is_not_tried_again(slack, word, cure):
    slack.answers = [Response(word, 404)]
    with pytest.raises(PublishError, match="Slack answers with 404") as caught:
        slack.post()
    assert cure in caught.value.hint
    assert len(slack.got) == 1


def test_a_redirect_is_not_followed(slack, httpserver):
    slack.answers = [Response("", 302, {"Location": httpserver.url_for("/elsewhere")})]
    with pytest.raises(PublishError, match="302"):
        slack.post()
    assert len(httpserver.log) == 1


def test_a_redirect_to_nowhere_is_no_success(slack):
    slack.answers = [Response("", 302)]
    with pytest.raises(PublishError, match="302"):
        slack.post()


def test_the_address_is_in_no_log(slack, caplog):
    slack.answers = [Response("", 503), Response("ok")]
    with caplog.at_level(logging.DEBUG):
        slack.post()
        logging.getLogger("urllib3.connectionpool").debug("others may log again")
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    assert "CANARY" not in "".join(ours)
    assert "others may log again" in caplog.text


def test_a_damaged_answer_does_not_spill_the_address(slack, caplog):
    """urllib3 warns of such headers and names the address; without any set-up that is on standard error."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                got = b""
                # all of it, whatever pieces it comes in: what is left unread resets the connection
                while not got.endswith(PAYLOAD.encode()):
                    got += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        slack.url = f"http://127.0.0.1:{server.getsockname()[1]}/services/{CANARY}"
        slack.post()
        thread.join()
    assert "CANARY" not in caplog.text


def test_the_address_is_in_no_error(slack):
    slack.answers = [Response(f"cannot find {CANARY}", 404)]
    with pytest.raises(PublishError) as refused:
        slack.post()
    slack.url = f"http://127.0.0.1:1/services/{CANARY}"
    with pytest.raises(PublishError) as unreachable:
        slack.post()
    assert "cannot be reached" in str(unreachable.value)
    for error in (refused.value, unreachable.value):
        assert "CANARY" not in everything_of(error)


@pytest.mark.parametrize("webhook", ["https://hooks.slack.com/services/x", "http://127.0.0.1:8/x"])
def test_https_and_this_machine_are_addresses(webhook):
    check_webhook(webhook)


@pytest.mark.parametrize(
    "webhook",
    [
        "",
        "x",
        f"http://hooks.slack.com/{CANARY}",
        f"ftp://{CANARY}",
        f"https://a b/{CANARY}",
        f"https://a/\n{CANARY}",
        "https://[x",
        "https://s3cr3tCANARY..x/",
        f"https://{'x' * 70}/{CANARY}",
        f"https://x:port/{CANARY}",
    ],
)
def test_anything_else_is_refused_without_being_shown(webhook):
    with pytest.raises(UsageError) as caught:
        check_webhook(webhook)
    assert "CANARY" not in everything_of(caught.value)
