import json
import zipfile

import pytest
import requests

from sbir_gate.datasets.downloading.addresses import parse_address
from sbir_gate.datasets.fetching import FetchRequest, Source, fetch, find_member, newest_dump, open_session
from sbir_gate.errors import InputError
from sbir_gate.reading.dumps import Dump
from sbir_gate.settings import load_settings
from tests.factories_dumps import LOOKUP_COLUMNS, Table, TocWriter, write_dump, zipped
from tests.server import Reply, serving
from tests.step_options import retry_policy

AWARDS = b"Company,Award Title\nAcme,Rockets\n" * 100
ROWS = [[str(number), *["x"] * (len(LOOKUP_COLUMNS) - 1)] for number in range(50)]
TABLES = [Table("recipient_lookup", LOOKUP_COLUMNS, ROWS), Table("duns", ["a"], [["1"]], schema="raw")]


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def fetched(folder):
    """Return a function that fetches with settings of its own."""

    def do(source, settings=(), say=lambda _: None, **request):
        effective = load_settings(None, {}, {}, [f"sources.folder={folder}", *settings])
        policy = retry_policy(sleep=lambda _: None)
        with requests.Session() as session:
            session.trust_env = False
            return fetch(
                FetchRequest(source, **request), effective.settings, session, lambda *_: None, say, policy
            )

    return do


@pytest.fixture
def dump_url(server, tmp_path):
    path = zipped(write_dump(tmp_path / "usaspending-db-subset_20260106", *TABLES), "pruned/")
    server.add("/usaspending-db-subset_20260106.zip", path=path)
    return server.url("/usaspending-db-subset_20260106.zip")


def test_awards_are_named_after_their_url(server, folder, fetched):
    server.add("/award_data.csv", AWARDS)
    result = fetched(Source.AWARDS, [f"sources.awards.url={server.url('/award_data.csv')}"])
    assert result.path == folder / "award_data.csv"
    assert result.path.read_bytes() == AWARDS


def test_a_url_and_an_output_of_the_command_come_first(server, tmp_path, fetched):
    server.add("/", AWARDS)
    fetched(Source.AWARDS, url=server.url("/"), output=tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_bytes() == AWARDS


def test_a_url_without_a_name_gives_a_name_of_ours(server, folder, fetched):
    server.add("/", AWARDS)
    assert fetched(Source.AWARDS, url=server.url("/")).path == folder / "awards.csv"
    assert fetched(Source.RECIPIENTS, url=server.url("/")).path == folder / "recipients.csv"


@pytest.mark.parametrize("source", list(Source))
def test_the_checksum_of_the_settings_holds_for_every_url(server, fetched, source):
    server.add("/a.csv", AWARDS)
    with pytest.raises(InputError, match="its SHA-256 is"):
        fetched(source, [f"sources.{source}.sha256={'0' * 63}a"], url=server.url("/a.csv"))
    with pytest.raises(InputError, match="bytes, not 7"):
        fetched(source, [f"sources.{source}.size_bytes=7"], url=server.url("/a.csv"))


def test_one_table_of_a_zipped_dump_becomes_a_folder_that_the_dump_reader_reads(folder, fetched, dump_url):
    result = fetched(Source.RECIPIENTS, url=dump_url)
    assert result.path.parent == folder / "usaspending-db-subset_20260106"
    assert len(list(result.path.parent.iterdir())) == 2
    with Dump(result.path.parent, retry_policy()) as dump:
        table = dump.find(None)
        with dump.open_member(table) as stream:
            assert b"".join(stream.chunks()) == TABLES[0].copied()


@pytest.mark.parametrize(
    ("request_table", "setting"), [("duns", "recipient_lookup"), ("raw.duns", "null"), (None, "duns")]
)
def test_the_table_is_that_of_the_command_else_that_of_the_settings(
    fetched, dump_url, request_table, setting
):
    result = fetched(
        Source.RECIPIENTS, [f"sources.recipients.table={setting}"], url=dump_url, table=request_table
    )
    with Dump(result.path.parent, retry_policy()) as dump:
        assert dump.find("duns").size_bytes == result.size_bytes


def test_whole_downloads_the_zip(folder, fetched, dump_url):
    result = fetched(Source.RECIPIENTS, url=dump_url, is_whole=True)
    assert result.path == folder / "usaspending-db-subset_20260106.zip"
    assert zipfile.is_zipfile(result.path)


@pytest.mark.usefixtures("dump_url")
def test_a_dump_under_another_name_is_one_if_a_table_is_named(server, fetched):
    server.files["/latest"] = server.files["/usaspending-db-subset_20260106.zip"]
    result = fetched(Source.RECIPIENTS, url=server.url("/latest"), table="duns")
    assert result.path.parent.name == "latest"


def test_without_a_url_the_newest_dump_is_asked_for(server, fetched, dump_url):
    body = json.dumps({"subset_download_file": {"file_name": "x.zip", "url": dump_url}, "messages": []})
    server.add("/list/", body.encode(), replies=[Reply(503)])
    result = fetched(Source.RECIPIENTS, [f"sources.recipients.listing_url={server.url('/list/')}"])
    assert result.path.parent.name == "usaspending-db-subset_20260106"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"subset_download_file": null}',
        b'{"subset_download_file": {"url": null}}',
    ],
)
def test_a_listing_that_names_nothing_is_told(content):
    with pytest.raises(InputError, match="names no subset of the database") as caught:
        newest_dump(content, parse_address("https://host/list/"))
    assert "--url" in caught.value.hint


def test_a_listing_without_end_is_refused(server, fetched):
    server.add("/list/", b"x" * (2 << 20))
    with pytest.raises(InputError, match="has more than"):
        fetched(Source.RECIPIENTS, [f"sources.recipients.listing_url={server.url('/list/')}"])


def test_the_file_of_a_table_is_the_one_that_the_table_of_contents_names():
    toc = TocWriter().written(TABLES)
    names = {table: find_member(toc, table, "toc.dat") for table in ("duns", "rpt.recipient_lookup", None)}
    assert names == {"duns": "5.dat", "rpt.recipient_lookup": "3.dat", None: "3.dat"}


@pytest.mark.parametrize(
    ("tables", "name", "words"),
    [
        (TABLES, "nothing", "holds no table 'nothing'"),
        ([Table("other", ["a"])], None, "holds no data of a known table of recipients"),
        ([Table("duns", ["a"], has_data=False)], "duns", "has the table 'duns', but no data of it"),
        ([Table("duns", ["a"]), Table("duns", ["a"], schema="raw")], "duns", "holds 2 tables named 'duns'"),
    ],
)
def test_a_table_that_is_not_there_or_twice_is_told(tables, name, words):
    with pytest.raises(InputError, match=words):
        find_member(TocWriter().written(tables), name, "toc.dat")


def test_a_damaged_table_of_contents_is_told():
    with pytest.raises(InputError, match=r"host/db.zip: toc.dat"):
        find_member(b"PGDMP", None, "https://host/db.zip: toc.dat")


def test_the_session_follows_few_redirects():
    with open_session() as session:
        assert session.max_redirects == 5
