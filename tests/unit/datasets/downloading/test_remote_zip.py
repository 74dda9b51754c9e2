import hashlib
import io
import random
import sys
import zipfile
from functools import cache

import pytest
import requests

from sbir_gate.datasets.downloading.addresses import parse_address
from sbir_gate.datasets.downloading.partials import sole_writer
from sbir_gate.datasets.downloading.remote_zip import fetch_table
from sbir_gate.datasets.downloading.responses import HttpOptions, RemoteFile
from sbir_gate.datasets.downloading.transfers import DownloadOptions
from sbir_gate.datasets.downloading.zip_members import DumpOptions
from sbir_gate.errors import InputError, OutputError, ToolError, UsageError
from tests.server import Reply, serving
from tests.step_options import retry_policy

TOC = b"PGDMP" + random.Random(1).randbytes(50_000)
MEMBER = random.Random(2).randbytes(3_000_000)
OTHERS = random.Random(3).randbytes(100_000)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def fill(file, mode, method, prefix, member, others, is_zip64):
    with zipfile.ZipFile(file, mode, method) as archive:

        def add(name, content):
            info = zipfile.ZipInfo(prefix + name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=is_zip64) as output:
                output.write(content)

        for number in range(others):
            add(f"{5000 + number}.dat.gz", OTHERS)
        add("5530.dat.gz", member)
        add("toc.dat", TOC)
        for number in range(others):
            add(f"{6000 + number}.dat.gz", OTHERS)


@cache
def packed(method, prefix, member, others, is_zip64):
    file = io.BytesIO()
    fill(file, "w", method, prefix, member, others, is_zip64)
    return file.getvalue()


def write_zip(
    path, method=zipfile.ZIP_DEFLATED, prefix="dump/", member=MEMBER, others=6, is_zip64=False, is_added=False
):
    """Write a dump of several tables, of which 5530 is the wanted one, and return its path."""
    if is_added:
        fill(path, "a", method, prefix, member, others, is_zip64)
    else:
        path.write_bytes(packed(method, prefix, member, others, is_zip64))
    return path


class Desk:
    """One user's place, with a dump on the server."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.slept, self.said, self.asked = [], [], []
        self.free = 10**12
        self.file = server.add("/db.zip", path=write_zip(folder / "served.zip"))
        self.target = folder / "dump"

    def fetch(self, retries=3, member="5530.dat", **dump):
        policy = retry_policy(retries=retries, base_seconds=1.0, cap_seconds=30.0, sleep=self.slept.append)
        options = DownloadOptions(retrying=policy, say=self.said.append, free_bytes=lambda _: self.free)

        def find_member(toc, table):
            self.asked.append((toc, table))
            return member

        with requests.Session() as session:
            session.trust_env = False
            remote = RemoteFile(parse_address(self.server.url("/db.zip")), session, HttpOptions(5, 5, 300))
            return fetch_table(
                remote, self.target, DumpOptions("recipient_lookup", find_member, **dump), options
            )

    def held(self):
        return {path.name: path.read_bytes() for path in self.target.iterdir()}


@pytest.fixture
def desk(server, tmp_path):
    return Desk(server, tmp_path)


WHOLE = {"toc.dat": TOC, "5530.dat.gz": MEMBER}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("prefix", ["", "pruned_data_store_api_dump/"])
def test_the_folder_holds_the_table_and_the_wire_little_more(desk, method, prefix):
    write_zip(desk.file.path, method, prefix, others=30)
    fetched = desk.fetch()
    assert desk.held() == WHOLE
    assert desk.asked == [(TOC, "recipient_lookup")]
    assert fetched.is_verified
    assert fetched.size_bytes == len(MEMBER)
    assert desk.server.sent_bytes < 1.05 * len(MEMBER)
    assert desk.file.size > 2.5 * len(MEMBER)
    assert not (desk.folder / "dump.lock").exists()


def test_a_table_that_is_there_is_not_downloaded_again(desk):
    desk.fetch()
    before = desk.server.sent_bytes
    assert desk.fetch().received_bytes == 0
    assert desk.server.sent_bytes - before < 200_000
    assert desk.held() == WHOLE


def test_force_downloads_it_again(desk):
    desk.fetch()
    assert desk.fetch(is_forced=True).received_bytes > 0.9 * len(MEMBER)


def test_a_damaged_member_is_brought_anew(desk):
    desk.fetch()
    (desk.target / "5530.dat.gz").write_bytes(MEMBER[::-1])
    desk.fetch()
    assert desk.held() == WHOLE


def test_a_second_table_of_the_same_dump_joins_the_first(desk):
    desk.fetch()
    desk.fetch(member="5001.dat")
    assert desk.held() == WHOLE | {"5001.dat.gz": OTHERS}


def test_another_dump_is_replaced_only_by_force(desk):
    desk.fetch(member="5001.dat")
    (desk.target / "toc.dat").write_bytes(b"of last month")
    with pytest.raises(UsageError, match="holds another dump already") as caught:
        desk.fetch()
    assert "--force" in caught.value.hint
    assert (desk.target / "5001.dat.gz").exists()
    desk.fetch(is_forced=True)
    assert desk.held() == WHOLE


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_cuts_cost_only_what_is_missing(desk, method):
    write_zip(desk.file.path, method)
    # in this order: the first byte, the directory, toc.dat, the local header, the member
    desk.file.replies = [
        Reply(503),
        Reply(),
        Reply(cut_after=10),
        Reply(),
        Reply(),
        Reply(),
        Reply(cut_after=1_000_000),
        Reply(cut_after=500_000),
    ]
    desk.fetch()
    assert desk.held() == WHOLE
    assert desk.server.sent_bytes < 1.05 * len(MEMBER)


def test_what_stopped_goes_on_and_asks_only_for_the_rest(desk):
    desk.file.replies = [Reply(), Reply(), Reply(), Reply(), Reply(cut_after=2_000_000)]
    with pytest.raises(ToolError):
        desk.fetch(retries=0)
    assert sorted(desk.held()) == ["5530.dat.gz.part", "5530.dat.gz.part.json"]
    before = desk.server.sent_bytes
    desk.fetch()
    assert desk.server.sent_bytes - before < 1_000_000 + 200_000
    assert desk.held() == WHOLE


@pytest.mark.parametrize("requests_before", range(1, 5))
def test_a_zip_that_changes_in_between_is_never_mixed(desk, requests_before):
    newer = MEMBER[::-1]
    changed = write_zip(desk.folder / "changed.zip", member=newer, others=3)
    real, count = desk.file.read, []

    def read(first, size):
        count.append(first)
        if len(count) == requests_before:
            content = real(first, size)
            desk.file.path, desk.file.etag = changed, '"2"'
            return content
        return real(first, size)

    desk.file.read = read
    desk.fetch()
    assert desk.held() == {"toc.dat": TOC, "5530.dat.gz": newer}
    assert any("has changed" in line for line in desk.said)


def test_a_zip_that_never_stands_still_comes_to_an_end(desk):
    real = desk.file.read

    def read(first, size):
        desk.file.etag = f'"{first}-{size}-{len(desk.server.requests)}"'
        return real(first, size)

    desk.file.read = read
    with pytest.raises(InputError, match="changed 3 times"):
        desk.fetch()


def test_a_part_of_another_version_is_not_resumed(desk):
    desk.file.replies = [Reply(), Reply(), Reply(), Reply(), Reply(cut_after=2_000_000)]
    with pytest.raises(ToolError):
        desk.fetch(retries=0)
    newer = MEMBER[::-1]
    write_zip(desk.file.path, member=newer)
    desk.file.etag = '"2"'
    desk.fetch()
    assert desk.held() == {"toc.dat": TOC, "5530.dat.gz": newer}


def test_without_a_version_the_crc_finds_what_does_not_fit(desk):
    desk.file.etag = desk.file.modified = None
    desk.file.replies = [Reply(), Reply(), Reply(), Reply(), Reply(cut_after=2_000_000)]
    with pytest.raises(ToolError):
        desk.fetch(retries=0)
    (part,) = desk.target.glob("*.part")
    part.write_bytes(b"x" * 1000 + part.read_bytes()[1000:])
    desk.fetch()
    assert desk.held() == WHOLE
    assert "CRC-32 of dump/5530.dat.gz is wrong" in desk.said[-1]


def test_a_server_without_parts_is_refused_and_nothing_is_downloaded(desk):
    desk.file.has_ranges = False
    with pytest.raises(InputError, match="does not send parts of files") as caught:
        desk.fetch()
    assert "--whole" in caught.value.hint
    assert f"{desk.file.size:,} bytes" in caught.value.hint
    assert len(desk.server.requests) == 1


def test_without_the_extra_it_is_said_how_to_install_it(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "remotezip", None)
    with pytest.raises(UsageError, match="needs remotezip") as caught:
        desk.fetch()
    assert "pip install fsspec remotezip" in caught.value.hint
    assert desk.server.requests == []


@pytest.mark.parametrize("size", [10, 1000, 200_000])
def test_what_is_no_zip_is_told(desk, size):
    desk.file.path, desk.file.content = None, b"x" * size
    with pytest.raises(InputError, match="is not a readable zip"):
        desk.fetch()


def test_a_directory_that_is_damaged_is_told(desk):
    content = bytearray(desk.file.path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at : at + 4] = b"XXXX"
    desk.file.path.write_bytes(content)
    with pytest.raises(InputError, match="is not a readable zip"):
        desk.fetch()


def test_a_local_header_that_is_damaged_is_told(desk):
    content = bytearray(desk.file.path.read_bytes())
    with zipfile.ZipFile(desk.file.path) as archive:
        at = archive.getinfo("dump/5530.dat.gz").header_offset
    content[at : at + 4] = b"XXXX"
    desk.file.path.write_bytes(content)
    with pytest.raises(InputError, match="damaged at byte"):
        desk.fetch()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_is_damaged_is_tried_again_and_then_told(desk, method):
    write_zip(desk.file.path, method)
    content = bytearray(desk.file.path.read_bytes())
    with zipfile.ZipFile(desk.file.path) as archive:
        at = archive.getinfo("dump/5530.dat.gz").header_offset + 1_000_000
    content[at : at + 4] = b"XXXX"
    desk.file.path.write_bytes(content)
    with pytest.raises(ToolError, match="CRC-32"):
        desk.fetch(retries=1)
    assert desk.held() == {}


@pytest.mark.parametrize("tocs", [[], ["a/toc.dat", "b/toc.dat"]])
def test_a_zip_of_no_dump_or_of_two_is_told(desk, tocs):
    with zipfile.ZipFile(desk.file.path, "w") as archive:
        for name in ["readme.txt", *tocs]:
            archive.writestr(name, b"x" * 100)
    with pytest.raises(InputError, match="not one database dump"):
        desk.fetch()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "toc.dat", "", "5530.dat/../x", "5530.exe"]
)
def test_a_hostile_name_in_the_table_of_contents_is_refused(desk, name):
    with pytest.raises(InputError, match="names no file that a dump has"):
        desk.fetch(member=name)


def test_a_member_that_the_zip_lacks_is_told(desk):
    with pytest.raises(InputError, match=r"names 7777\.dat, which the zip holds neither"):
        desk.fetch(member="7777.dat")


def test_a_member_that_is_not_compressed_by_the_dump_is_taken_too(desk):
    with zipfile.ZipFile(desk.file.path, "w") as archive:
        archive.writestr("toc.dat", TOC)
        archive.writestr("5530.dat", b"1\t2\n" * 1000)
    desk.fetch()
    assert desk.held() == {"toc.dat": TOC, "5530.dat": b"1\t2\n" * 1000}


@pytest.mark.parametrize("kind", ["bzip2", "encrypted"])
def test_a_member_that_cannot_be_unpacked_is_told(desk, kind):
    write_zip(desk.file.path, zipfile.ZIP_BZIP2 if kind == "bzip2" else zipfile.ZIP_STORED)
    if kind == "encrypted":
        content = bytearray(desk.file.path.read_bytes())
        at = content.rindex(b"dump/5530.dat.gz") - 46
        content[at + 8] |= 1
        desk.file.path.write_bytes(content)
    with pytest.raises(InputError, match="encrypted, or compressed in a way"):
        desk.fetch()


def test_an_empty_member_is_taken(desk):
    write_zip(desk.file.path, zipfile.ZIP_STORED, member=b"")
    desk.fetch()
    assert desk.held() == {"toc.dat": TOC, "5530.dat.gz": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip64_members_are_read(desk, method):
    write_zip(desk.file.path, method, is_zip64=True)
    desk.fetch()
    assert desk.held() == WHOLE


def test_a_zip_larger_than_four_gibibytes_is_read(desk):
    # a hole in the file takes no room: what is appended to it stands at offsets that need zip64
    with desk.file.path.open("wb") as file:
        file.truncate(5 * 2**30)
    write_zip(desk.file.path, is_added=True, others=1)
    assert desk.file.size > 5 * 2**30
    desk.fetch()
    assert desk.held() == WHOLE
    assert desk.server.sent_bytes < 1.05 * len(MEMBER)


def test_a_zip_of_many_members_is_read(desk):
    # more than fit into the last 64 KiB
    with zipfile.ZipFile(desk.file.path, "w") as archive:
        for number in range(3000):
            archive.writestr(f"dump/{number}.dat.gz", b"")
        archive.writestr("dump/toc.dat", TOC)
        archive.writestr("dump/5530.dat.gz", MEMBER)
    desk.fetch()
    assert desk.held() == WHOLE


def test_size_and_checksum_are_those_of_the_member(desk):
    right = hashlib.sha256(MEMBER).hexdigest()
    desk.fetch(size_bytes=len(MEMBER), sha256=right)
    with pytest.raises(InputError, match="its SHA-256 is"):
        desk.fetch(sha256="0" * 64)
    with pytest.raises(InputError, match=r"has 3,000,000 bytes, not 5"):
        desk.fetch(size_bytes=5, is_forced=True)


def test_room_is_needed_for_the_packed_and_the_unpacked_member(desk):
    desk.free = int(1.5 * len(MEMBER))
    with pytest.raises(OutputError, match="bytes are needed"):
        desk.fetch()
    write_zip(desk.file.path, zipfile.ZIP_STORED)
    desk.fetch()
    assert desk.held() == WHOLE


def test_a_file_in_the_place_of_the_folder_is_told(desk):
    desk.target.write_bytes(b"")
    with pytest.raises(OutputError, match="is a file"):
        desk.fetch()


def test_a_second_download_to_the_same_folder_is_refused(desk):
    with sole_writer(desk.target), pytest.raises(UsageError, match="another sbir-gate"):
        desk.fetch()
