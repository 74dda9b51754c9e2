"""`sbir-gate data fetch` as its users meet it: killed, refused, without room."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys

import pytest

from tests.factories_dumps import Table, write_dump, zipped
from tests.program import run_in_process
from tests.server import Reply, serving

CONTENT = b"Company,Award\n" + random.Random(1).randbytes(1_000_000).hex().encode()
ENVIRONMENT = {"PATH": os.environ["PATH"], "NO_PROXY": "*"}
BIN = os.path.join(os.path.dirname(sys.executable), "sbir-gate")  # noqa: PTH118, PTH120 -- a link must not be resolved


@pytest.fixture
def server():
    with serving() as server:
        yield server


def command(*arguments):
    return [
        BIN,
        "data",
        "fetch",
        *map(str, arguments),
        "--set",
        "enrichment.performance.retry_base_seconds=0.01",
    ]


def run(folder, *arguments):
    return run_in_process(command(*arguments)[1:], folder, ENVIRONMENT)


def program(folder, *arguments, **options):
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_awards_come_and_a_second_time_need_not(server, tmp_path):
    server.add("/award_data.csv", CONTENT)
    first = program(tmp_path, "awards", "--url", server.url("/award_data.csv"))
    assert (first.returncode, first.stdout) == (
        0,
        f"{len(CONTENT):,} bytes downloaded\ndata/award_data.csv: {len(CONTENT):,} bytes\n",
    )
    second = run(tmp_path, "awards", "--url", server.url("/award_data.csv"))
    assert second.stdout.startswith("nothing to download: the file is up to date\n")


@pytest.mark.slow
def test_a_download_that_is_killed_goes_on_and_asks_only_for_the_rest(server, tmp_path):
    server.add("/a.csv", CONTENT, replies=[Reply(hangs_after=1_000_000)])
    arguments = command("awards", "--url", server.url("/a.csv"), "--output", "a.csv")
    part = tmp_path / "a.csv.part"
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not part.exists() or part.stat().st_size < 900_000:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    came = part.stat().st_size
    before = server.sent_bytes
    done = run(tmp_path, "awards", "--url", server.url("/a.csv"), "--output", "a.csv")
    assert done.returncode == 0
    assert (tmp_path / "a.csv").read_bytes() == CONTENT
    assert server.ranges() == [None, f"bytes={came}-"]
    assert server.sent_bytes - before < len(CONTENT) - came + 1000
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_second_download_is_refused_while_the_first_runs(server, tmp_path):
    server.add("/a.csv", CONTENT, replies=[Reply(hangs_after=100_000)])
    arguments = command("awards", "--url", server.url("/a.csv"), "--output", "a.csv")
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        assert server.sending.wait(120)
        second = run(tmp_path, "awards", "--url", server.url("/a.csv"), "--output", "a.csv")
        process.kill()
    assert second.returncode == 2
    assert f"a.csv: another sbir-gate (process {process.pid}) is downloading to it" in second.stderr
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "exit_status"), [(404, 2), (403, 2), (503, 3)])
def test_an_error_is_one_line_without_secrets_also_with_its_traceback(server, tmp_path, status, exit_status):
    server.add("/a.csv", replies=[Reply(status)] * 9)
    url = server.url("/a.csv?token=s3cret").replace("http://", "http://me:hunter2@")
    done = run(tmp_path, "awards", "--quiet", "--url", url)
    assert done.returncode == exit_status
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert server.url("/a.csv") in line
    assert f"({status})" in line
    shown = run_in_process(["--debug", *command("awards", "--url", url)[1:]], tmp_path, ENVIRONMENT)
    assert "Traceback" in shown.stderr
    assert "s3cret" not in line + shown.stderr
    assert "hunter2" not in line + shown.stderr


def test_nobody_there_shows_no_secrets_with_its_traceback(tmp_path):
    url = "http://me:hunter2@127.0.0.1:1/a.csv?token=s3cret"
    shown = run_in_process(["--debug", *command("awards", "--url", url)[1:]], tmp_path, ENVIRONMENT)
    assert shown.returncode == 3
    assert "connection was refused" in shown.stderr
    assert "s3cret" not in shown.stderr
    assert "hunter2" not in shown.stderr


def test_a_file_that_the_system_cuts_short_is_one_line_and_can_go_on(server, tmp_path):
    server.add("/a.csv", CONTENT)

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    done = program(
        tmp_path, "awards", "--quiet", "--url", server.url("/a.csv"), "--output", "a.csv", preexec_fn=limited
    )
    assert done.returncode == 3
    assert "larger than this system lets it be" in done.stderr
    assert (tmp_path / "a.csv.part").stat().st_size == 500_000
    again = run(tmp_path, "awards", "--url", server.url("/a.csv"), "--output", "a.csv")
    assert again.returncode == 0
    assert server.ranges()[-1] == "bytes=500000-"


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_one_line_and_goes_on_when_there_is_room(server, small_disk):
    server.add("/a.csv", CONTENT, is_chunked=True)  # of which the size is not known beforehand
    done = run(small_disk, "awards", "--quiet", "--url", server.url("/a.csv"), "--output", "a.csv")
    assert done.returncode == 3
    assert "the disk is full" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    came = (small_disk / "a.csv.part").stat().st_size
    assert came > 500_000
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    assert run(small_disk, "awards", "--url", server.url("/a.csv"), "--output", "a.csv").returncode == 0
    assert server.ranges()[-1] == f"bytes={came}-"
    assert (small_disk / "a.csv").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_is_one_line(server, tmp_path):
    server.add("/a.csv", CONTENT)
    done = run(tmp_path, "awards", "--url", server.url("/a.csv"), "--output", "/proc/a.csv")
    assert done.returncode == 2
    assert "/proc/a.csv.lock: " in done.stderr
    assert "--output" in done.stderr


def test_recipients_come_out_of_the_zip_and_can_be_profiled(server, tmp_path):
    rows = [[str(number), f"FIRM {number}"] for number in range(500)]
    tables = [
        Table("recipient_lookup", ["id", "legal_business_name"], rows),
        Table("transactions", ["a"], [["1"]]),
    ]
    server.add("/db_20260106.zip", path=zipped(write_dump(tmp_path / "db_20260106", *tables)))
    done = run(tmp_path, "recipients", "--url", server.url("/db_20260106.zip"))
    assert done.returncode == 0, done.stderr
    assert "checksum correct" in done.stdout
    profiled = run_in_process(["data", "profile", "data/db_20260106", "--quiet"], tmp_path, ENVIRONMENT)
    assert profiled.returncode == 0, profiled.stderr
    assert "recipient_lookup" in profiled.stdout


@pytest.mark.parametrize("option", [["--whole"], ["--table", "duns"]])
def test_what_is_for_recipients_is_refused_for_awards(tmp_path, option):
    done = run(tmp_path, "awards", *option)
    assert done.returncode == 2
    assert "only apply to recipients" in done.stderr
