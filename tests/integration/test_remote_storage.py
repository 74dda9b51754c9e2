"""The engine between addresses: the bytes are those of files here, and what is wrong is said in a line."""

import hashlib
import shutil
from pathlib import Path

import duckdb
import pytest
from click import BadParameter
from click.testing import CliRunner

from sbir_gate.cli.application import application
from sbir_gate.engine import enrich
from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.errors import ConfigurationError, InputError, OutputError, UsageError
from sbir_gate.files import write_durably
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.remote_paths import path_of, remove_remote
from sbir_gate.settings.effective import load_settings
from tests.factories_matching import Award, Recipient, make_settings, write_tables


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Write awards, and recipients as folders of CSV and of Parquet and as a zip; return the folder."""
    folder = tmp_path_factory.mktemp("here")
    awards = [Award(f"A{number}", f"Acme Laser {number}", state="MA") for number in range(20)]
    recipients = [Recipient(f"R{number}", f"ACME LASER {number}, INC.", state="MA") for number in range(60)]
    path = write_tables(folder, awards, recipients)[1]
    header, *lines = path.read_text().splitlines(keepends=True)
    for name in ("csv", "parquet"):
        (folder / name).mkdir()
    for number in range(3):
        part = folder / "csv" / f"{number}.csv"
        part.write_text(header + "".join(lines[number::3]))
        rows = f"FROM read_csv('{part}', all_varchar = true)"
        duckdb.execute(f"COPY ({rows}) TO '{folder}/parquet/{number}.parquet' (FORMAT parquet)")
    shutil.make_archive(str(folder / "packed"), "zip", folder / "csv")
    return folder


@pytest.fixture(scope="module")
def there(here):
    """Copy it all to remote storage; return its address."""
    bucket = path_of(f"memory://{here.name}")
    for path in here.rglob("*"):
        if path.is_file():
            write_durably(bucket / path.relative_to(here).as_posix(), path.read_bytes())
    yield bucket
    remove_remote(bucket)


@pytest.fixture(scope="module")
def expected(here):
    output = here / "expected.parquet"
    run(here / "awards.csv", here / "csv", output)
    return digest(output)


def run(awards, recipients, output, progress=lambda *_: None, **options):
    request = EnrichRequest(str(awards), str(recipients), output)
    return link_and_write(request, make_settings(**options), PerformanceMonitor(), progress)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "recipients",
    [
        "csv",
        "parquet",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("p*/*.parquet", "packed.zip")),
    ],
)
def test_the_bytes_are_those_of_files_here(recipients, there, expected):
    output = there / "out" / "linked.parquet"
    summary = run(there / "awards.csv", f"{there}/{recipients}", output)
    assert digest(output) == expected
    assert summary.recipients == 60
    assert [child.name for child in output.parent.iterdir()] == ["linked.parquet"]


@pytest.mark.slow
def test_the_command_and_the_function_take_addresses(there, expected):
    arguments = ["--awards", f"{there}/awards.csv", "--recipients", f"{there}/csv"]
    output = there / "command.parquet"
    done = CliRunner().invoke(application, ["enrich", *arguments, "--output", str(output), "--quiet"])
    assert (done.exit_code, done.output) == (0, "")
    assert digest(output) == expected
    with pytest.raises(BadParameter, match="must be a path on this machine, not an address"):
        CliRunner().invoke(application, ["enrich", *arguments, "--output", str(output), "--rejects", "s3://b/c.csv"],
                           standalone_mode=False, catch_exceptions=False)  # fmt: skip
    enriched = enrich(f"{there}/awards.csv", f"{there}/csv", f"{there}/function.parquet")
    assert digest(enriched.path) == expected


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_read_is_refused(there, here):
    place = there / "changing"
    for number in range(2):
        write_durably(place / f"{number}.csv", (here / "csv" / f"{number}.csv").read_bytes())

    def change(stage, *_):
        if stage == "recipients":
            write_durably(place / "0.csv", (here / "csv" / "2.csv").read_bytes())

    with pytest.raises(InputError, match="has changed while it was read"):
        run(there / "awards.csv", place, there / "changed.parquet", change)


def test_an_output_is_never_an_input(there):
    with pytest.raises(UsageError, match="would be written over, but is an input"):
        run(there / "awards.csv", there / "csv", there / "awards.csv")


def test_an_output_that_cannot_be_written_is_known_before_anything_is_read(there, monkeypatch):
    def refused(*_arguments, **_options):
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    with pytest.raises(OutputError) as raised:
        run(there / "none.csv", there / "csv", there / "linked.parquet")
    assert str(raised.value) == f"{there}/linked.parquet: cannot be written (not permitted: Access Denied)"
    assert "set the credentials" in raised.value.hint


def test_damaged_parquet_is_named(there):
    write_durably(there / "damaged.parquet", b"PAR1 and no more")
    with pytest.raises(InputError, match=r"damaged\.parquet: cannot be read as Parquet"):
        run(there / "awards.csv", there / "damaged.parquet", there / "linked.parquet")


def test_a_setting_is_a_path_here():
    with pytest.raises(ConfigurationError, match="must be a path on this machine, not an address"):
        load_settings(None, {}, {"enrichment.work_folder": "s3://bucket/work"})


@pytest.mark.slow
def test_a_work_folder_here_keeps_the_chunks_of_a_remote_output(there, expected, tmp_path):
    def stop(stage, *_):
        if stage == "matching: candidates":
            raise KeyboardInterrupt

    def stopped(**options):
        with pytest.raises(KeyboardInterrupt):
            run(there / "awards.csv", there / "csv", there / "resumed.parquet", stop, **options)

    stopped()
    assert not list(there.glob("*.parts"))
    stopped(enrichment__work_folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["resumed.parquet.parts"]
    summary = run(
        there / "awards.csv", there / "csv", there / "resumed.parquet", enrichment__work_folder=Path(tmp_path)
    )
    assert summary.notes["resumed"]
    assert digest(there / "resumed.parquet") == expected
