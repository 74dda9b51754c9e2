import gzip
import hashlib
import io
import os
import random
from email.utils import formatdate

import pytest
import requests

from sbir_gate.datasets.downloading.addresses import parse_address
from sbir_gate.datasets.downloading.downloads import fetch_file
from sbir_gate.datasets.downloading.partials import sole_writer
from sbir_gate.datasets.downloading.responses import HttpOptions, RemoteFile
from sbir_gate.datasets.downloading.transfers import DownloadOptions, Wanted
from sbir_gate.errors import InputError, OutputError, ToolError, UsageError
from tests.server import LAST_MODIFIED, Reply, serving
from tests.step_options import retry_policy

NOW = 1_000_000_000.0
CONTENT = b"Company,Award\n" + random.Random(1).randbytes(700_000).hex().encode()
OTHER = b"Company,Award\n" + random.Random(2).randbytes(650_000).hex().encode()


@pytest.fixture
def server():
    with serving() as server:
        yield server


class Desk:
    """One user's place: where files go, how long was slept, what was said."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.slept, self.said, self.progress = [], [], []
        self.free = 10**12
        self.http = HttpOptions(
            connect_timeout_seconds=5, read_timeout_seconds=5, retry_after_cap_seconds=300
        )

    def fetch(self, path="/awards.csv", name="awards.csv", retries=3, url=None, **wanted):
        policy = retry_policy(retries=retries, base_seconds=1.0, cap_seconds=30.0, sleep=self.slept.append)
        options = DownloadOptions(
            retrying=policy,
            progress=lambda done, total: self.progress.append((done, total)),
            say=self.said.append,
            free_bytes=lambda _: self.free,
        )
        with requests.Session() as session:
            session.trust_env = False
            remote = RemoteFile(parse_address(url or self.server.url(path)), session, self.http, lambda: NOW)
            return fetch_file(remote, Wanted(self.folder / name, **wanted), options)

    def target(self, name="awards.csv"):
        return self.folder / name

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def desk(server, tmp_path):
    return Desk(server, tmp_path)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class TestWhole:
    def test_a_file_comes_whole_with_its_time_and_nothing_is_left_beside_it(self, server, desk):
        server.add("/awards.csv", CONTENT)
        fetched = desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert desk.target().stat().st_mtime == 784111777
        assert desk.names() == ["awards.csv"]
        assert (fetched.size_bytes, fetched.received_bytes) == (len(CONTENT), len(CONTENT))
        assert not fetched.is_verified
        assert desk.progress[-1] == (len(CONTENT), len(CONTENT))
        assert (desk.slept, desk.said) == ([], [])

    def test_the_server_is_asked_for_the_bytes_as_they_are(self, server, desk):
        server.add("/awards.csv", CONTENT)
        desk.fetch()
        (request,) = server.requests
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["user-agent"].startswith("sbir-gate/")

    def test_folders_that_are_missing_are_made(self, server, desk):
        server.add("/awards.csv", CONTENT)
        desk.fetch(name="a/b/awards.csv")
        assert desk.target("a/b/awards.csv").read_bytes() == CONTENT

    def test_a_redirect_is_followed_and_the_file_keeps_its_name(self, server, desk):
        server.add("/awards.csv", replies=[Reply(302, {"Location": "/x/evil.sh"})])
        server.add("/x/evil.sh", CONTENT)
        desk.fetch()
        assert desk.names() == ["awards.csv"]

    def test_a_hostile_name_in_the_answer_is_not_looked_at(self, server, desk):
        server.add(
            "/awards.csv",
            CONTENT,
            replies=[Reply(headers={"Content-Disposition": 'attachment; filename="../../evil.csv"'})],
        )
        desk.fetch(name="deep/awards.csv")
        assert [path.name for path in desk.folder.rglob("*") if path.is_file()] == ["awards.csv"]

    @pytest.mark.slow
    def test_redirects_in_circles_end(self, server, desk):
        server.add("/awards.csv", replies=[Reply(302, {"Location": "/awards.csv"})] * 50)
        with pytest.raises(InputError, match="redirects in circles"):
            desk.fetch()
        assert desk.slept == []

    def test_a_redirect_to_another_kind_of_address_is_refused(self, server, desk):
        server.add("/awards.csv", replies=[Reply(302, {"Location": "file:///etc/passwd"})])
        with pytest.raises(InputError, match="one it redirects to, cannot be asked"):
            desk.fetch()

    def test_a_body_whose_end_only_its_last_chunk_tells(self, server, desk):
        server.add("/awards.csv", CONTENT, is_chunked=True)
        assert desk.fetch().size_bytes == len(CONTENT)
        assert desk.target().read_bytes() == CONTENT

    def test_a_body_whose_end_nothing_tells_is_said_to_be_taken_on_trust(self, server, desk):
        file = server.add("/awards.csv", CONTENT)
        endless = Reply(headers={"Content-Length": None}, cut_after=len(CONTENT))
        file.replies = [endless]
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert "a cut at its end would not be noticed" in desk.said[0]
        file.replies = [endless]
        desk.fetch(sha256=sha256(CONTENT), is_forced=True)
        assert len(desk.said) == 1

    def test_a_cut_that_nothing_tells_fails_a_known_size(self, server, desk):
        file = server.add("/awards.csv", CONTENT)
        file.replies = [Reply(headers={"Content-Length": None}, cut_after=1000)]
        with pytest.raises(InputError, match=r"has 1,000 bytes, not"):
            desk.fetch(size_bytes=len(CONTENT))

    def test_a_redirect_to_an_address_that_is_not_encrypted_is_refused(self, desk):
        class Downgrading:
            def get(self, url, **_):
                first, last = requests.Response(), requests.Response()
                first.url, last.url, last.status_code, last.history = url, "http://host/a.csv", 200, [first]
                last.raw = io.BytesIO(CONTENT)
                return last

        remote = RemoteFile(parse_address("https://host/a.csv?token=s3cret"), Downgrading(), desk.http)
        with pytest.raises(InputError, match=r"a\.csv: redirects to an address that is not encrypted"):
            fetch_file(remote, Wanted(desk.target()), DownloadOptions(retry_policy()))
        assert desk.names() == []


class TestRetrying:
    @pytest.mark.parametrize("is_reset", [True, False])
    def test_cuts_at_random_places_cost_only_what_is_missing(self, server, desk, is_reset):
        places = random.Random(3)
        server.add(
            "/awards.csv",
            CONTENT,
            replies=[Reply(cut_after=places.randrange(200_000), is_reset=is_reset) for _ in range(3)],
        )
        fetched = desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert desk.slept == [1.0, 2.0, 4.0]
        assert len(CONTENT) <= fetched.received_bytes <= len(CONTENT) + 3
        assert all(
            request.headers["if-range"] == '"1"'
            for request in server.requests[1:]
            if "range" in request.headers
        )

    def test_a_body_shorter_than_announced_is_not_taken_for_whole(self, server, desk):
        server.add("/awards.csv", CONTENT, replies=[Reply(announces=len(CONTENT) + 5)])
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert server.ranges() == [None, f"bytes={len(CONTENT)}-", None]

    def test_a_cut_in_a_body_of_chunks_is_noticed(self, server, desk):
        server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=100_000, is_chunked=True)])
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert server.ranges() == [None, "bytes=100000-"]

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_what_can_pass_is_tried_again(self, server, desk, status):
        server.add("/awards.csv", CONTENT, replies=[Reply(status), Reply(status)])
        desk.fetch()
        assert desk.slept == [1.0, 2.0]
        assert f"({status}); trying again in 1.0 s" in desk.said[0]

    @pytest.mark.parametrize("status", [204, 300, 400, 401, 403, 404, 405, 407, 410, 451, 501])
    def test_what_cannot_pass_is_not_tried_again(self, server, desk, status):
        server.add("/awards.csv", CONTENT, replies=[Reply(status, body=b"")])
        with pytest.raises(InputError, match=rf"\({status}\)") as caught:
            desk.fetch()
        assert server.url("/awards.csv") in caught.value.message
        assert caught.value.hint
        assert desk.slept == []
        assert desk.names() == []

    @pytest.mark.parametrize(
        ("value", "pause"),
        [
            ("7", 7.0),
            ("0", 1.0),
            ("99999", 300.0),
            (formatdate(NOW + 20, usegmt=True), 20.0),
            (formatdate(NOW - 20, usegmt=True), 1.0),
            ("soon", 1.0),
            ("-5", 1.0),
            ("1e9", 1.0),
        ],
    )
    def test_the_wait_that_a_server_asks_for_is_kept_up_to_its_cap(self, server, desk, value, pause):
        server.add("/awards.csv", CONTENT, replies=[Reply(429, {"Retry-After": value})])
        desk.fetch()
        assert desk.slept == [pause]

    def test_when_the_attempts_are_used_up_it_is_said_how_to_go_on(self, server, desk):
        server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=50_000)] + [Reply(503)] * 3)
        with pytest.raises(ToolError, match=r"not available \(503\) \(tried 4 times\)") as caught:
            desk.fetch()
        assert "run the same command again" in caught.value.hint
        assert desk.names() == ["awards.csv.part", "awards.csv.part.json"]
        desk.fetch()
        assert server.ranges()[-1] == "bytes=50000-"
        assert desk.target().read_bytes() == CONTENT

    def test_an_attempt_that_got_far_starts_the_count_anew(self, server, desk):
        big = CONTENT * 4
        cuts = [Reply(cut_after=1_100_000) for _ in range(4)]
        server.add("/awards.csv", big, replies=cuts)
        desk.fetch(retries=1)
        assert desk.slept == [1.0] * 4
        assert desk.target().read_bytes() == big

    def test_a_server_that_always_starts_again_and_is_always_cut_comes_to_an_end(self, server, desk):
        server.add("/awards.csv", CONTENT * 4, has_ranges=False, replies=[Reply(cut_after=1_200_000)] * 99)
        with pytest.raises(ToolError):
            desk.fetch(retries=2)
        assert desk.slept == [1.0, 2.0]

    def test_a_server_that_says_nothing_is_not_waited_for_for_ever(self, server, desk):
        desk.http = HttpOptions(5, 0.1, 300)
        server.add("/awards.csv", CONTENT, replies=[Reply(is_silent=True), Reply(hangs_after=65_536)])
        desk.fetch()
        assert [said.partition(";")[0] for said in desk.said] == [
            "no answer within 0.1 s",
            "nothing came for 0.1 s",
        ]
        assert server.ranges() == [None, None, "bytes=65536-"]

    def test_nobody_listening_is_told_after_the_last_attempt(self, desk):
        with pytest.raises(ToolError, match=r"http://127.0.0.1:1/a.csv: the connection was refused"):
            desk.fetch(url="http://me:hunter2@127.0.0.1:1/a.csv?token=s3cret")
        assert len(desk.slept) == 3

    def test_a_host_that_does_not_exist_is_told(self, desk):
        with pytest.raises(ToolError, match="the name of the server cannot be resolved"):
            desk.fetch(url="http://no-such-host.invalid/a.csv", retries=0)

    def test_less_than_was_asked_for_is_asked_for_again_without_a_pause(self, server, desk):
        server.add(
            "/awards.csv",
            CONTENT,
            replies=[Reply(cut_after=100), *[Reply(most_bytes=500_000) for _ in range(4)]],
        )
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert desk.slept == [1.0]


class TestResuming:
    def stopped(self, server, desk, **facts):
        """Leave a download that stopped after 100,000 bytes."""
        file = server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=100_000)], **facts)
        with pytest.raises(ToolError):
            desk.fetch(retries=0)
        server.requests.clear()
        return file

    def test_only_the_rest_is_asked_for(self, server, desk):
        self.stopped(server, desk)
        before = server.sent_bytes
        fetched = desk.fetch()
        assert fetched.received_bytes == len(CONTENT) - 100_000
        assert server.sent_bytes - before < len(CONTENT) - 100_000 + 1_000
        assert desk.target().read_bytes() == CONTENT

    def test_a_part_that_is_whole_is_not_asked_for_at_all(self, server, desk):
        self.stopped(server, desk)
        desk.target("awards.csv.part").write_bytes(CONTENT)
        desk.fetch()
        assert server.requests == []
        assert desk.target().read_bytes() == CONTENT

    def test_force_starts_from_nothing(self, server, desk):
        self.stopped(server, desk)
        assert desk.fetch(is_forced=True).received_bytes == len(CONTENT)

    @pytest.mark.parametrize("kind", ["another ETag", "416", "412", "another size"])
    def test_a_file_that_changed_in_the_middle_starts_from_its_beginning(self, server, desk, kind):
        file = self.stopped(server, desk)
        if kind == "another ETag":
            file.content, file.etag = OTHER, '"2"'
        elif kind == "another size":  # of the same ETag: a server that tells no versions apart
            file.content = OTHER
        else:
            file.content = OTHER
            file.replies = [Reply(int(kind))]
        desk.fetch()
        assert desk.target().read_bytes() == OTHER
        assert any("has changed" in said for said in desk.said)

    def test_a_file_that_changes_between_two_attempts_is_never_mixed(self, server, desk):
        file = server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=100_000)])
        change = desk.slept.append

        def sleeping(seconds):
            change(seconds)
            file.content, file.etag = OTHER, '"2"'

        desk.slept = type("Slept", (list,), {"append": staticmethod(sleeping)})()
        desk.fetch()
        assert desk.target().read_bytes() == OTHER

    def test_a_server_without_parts_starts_again_and_says_so(self, server, desk):
        self.stopped(server, desk, has_ranges=False)
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT
        assert desk.said[-1] == "the server does not send parts of files: starting from the beginning"
        assert len(server.requests) == 1

    def test_a_part_that_starts_elsewhere_than_asked_is_not_used(self, server, desk):
        file = self.stopped(server, desk)
        file.replies = [Reply(headers={"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"})]
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT

    def test_a_part_of_which_nothing_is_said_is_refused(self, server, desk):
        file = self.stopped(server, desk)
        file.replies = [Reply(headers={"Content-Range": None})]
        with pytest.raises(InputError, match="without saying which"):
            desk.fetch()

    @pytest.mark.parametrize(
        "facts",
        [
            {"etag": None, "modified": None},
            {"etag": 'W/"1"'},
            {"etag": None, "is_new": True},
            {"etag": "unquoted"},
        ],
    )
    def test_without_a_reliable_version_it_starts_again_and_says_so(self, server, desk, facts):
        self.stopped(server, desk, **facts)
        desk.fetch()
        assert server.ranges() == [None]
        assert "starting over: the server" in desk.said[-1]
        assert desk.target().read_bytes() == CONTENT

    def test_the_time_of_change_is_a_version_where_there_is_no_etag(self, server, desk):
        self.stopped(server, desk, etag=None)
        desk.fetch()
        (request,) = server.requests
        assert (request.headers["range"], request.headers["if-range"]) == ("bytes=100000-", LAST_MODIFIED)

    def test_with_a_known_checksum_no_version_is_needed(self, server, desk):
        self.stopped(server, desk, etag=None, modified=None)
        desk.fetch(sha256=sha256(CONTENT))
        assert server.ranges() == ["bytes=100000-"]
        assert desk.target().read_bytes() == CONTENT

    def test_parts_of_two_versions_that_nothing_tells_apart_fail_the_checksum_and_come_anew(
        self, server, desk
    ):
        file = self.stopped(server, desk, etag=None, modified=None)
        file.content = OTHER + b"." * (len(CONTENT) - len(OTHER))
        desk.fetch(sha256=sha256(file.content))
        assert server.ranges() == ["bytes=100000-", None]
        assert desk.target().read_bytes() == file.content

    def test_what_came_from_another_address_is_not_resumed(self, server, desk):
        self.stopped(server, desk)
        server.add("/other.csv", OTHER)
        desk.fetch("/other.csv")
        assert server.ranges() == [None]
        assert desk.target().read_bytes() == OTHER

    def test_another_token_in_the_url_is_the_same_file(self, server, desk):
        self.stopped(server, desk)
        desk.fetch("/awards.csv?token=new")
        assert server.ranges() == ["bytes=100000-"]

    def test_a_part_longer_than_the_file_is_not_used(self, server, desk):
        self.stopped(server, desk)
        desk.target("awards.csv.part").write_bytes(CONTENT + b"more")
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT

    def test_secrets_are_not_written_beside_the_part(self, server, desk):
        server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=100)])
        url = server.url("/awards.csv?token=s3cret").replace("http://", "http://me:hunter2@")
        with pytest.raises(ToolError):
            desk.fetch(url=url, retries=0)
        note = desk.target("awards.csv.part.json").read_text()
        assert "s3cret" not in note
        assert "hunter2" not in note


class TestContent:
    @pytest.mark.parametrize(
        ("body", "name", "words"),
        [
            (b"<!DOCTYPE html><html>Sorry", "awards.csv", "a page"),
            (b"\xef\xbb\xbf \r\n<html>", "awards.csv", "a page"),
            (b"<?xml version='1.0'?><Error/>", "dump.zip", "a page"),
            (b"Company,Award\n", "dump.zip", r"no \.zip file"),
            (b"Company,Award\n", "awards.csv.gz", r"no \.gz file"),
            (b"Company,Award\n", "awards.pq", r"no \.parquet file"),
            (b"PK\x03\x04......", "awards.csv", r"a \.zip file"),
            (gzip.compress(b"a,b", mtime=0), "awards.csv", r"a \.gz file"),
            (b"PAR1....", "awards.tsv", r"a \.parquet file"),
        ],
    )
    def test_what_is_not_the_file_is_refused_at_once_and_nothing_is_left(
        self, server, desk, body, name, words
    ):
        server.add("/awards.csv", body)
        with pytest.raises(InputError, match=words) as caught:
            desk.fetch(name=name)
        assert caught.value.hint
        assert desk.names() == []
        assert desk.slept == []

    def test_a_short_file_of_the_right_kind_is_taken(self, server, desk):
        server.add("/awards.csv", b"a,b")
        assert desk.fetch().size_bytes == 3

    @pytest.mark.parametrize("is_chunked", [True, False])
    def test_an_empty_file_is_refused(self, server, desk, is_chunked):
        server.add("/awards.csv", b"", is_chunked=is_chunked)
        with pytest.raises(InputError, match="is empty"):
            desk.fetch()
        assert not desk.target().exists()

    def test_a_body_that_is_compressed_on_the_way_is_refused_but_for_a_gz_file(self, server, desk):
        packed = gzip.compress(CONTENT)
        server.add(
            "/awards.csv", packed, replies=[Reply(headers={"Content-Encoding": "gzip"}) for _ in range(2)]
        )
        with pytest.raises(InputError, match=r"compressed \(gzip\)") as caught:
            desk.fetch()
        assert "awards.csv.gz" in caught.value.hint
        desk.fetch(name="awards.csv.gz")
        assert desk.target("awards.csv.gz").read_bytes() == packed

    def test_size_and_checksum_that_are_right_are_verified(self, server, desk):
        server.add("/awards.csv", CONTENT)
        fetched = desk.fetch(size_bytes=len(CONTENT), sha256=sha256(CONTENT))
        assert fetched.is_verified

    def test_a_wrong_checksum_leaves_nothing_and_is_not_tried_again(self, server, desk):
        server.add("/awards.csv", CONTENT)
        with pytest.raises(InputError, match=sha256(CONTENT)) as caught:
            desk.fetch(sha256=sha256(OTHER))
        assert "sources.*.sha256" in caught.value.hint
        assert desk.names() == []
        assert desk.slept == []

    def test_another_size_than_configured_is_refused_before_a_byte_is_written(self, server, desk):
        server.add("/awards.csv", CONTENT)
        with pytest.raises(InputError, match=rf"has {len(CONTENT):,} bytes, not 5"):
            desk.fetch(size_bytes=5)
        assert desk.names() == []

    @pytest.mark.parametrize("difference", [-1, 1])
    def test_another_size_than_configured_is_noticed_where_none_is_announced(self, server, desk, difference):
        server.add("/awards.csv", CONTENT, is_chunked=True)
        with pytest.raises(InputError, match=r"bytes, not|sends more than"):
            desk.fetch(size_bytes=len(CONTENT) + difference)
        assert desk.names() == []


class TestThere:
    @pytest.fixture(autouse=True)
    def downloaded(self, server, desk):
        server.add("/awards.csv", CONTENT)
        desk.fetch()
        server.requests.clear()

    def test_a_file_that_is_there_is_not_downloaded_again(self, server, desk):
        assert desk.fetch().received_bytes == 0
        assert server.ranges() == ["bytes=0-0"]

    def test_with_a_known_checksum_the_server_is_not_even_asked(self, server, desk):
        assert desk.fetch(sha256=sha256(CONTENT)).is_verified
        assert desk.fetch(size_bytes=len(CONTENT)).received_bytes == 0
        assert server.requests == []

    @pytest.mark.parametrize("kind", ["force", "size", "time", "checksum", "configured size"])
    def test_it_is_downloaded_again_if_asked_or_if_it_is_another(self, server, desk, kind):
        file, wanted = server.files["/awards.csv"], {}
        if kind == "force":
            wanted["is_forced"] = True
        elif kind == "size":
            file.content = OTHER
        elif kind == "time":
            file.content = CONTENT[::-1]
            file.modified = formatdate(desk.target().stat().st_mtime + 60, usegmt=True)
        else:
            file.content = OTHER
            wanted = {"sha256": sha256(OTHER)} if kind == "checksum" else {"size_bytes": len(OTHER)}
        assert desk.fetch(**wanted).received_bytes == file.size
        assert desk.target().read_bytes() == file.content

    def test_the_older_file_stays_until_the_new_one_is_whole(self, server, desk):
        file = server.files["/awards.csv"]
        file.content = OTHER
        file.replies = [Reply(), Reply(cut_after=1000)]
        with pytest.raises(ToolError):
            desk.fetch(retries=0)
        assert desk.target().read_bytes() == CONTENT

    def test_a_server_without_parts_is_asked_for_no_more_than_the_head(self, server, desk):
        server.files["/awards.csv"].has_ranges = False
        assert desk.fetch().received_bytes == 0


class TestDisk:
    def test_too_little_room_is_told_before_a_byte_is_written(self, server, desk):
        server.add("/awards.csv", CONTENT)
        desk.free = 1000
        with pytest.raises(
            OutputError, match=rf"{len(CONTENT):,} bytes are still to come, and 1,000 are free"
        ):
            desk.fetch()
        assert desk.names() == []

    def test_only_what_is_missing_needs_room(self, server, desk):
        server.add("/awards.csv", CONTENT, replies=[Reply(cut_after=len(CONTENT) - 500)])
        with pytest.raises(ToolError):
            desk.fetch(retries=0)
        desk.free = 1000
        desk.fetch()
        assert desk.target().read_bytes() == CONTENT

    def test_a_folder_in_the_place_of_the_file_is_told(self, desk):
        desk.target().mkdir()
        with pytest.raises(OutputError, match="is a folder"):
            desk.fetch()

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_a_folder_that_may_not_be_written_is_told(self, server, desk):
        server.add("/awards.csv", CONTENT)
        desk.folder.chmod(0o500)
        with pytest.raises(OutputError, match="may not be written"):
            desk.fetch()
        desk.folder.chmod(0o700)

    def test_a_second_download_to_the_same_file_is_refused(self, server, desk):
        server.add("/awards.csv", CONTENT)
        with sole_writer(desk.target()), pytest.raises(UsageError, match="another sbir-gate"):
            desk.fetch()
        assert server.requests == []
