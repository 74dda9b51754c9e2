"""Addresses of remote storage: what is refused, what its faults become, and who reads files in ranges."""

import errno
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath.implementations.memory import MemoryPath
from upath.registry import register_implementation

from sbir_gate.errors import InputError, UsageError
from sbir_gate.files import (
    check_file,
    is_same_file,
    open_file,
    place_durably,
    read_file,
    sha256_of,
    unreadable,
    write_durably,
)
from sbir_gate.reading.database import storage_fault
from sbir_gate.reading.files import resolve_files
from sbir_gate.remote_paths import (
    check_writable,
    is_remote,
    path_of,
    read_remotely,
    remove_remote,
    storage_errors,
    version_of,
)
from sbir_gate.retrying import RetryPolicy, full_pause
from sbir_gate.sql_text import file_relation


class BotoCoreError(Exception):
    """As botocore's: not an OSError."""


class NoCredentialsError(BotoCoreError):
    """As botocore's."""


class FaultyStorage(MemoryFileSystem):
    """A file system in memory that raises its faults first, one at each request for bytes."""

    protocol = "faulty"
    faults: list = []  # noqa: RUF012 -- the one list that tests fill
    serves_ranges = True

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(str(path).replace("faulty://", "memory://"))

    def cat_file(self, path, start=None, end=None, **options):
        if self.faults:
            raise self.faults.pop(0)
        return super().cat_file(path, *((start, end) if self.serves_ranges else ()), **options)

    def _open(self, path, mode="rb", **options):
        if self.faults:
            raise self.faults.pop(0)
        return super()._open(path, mode, **options)


fsspec.register_implementation("faulty", FaultyStorage)
register_implementation("faulty", MemoryPath)


@pytest.fixture
def bucket(tmp_path):
    """Return a folder of remote storage that no other test has."""
    folder = path_of(f"memory://{tmp_path.name}")
    yield folder
    remove_remote(folder)


@pytest.fixture
def faulty(tmp_path):
    yield path_of(f"faulty://{tmp_path.name}")
    FaultyStorage.faults.clear()
    FaultyStorage.serves_ranges = True


def quick(retries=3):
    return RetryPolicy("constant", retries, 0.0, 0.0, sleep=lambda _seconds: None, jitter=full_pause)


@pytest.mark.parametrize("text", ["data.csv", "/data/a.csv", "s3:/bucket/a.csv", "C:/a.csv", "a#b://c"])
def test_what_has_no_scheme_is_a_path_on_this_machine(text):
    assert path_of(text) == Path(text)
    assert not is_remote(path_of(text))


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIA123:wJalr/secret@bucket/folder",
        "sftp://user:secret@host/folder",
        "https://user:secret@host/a.csv",
        "https://secret@host/a.csv",
        "https://host/a.csv?signature=secret",
    ],
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(address):
    with pytest.raises(UsageError) as raised:
        path_of(address)
    assert "secret" not in raised.value.message.replace("often a secret", "")
    assert "AKIA123" not in raised.value.message


@pytest.mark.parametrize(
    ("address", "module", "hint"),
    [
        ("s3://bucket/a.csv", "s3fs", "pip install 'sbir-gate[s3]'"),
        ("gs://bucket/a.csv", "gcsfs", "pip install 'sbir-gate[gcs]'"),
        ("https://host/a.csv", "aiohttp", "pip install 'sbir-gate[http]'"),
        ("abfs://container/a.csv", "adlfs", "adlfs"),
        ("memory://bucket/a.csv", "upath", "pip install universal-pathlib"),
        ("S3://bucket/a.csv", "upath", "pip install 'sbir-gate[s3]'"),
    ],
)
def test_what_is_not_installed_is_one_line_with_the_fix(address, module, hint, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    with pytest.raises(UsageError) as raised:
        path_of(address)
    assert raised.value.message.endswith(":// is not installed")
    assert raised.value.message.startswith(f"{address}: what reads ")
    assert hint in raised.value.hint


def test_an_unknown_scheme_is_refused():
    with pytest.raises(UsageError, match="nonsense:// is not storage that fsspec knows"):
        path_of("nonsense://bucket/a.csv")


def test_a_storage_that_cannot_be_reached_is_one_line():
    with pytest.raises(InputError, match="cannot be reached"):
        path_of("ftp://localhost:1/awards.csv")


def test_files_are_written_whole_and_read_back(bucket, tmp_path):
    place = bucket / "folder" / "a.bin"
    assert write_durably(place, b"content")
    assert read_file(place, 100) == b"content"
    assert sha256_of(place) == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    (tmp_path / "local").write_bytes(b"other")
    before = version_of(place)
    place_durably(tmp_path / "local", place)
    assert read_file(place, 100) == b"other"
    assert version_of(place) != before
    assert is_same_file(place, path_of(str(place)))
    assert not is_same_file(place, tmp_path / "local")
    check_writable(place)
    assert [child.name for child in place.parent.iterdir()] == ["a.bin"]


def test_what_is_not_there_is_said_as_of_a_file_here(bucket):
    with pytest.raises(FileNotFoundError) as raised:
        check_file(bucket / "none.csv")
    assert raised.value.strerror == "no such file or folder"
    for source in (bucket / "none.csv", f"{bucket}/none/*.csv", f"{bucket}/none"):
        with pytest.raises(InputError, match=r"no such file or folder|no file matches"):
            resolve_files(str(source))


def test_folders_globs_and_tables_are_found_as_on_this_machine(bucket):
    for name in ("b.csv", "a.csv", ".hidden.csv", "inner/c.csv", "notes.md"):
        write_durably(bucket / "data" / name, b"name\nAcme\n")
    names = [file.path.name for file in resolve_files(f"{bucket}/data")]
    assert names == ["a.csv", "b.csv"]
    assert [file.path.name for file in resolve_files(f"{bucket}/data/[ab].csv")] == names
    assert [file.path.name for file in resolve_files(f"{bucket}/**/c.csv")] == ["c.csv"]
    write_durably(bucket / "dump" / "toc.dat", b"PGDMP")
    assert [(str(file.path), file.table) for file in resolve_files(f"{bucket}/dump#rpt.names")] == [
        (f"{bucket}/dump", "rpt.names")
    ]


@pytest.mark.parametrize(
    ("fault", "reason", "hint"),
    [
        (NoCredentialsError("Unable to locate credentials"), "not permitted: Unable", "set the credentials"),
        (PermissionError("Access Denied"), "not permitted: Access Denied", "set the credentials"),
        (RuntimeError("proxy http://me:pw@proxy:80/ failed"), "http://***@proxy", "check the network"),
        (RuntimeError(), "RuntimeError", "check the network"),
    ],
)
def test_a_fault_of_the_storage_is_an_error_of_the_system_with_a_hint(fault, reason, hint, monkeypatch):
    package = SimpleNamespace(BotoCoreError=BotoCoreError, ClientError=BotoCoreError)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", package)
    with pytest.raises(OSError, match="Errno") as raised, storage_errors("faulty://bucket/a.csv"):
        raise fault
    error = unreadable("faulty://bucket/a.csv", raised.value)
    assert reason in str(error)
    assert hint in error.hint
    assert "pw" not in error.message


def test_a_fault_of_the_program_is_not_one_of_the_storage():
    with pytest.raises(KeyError), storage_errors("faulty://bucket/a.csv"):
        raise KeyError("name")


def test_a_host_that_does_not_answer_is_not_a_missing_file():
    with pytest.raises(OSError, match="none") as raised, storage_errors("https://host/none"):
        raise FileNotFoundError("none") from ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    assert raised.value.errno == errno.EIO


def parquet(path, tmp_path):
    local = tmp_path / "rows.parquet"
    rows = duckdb.sql("SELECT range AS number FROM range(100000)")
    rows.write_parquet(str(local), row_group_size=10_000)
    write_durably(path, local.read_bytes())


def counted(path, retrying=None):
    with duckdb.connect(config={"threads": 2}) as connection:
        read_remotely(connection, [path, path, Path("here")], retrying)
        rows = connection.sql(f"FROM {file_relation([path])}")
        return rows.aggregate("count(*), sum(number)").fetchall()[0]


def test_the_database_reads_ranges_of_a_file_whatever_its_name(bucket, tmp_path):
    path = bucket / "wei[1]rd's *.parquet"
    parquet(path, tmp_path)
    assert counted(path) == (100_000, 4_999_950_000)


def test_a_range_that_fails_for_a_moment_is_read_again(faulty, tmp_path):
    path = faulty / "a.parquet"
    parquet(path, tmp_path)
    FaultyStorage.faults[:] = [ConnectionResetError("reset"), TimeoutError("slow")]
    assert counted(path, quick()) == (100_000, 4_999_950_000)
    FaultyStorage.faults[:] = [ConnectionResetError("reset")] * 9
    with pytest.raises(duckdb.Error, match=r"StorageError: \[Errno 5\] reset"):
        counted(path, quick())


def test_the_fault_of_a_query_is_told_once_and_of_no_other_query(faulty, tmp_path):
    path = faulty / "a.parquet"
    parquet(path, tmp_path)
    FaultyStorage.faults[:] = [RuntimeError("the line is dead")] * 9
    with duckdb.connect() as connection:
        read_remotely(connection, [path])
        with pytest.raises(duckdb.Error) as raised:
            connection.execute(f"FROM {file_relation([path])}").fetchall()
        assert "the line is dead" in str(storage_fault(raised.value))
        assert storage_fault(raised.value) is None
        with pytest.raises(duckdb.BinderException) as other:
            connection.execute("SELECT none FROM range(1)")
        assert storage_fault(other.value) is None


def test_a_server_without_ranges_is_said(faulty, tmp_path):
    path = faulty / "a.parquet"
    parquet(path, tmp_path)
    FaultyStorage.serves_ranges = False
    with pytest.raises(duckdb.Error, match="the server does not serve ranges of it"):
        counted(path, quick())


def test_an_open_file_is_sought_in(bucket):
    write_durably(bucket / "a.txt", b"0123456789")
    with open_file(bucket / "a.txt") as file:
        assert file.seek(4) == 4
        assert file.read(3) == b"456"
        assert file.tell() == 7
        assert file.seekable()
