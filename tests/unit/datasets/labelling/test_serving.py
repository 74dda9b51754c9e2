"""The served labelling page: its token, its host, its search and what it saves."""

import json
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from sbir_gate.datasets.labelling.serving import LabelServer, LabelService
from sbir_gate.errors import OutputError
from sbir_gate.model.labelling import AwardLabel


class Kept:
    """Keeps what was saved; fails where it is full."""

    def __init__(self):
        self.labels = []
        self.is_full = False

    def save(self, labels):
        if self.is_full:
            raise OutputError("no space left on device", "free some room")
        self.labels = labels


@pytest.fixture
def kept():
    """Return where the labels go."""
    return Kept()


@pytest.fixture
def ask(kept):
    """Give a function that sends a request to a running server and returns status and text."""
    service = LabelService("<p>page</p>", lambda text: [{"recipient_id": "R1", "name": text}], kept.save)
    with LabelServer(service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = urlsplit(server.address)

        def send(method, place, body=None, path=None, host=None):
            connection = HTTPConnection(address.hostname, address.port, timeout=10)
            headers = {} if host is None else {"Host": host}
            connection.request(method, path or address.path + place, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        yield send
        server.shutdown()


def test_the_page_and_the_search_are_served(ask):
    assert ask("GET", "") == (200, "<p>page</p>")
    status, text = ask("GET", "search?q=ac%26me")
    assert (status, json.loads(text)) == (200, [{"recipient_id": "R1", "name": "ac&me"}])


@pytest.mark.parametrize("path", ["/", "/guess/", "/guess/search?q=x", "//", "/guess/labels"])
def test_without_the_token_there_is_nothing(ask, path):
    assert ask("GET", "", path=path)[0] == 404
    assert ask("PUT", "", "[]", path=path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:80"])
def test_another_host_name_is_refused(ask, kept, host):
    assert ask("GET", "", host=host)[0] == 404
    assert ask("PUT", "labels", "[]", host=host)[0] == 404
    assert kept.labels == []


def test_labels_are_saved_as_they_were_made(ask, kept):
    label = {"award_id": "A1", "recipient_ids": ["R1"], "reviewer": "anna", "decided_on": "2026-01-31"}
    assert ask("PUT", "labels", json.dumps([label]))[0] == 204
    (found,) = kept.labels
    assert isinstance(found, AwardLabel)
    assert (found.award_id, found.recipient_ids, str(found.decided_on)) == ("A1", ("R1",), "2026-01-31")


@pytest.mark.parametrize("body", ["", "{}", "[1]", '[{"award_id": "A1"}]', "\x00"])
def test_anything_else_is_refused(ask, kept, body):
    assert ask("PUT", "labels", body)[0] == 400
    assert kept.labels == []


def test_a_full_disk_is_answered_as_a_failure(ask, kept):
    kept.is_full = True
    status, text = ask("PUT", "labels", "[]")
    assert status == 400
    assert "no space left" in text
