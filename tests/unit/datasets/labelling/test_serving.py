"""The served labelling page: its token, its host, its search and what it saves."""

import json
import socket
import threading
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sbir_gate.datasets.labelling.serving import LabelChange, LabelFile, LabelServer, LabelService
from sbir_gate.errors import InputError, OutputError
from sbir_gate.model.labelling import AwardLabel
from tests.server import RESET


class Kept:
    """Keeps what was changed; fails where it is full, and shows no page where it is damaged."""

    def __init__(self):
        self.changes = []
        self.is_full = False
        self.is_damaged = False

    def page(self):
        if self.is_damaged:
            raise InputError("is empty", "name the award", path="truth.csv", line=3)
        return "<p>page</p>"

    def change(self, change):
        if self.is_full:
            raise OutputError("no space left on device", "free some room")
        self.changes.append(change)


@pytest.fixture
def kept():
    """Return where the labels go."""
    return Kept()


@pytest.fixture
def address(kept):
    """Give the address of a running server, in parts."""
    service = LabelService(kept.page, lambda text: [{"recipient_id": "R1", "name": text}], kept.change)
    with LabelServer(service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield urlsplit(server.address)
        server.shutdown()


@pytest.fixture
def ask(address):
    """Give a function that sends a request and returns status and text."""

    def send(method, place, body=None, path=None, host=None, **headers):
        connection = HTTPConnection(address.hostname, address.port, timeout=10)
        headers |= {} if host is None else {"Host": host}
        connection.request(method, path or address.path + place, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    return send


def test_the_page_and_the_search_are_served(ask):
    assert ask("GET", "") == (200, "<p>page</p>")
    status, text = ask("GET", "search?q=ac%26me")
    assert (status, json.loads(text)) == (200, [{"recipient_id": "R1", "name": "ac&me"}])


@pytest.mark.parametrize("path", ["/", "/guess/", "/guess/search?q=x", "//", "/guess/labels"])
def test_without_the_token_there_is_nothing(ask, path):
    assert ask("GET", "", path=path)[0] == 404
    assert ask("PUT", "", "{}", path=path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:80"])
def test_another_host_name_is_refused(ask, kept, host):
    assert ask("GET", "", host=host)[0] == 404
    assert ask("PUT", "labels", "{}", host=host)[0] == 404
    assert kept.changes == []


def test_labels_are_saved_as_they_were_made(ask, kept):
    label = {"award_id": "A1", "recipient_ids": ["R1"], "reviewer": "anna", "decided_on": "2026-01-31"}
    assert ask("PUT", "labels", json.dumps({"made": [label], "removed": ["A2"]}))[0] == 204
    (change,) = kept.changes
    (found,) = change.made
    assert change.removed == ("A2",)
    assert isinstance(found, AwardLabel)
    assert (found.award_id, found.recipient_ids, str(found.decided_on)) == ("A1", ("R1",), "2026-01-31")


@pytest.mark.parametrize("body", ["", "[]", '{"made": [1]}', '{"made": [{"award_id": "A1"}]}', "\x00"])
def test_anything_else_is_refused(ask, kept, body):
    assert ask("PUT", "labels", body)[0] == 400
    assert kept.changes == []


def test_a_full_disk_is_answered_as_a_failure(ask, kept):
    kept.is_full = True
    status, text = ask("PUT", "labels", "{}")
    assert status == 400
    assert "no space left" in text


def test_too_much_at_once_is_not_read(ask, kept):
    length = {"Content-Length": str(2**20 + 1)}
    assert ask("PUT", "labels", "", **length)[0] == 413
    assert kept.changes == []


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1_0", "\u0661", "x"])
def test_a_length_that_is_none_is_refused_in_one_line(ask, kept, length):
    status, text = ask("PUT", "labels", "", **{"Content-Length": length.encode("utf-8")})
    assert (status, text) == (400, "the Content-Length is not a number of bytes\n")
    assert kept.changes == []


def test_an_address_that_is_none_is_refused_in_one_line(ask, address, capfd):
    for method in ("GET", "PUT"):
        assert ask(method, "", path="http://[x", host=address.netloc) == (400, "Invalid IPv6 URL\n")
    assert capfd.readouterr().err == ""


def test_a_file_that_was_damaged_while_it_is_served_is_named_in_the_place_of_the_page(ask, kept, capfd):
    kept.is_damaged = True
    assert ask("GET", "") == (400, "truth.csv:3: is empty\n")
    assert capfd.readouterr().err == ""


def test_nothing_is_printed_of_a_client_that_goes_away(address, ask, capfd):
    with socket.create_connection((address.hostname, address.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.sendall(f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n".encode())
    assert ask("GET", "")[0] == 200
    assert capfd.readouterr().err == ""


def made(award_id, *recipients):
    """Return the change that labels one award."""
    return LabelChange((AwardLabel(award_id, recipients),))


def test_what_two_servers_change_is_merged_and_other_labels_stay(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("award_id,recipient_ids\nOLD,R9\n")
    first, second = (LabelFile(path, frozenset({"A1", "A2"})) for _ in range(2))
    first.change(made("A1", "R1"))
    second.change(made("A2"))
    first.change(LabelChange(removed=("A1",)))
    assert {award: label.recipient_ids for award, label in first.read().items()} == {"OLD": ("R9",), "A2": ()}
    assert [file.name for file in tmp_path.iterdir()] == ["truth.csv"]


@pytest.mark.parametrize("other", ["truth.csv", "link.csv"])
def test_changes_at_the_same_time_are_all_kept_by_whatever_link(tmp_path, other):
    (tmp_path / "folder").mkdir()
    (tmp_path / "truth.csv").symlink_to("folder/truth.csv")
    (tmp_path / "link.csv").symlink_to("truth.csv")
    names = [f"A{number}" for number in range(20)]
    (tmp_path / "folder" / "truth.csv").write_text("award_id,recipient_ids\n")
    files = [LabelFile(tmp_path / name, frozenset(names)) for name in ("truth.csv", other)]
    threads = [
        threading.Thread(target=files[number % 2].change, args=(made(name, "R1"),))
        for number, name in enumerate(names)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {*files[0].read()} == {*names}


def test_a_file_whose_only_label_was_undone_takes_the_next_one(tmp_path):
    kept = LabelFile(tmp_path / "truth.csv", frozenset({"A1", "A2"}))
    kept.change(made("A1", "R1"))
    kept.change(LabelChange(removed=("A1",)))
    kept.change(made("A2", "R2"))
    assert [*kept.read()] == ["A2"]


def test_a_file_that_can_hold_no_labels_is_named_before_anyone_decides():
    with pytest.raises(OutputError, match=r"cannot be changed \(No such file"):
        LabelFile(Path("/proc/no-folder/truth.csv")).take_over({})


def test_only_labels_that_the_file_lacks_are_taken_over(tmp_path):
    path = tmp_path / "truth.csv"
    kept = LabelFile(path)
    kept.take_over({})
    assert not path.exists()
    path.write_text("award_id,recipient_ids\nA1,R9\n")
    kept.take_over({"A1": AwardLabel("A1", ("R1",)), "A2": AwardLabel("A2", ("R2",))})
    assert {award: label.recipient_ids for award, label in kept.read().items()} == {
        "A1": ("R9",),
        "A2": ("R2",),
    }


def test_labels_of_awards_that_are_not_shown_cannot_be_removed(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("award_id,recipient_ids\nOLD,R9\n")
    kept = LabelFile(path, frozenset({"A1"}))
    kept.change(LabelChange(removed=("OLD",)))
    assert [*kept.read()] == ["OLD"]


@pytest.mark.parametrize(
    "change",
    [
        made("A9", "R1"),
        made("A1", "R 1"),
        made("A1", "R;1"),
        made("A1", ""),
        made("A1", "R" * 501),
        made("A1", *map(str, range(101))),
        LabelChange((AwardLabel("A2", ()), AwardLabel("A1", (), note="x" * 131_072))),
        LabelChange((AwardLabel("A1", (), "x" * 201),)),
    ],
)
def test_what_the_file_cannot_hold_is_refused(tmp_path, change):
    path = tmp_path / "truth.csv"
    with pytest.raises(ValueError, match="no label can be made"):
        LabelFile(path, frozenset({"A1", "A2"})).change(change)
    assert not path.exists()
