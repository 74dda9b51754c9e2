"""Input, parts and output on an S3-compatible server, with workers that are processes of their own.

s3fs and moto's server are in requirements-s3.lock, which the test installs for itself.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
PIECES = 4

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Install s3fs and the server, and start it; return the environment of programs that use it."""
    packages = tmp_path_factory.mktemp("packages")
    lock = ["--no-deps", "--require-hashes", "--requirement", str(ROOT / "requirements-s3.lock")]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), *lock]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"pip cannot install requirements-s3.lock: {installed.stderr[-200:]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        **os.environ,
        "PYTHONPATH": str(packages),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    server = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(server, env=variables, stderr=subprocess.DEVNULL) as started:
        try:
            fill(variables)
            yield variables
        finally:
            started.kill()


FILL = """
import sys, time
from pathlib import Path
import s3fs
files = s3fs.S3FileSystem()
for _ in range(200):
    try:
        files.mkdir("bucket")
        break
    except OSError:
        time.sleep(0.1)
source, pieces = Path(sys.argv[1]), int(sys.argv[2])
files.pipe_file("bucket/awards.csv", (source / "awards.csv").read_bytes())
header, *lines = (source / "recipients.csv").read_text().splitlines(keepends=True)
for number in range(pieces):
    files.pipe_file(f"bucket/recipients/{number}.csv", (header + "".join(lines[number::pieces])).encode())
"""


def fill(variables):
    subprocess.run([sys.executable, "-c", FILL, FIXTURES, str(PIECES)], env=variables, check=True)


def s3(variables, code, *arguments):
    """Return what code prints that has the server's files as `files`."""
    program = f"import sys, s3fs\nfiles = s3fs.S3FileSystem()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=variables, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def digest(variables, name):
    code = "import hashlib\nprint(hashlib.sha256(files.cat_file(sys.argv[1])).hexdigest())"
    return s3(variables, code, name)


def parts(variables, name):
    code = "print(len(files.glob(sys.argv[1] + '/part-*.json')) if files.exists(sys.argv[1]) else 0)"
    return int(s3(variables, code, f"{name}.parts"))


def command(output, cluster, *more):
    files = [
        "--awards",
        "s3://bucket/awards.csv",
        "--recipients",
        "s3://bucket/recipients",
        "--output",
        output,
    ]
    return [sys.executable, "-m", "sbir_gate", "enrich", *files, "--cluster", cluster, "--quiet", *more]


def enrich(variables, output, cluster, *more, **options):
    run = subprocess.run(
        command(output, cluster, *more),
        env=variables, capture_output=True, text=True, check=False, **options,
    )  # fmt: skip
    return run.returncode, run.stderr


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the digest of the same work on files of this machine, in one process."""
    folder = tmp_path_factory.mktemp("here")
    header, *lines = (FIXTURES / "recipients.csv").read_text().splitlines(keepends=True)
    (folder / "recipients").mkdir()
    for number in range(PIECES):
        (folder / "recipients" / f"{number}.csv").write_text(header + "".join(lines[number::PIECES]))
    files = ["--awards", FIXTURES / "awards.csv", "--recipients", folder / "recipients"]
    output = folder / "linked.parquet"
    subprocess.run(
        [sys.executable, "-m", "sbir_gate", "enrich", *files, "--output", output, "--quiet"], check=True
    )
    return hashlib.sha256(output.read_bytes()).hexdigest()


def test_input_parts_and_output_on_s3_are_the_bytes_of_one_machine(environment, expected):
    status, said = enrich(environment, "s3://bucket/linked.parquet", "local:2")
    assert (status, said.count("\n")) == (0, 1), said  # a warning of an award's identifier
    assert digest(environment, "bucket/linked.parquet") == expected
    assert parts(environment, "bucket/linked.parquet") == 0


def test_a_run_whose_scheduler_was_killed_is_resumed_from_the_parts_on_s3(environment, expected, tmp_path):
    output = "s3://bucket/resumed.parquet"
    with started(environment, tmp_path) as (address, scheduler):
        with subprocess.Popen(
            command(output, address), env=environment, stderr=subprocess.PIPE, text=True
        ) as run:
            while run.poll() is None and not parts(environment, "bucket/resumed.parquet"):
                time.sleep(0.05)
            scheduler.kill()
            _, said = run.communicate()
        assert run.returncode == 3, said
        assert "is gone" in said
    kept = parts(environment, "bucket/resumed.parquet")
    assert kept
    metrics = tmp_path / "metrics.json"
    status, said = enrich(environment, output, "local:2", "--metrics", str(metrics))
    assert status == 0, said
    assert digest(environment, "bucket/resumed.parquet") == expected
    assert json.loads(metrics.read_text())["notes"]["resumed"].startswith(f"{kept} of ")


@contextmanager
def started(variables, folder):
    """Start a scheduler and one worker; give the address, and the scheduler's process."""
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        ["distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *common],
    ]
    processes = []
    try:
        for one in commands:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *one],
                    env=variables, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            while not (file.exists() and file.read_text()):
                assert processes[0].poll() is None
                time.sleep(0.05)
        yield json.loads(file.read_text())["address"], processes[0]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint URL"),
    ],
)
def test_what_keeps_the_server_from_answering_is_one_line(environment, changed, said, tmp_path):
    variables = {**environment, **changed, "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    variables = {name: value for name, value in variables.items() if value}
    status, error = enrich(variables, str(tmp_path / "linked.parquet"), "local:1")
    assert status == 2
    assert said in error
    assert "testing" not in error
    assert error.count("\n") <= 2
