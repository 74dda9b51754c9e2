"""Send a payload to a Slack webhook. Its address is a secret: it is in no error, whatever goes wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from sbir_gate.errors import PublishError, UsageError
from sbir_gate.retrying import RetryPolicy, TransientError, full_pause

WEBHOOK_VARIABLE = "SBIR_GATE_SLACK_WEBHOOK"

_RETRIES = 3
_BASE_SECONDS = 1.0
_MOST_WAIT_SECONDS = 60.0
_TIMEOUT_SECONDS = (10.0, 30.0)
_DONE = range(200, 300)
_FIRST_SERVER_FAULT = 500
_TOO_MANY = 429
# Slack's error code, and its hint
_CURES = {
    "no_service": "the webhook was removed: make a new one and store it as the secret",
    "no_active_hooks": "the webhook is switched off: switch it on, or make a new one",
    "no_team": "the workspace is gone: make a webhook in another one",
    "channel_is_archived": "its channel is archived: choose another one for the webhook",
    "channel_not_found": "its channel is gone: choose another one for the webhook",
    "action_prohibited": "an administrator restricts posting there: ask for the permission",
    "invalid_payload": "this is a fault of sbir-gate: please report it",
    "invalid_blocks": "this is a fault of sbir-gate: please report it",
}
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_CHECK = "check the secret that holds the webhook"
# they log addresses: of each request to whoever debugs, of a damaged answer even to standard error
_TALKATIVE = ("urllib3.connection", "urllib3.connectionpool")


@dataclass(frozen=True, slots=True)
class SlackEdges:
    """What posting needs of the world: a session, and how to wait."""

    session: requests.Session
    sleep: Callable[[float], None] = time.sleep


def check_webhook(webhook: str) -> None:
    """Raise UsageError if it is not an https URL; http may lead to this machine alone, to a relay."""
    try:
        parts = urlsplit(webhook)
        schemes = {"https", "http"} if parts.hostname in _HERE else {"https"}
        is_sound = bool(parts.hostname) and parts.scheme in schemes and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # of a name, a port or brackets that are none
        is_sound = False
    if not is_sound or not webhook.isprintable() or " " in webhook:
        raise UsageError(f"{WEBHOOK_VARIABLE} holds no https address", _CHECK)


def post_to_slack(webhook: str, payload: str, edges: SlackEdges) -> None:
    """Post the payload, and wait out what can pass: a busy server, a limit of its rate, a cut connection.

    Raises PublishError with Slack's own word for what is wrong. No redirect is followed: it would send the
    payload to an unintended server.
    """
    retrying = RetryPolicy(
        "exponential", _RETRIES, _BASE_SECONDS, _MOST_WAIT_SECONDS, sleep=edges.sleep, jitter=full_pause
    )
    try:
        retrying.call(lambda: _post(webhook, payload, edges.session))
    except TransientError as error:
        raise PublishError(
            f"{error.reason}, {error.attempts} times",
            "the reports have what it was to say: run the same command again",
        ) from None


def _post(webhook: str, payload: str, session: requests.Session) -> None:
    try:
        with _silence():
            response = session.post(
                webhook,
                data=payload.encode(),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        # requests words its errors with the address in them: only their class is reported
        raise TransientError(f"Slack cannot be reached ({type(error).__name__})") from None
    if response.status_code in _DONE:
        return
    problem = _problem(response)
    if response.status_code != _TOO_MANY and response.status_code < _FIRST_SERVER_FAULT:
        raise PublishError(problem, _cure(response))
    raise TransientError(problem, _wait(response))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the address out of all logs while it is in use."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _problem(response: requests.Response) -> str:
    word = _word(response)
    return f"Slack answers with {response.status_code}" + (f" ({word})" if word else "")


def _cure(response: requests.Response) -> str:
    return _CURES.get(_word(response), _CHECK)


def _word(response: requests.Response) -> str:
    """Return Slack's word for what is wrong, empty for anything else: it may quote what was sent."""
    text = response.text.strip()
    return text if text in _CURES else ""


def _wait(response: requests.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _MOST_WAIT_SECONDS) if asked.isdecimal() else 0.0
