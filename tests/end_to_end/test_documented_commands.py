"""Every block of shell commands that is not marked otherwise, page by page, run as a reader would type it.

The reader of most pages has a clone with a pull request in it: fixtures, a baseline, a Run, files of awards,
an engine of their own, and a remote. Times are not judged: a busy machine decides nothing.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.documentation import OWN, PAGES, ROOT, ShellBlock, place, shell_blocks
from tests.end_to_end.conftest import Stage
from tests.factories_dumps import LOOKUP_COLUMNS, Table, write_dump, zipped
from tests.factories_git import ENVIRONMENT, Repository, make_repository

OWN_SCENARIOS = {"docs/tutorial.md"}
NIGHTLY = {"docs/dagster.md"}
RUN = "reports/benchmarks/20260101T120000Z.json"
# names of the fixture's columns in USAspending's tables, where they differ
LOOKUP_NAMES = {"recipient_hash": "recipient_id", "zip5": "zip"}


def engines():
    """Return the engines of docs/engine-contract.md by the names of their files."""
    page = (ROOT / "docs" / "engine-contract.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def write_own_files(folder: Path, stage: Stage) -> None:
    """Write the files that pages name in examples: 300 awards of the fixtures under numbers of their own."""
    with (folder / "fixtures" / "awards.csv").open(newline="") as file:
        awards = list(csv.DictReader(file))[:300]
    with (folder / "fixtures" / "truth.csv").open(newline="") as file:
        truth = {row["award_id"]: row["recipient_ids"] for row in csv.DictReader(file)}
    labels = [(number, truth.get(award["award_id"], "")) for number, award in enumerate(awards, 1)]
    with (folder / "awards.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, list(awards[0]))
        rows.writeheader()
        rows.writerows({**award, "award_id": number} for number, award in enumerate(awards, 1))
    for name, labelled in (
        ("truth", labels),
        ("anna", labels[:40]),
        ("ben", [(1, "R000000001"), *labels[1:40]]),
    ):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("award_id", "recipient_ids"), *labelled])
    shutil.copy(folder / "fixtures" / "recipients.csv", folder / "recipients.csv")
    (folder / "data").mkdir()
    for name in ("awards.csv", "recipients.csv"):
        shutil.copy(folder / name, folder / "data" / name)
    (kept,) = (folder / "reports" / "quality").glob("*.json")
    for day in ("2026-01-30", "2026-01-31"):
        shutil.copy(kept, kept.with_name(f"{day}.json"))
    for name, text in engines().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    duckdb.read_csv(str(folder / "recipients.csv"), all_varchar=True).write_parquet(
        str(folder / "recipients.parquet")
    )
    own = ["--awards", "awards.csv", "--recipients", "recipients.csv", "--output"]
    for made in (
        stage.gate("enrich", *own, "linked.parquet"),
        stage.shell(".venv/bin/python enrich.py awards.csv recipients.csv output.csv"),
    ):
        assert made.returncode == 0, made.stderr
    with (folder / "fixtures" / "recipients.csv").open(newline="") as file:
        rows = [
            [row.get(LOOKUP_NAMES.get(column, column)) or None for column in LOOKUP_COLUMNS]
            for row in csv.DictReader(file)
        ]
    dump = write_dump(folder.parent / "dump", Table("recipient_lookup", LOOKUP_COLUMNS, rows))
    shutil.move(zipped(dump), folder / "usaspending-db.zip")


def stage_in(folder: Path) -> Stage:
    """Return the stage of a clone in this folder."""
    variables = {
        **ENVIRONMENT,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "SBIR_GATE__BENCHMARK__IS_TIMED": "false",
    }
    (folder / "temporary").mkdir(exist_ok=True)
    return Stage(folder / "clone", variables)


def make_clone(folder: Path) -> None:
    """Make the clone, with the program and the engine in its environment."""
    repository = make_repository(folder / "clone")
    (repository.folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(ROOT / "config", repository.folder / "config")
    stage = stage_in(folder)
    size = "--awards 1000 --recipients 5000 --seed 1 --sample --output fixtures"
    repository.write_all({".gitignore": ".venv\nreports/\n"})
    for command in (f"data synthesise {size}", "run --quiet", "baseline promote"):
        made = stage.gate(*command.split(), SBIR_GATE__BENCHMARK__IS_TIMED="true")
        assert made.returncode == 0, made.stderr
    (saved,) = (repository.folder / "reports" / "benchmarks").glob("*.json")
    shutil.copy(saved, repository.folder / RUN)
    write_own_files(repository.folder, stage)
    add_remote(repository, folder / "origin.git")
    pushed = stage.gate("history", "push")
    assert pushed.returncode == 0, pushed.stderr


def add_remote(repository: Repository, remote: Path) -> None:
    """Commit all, and give the clone a remote with the branches `main` and `release`."""
    repository.commit({})
    repository.git("init", "--quiet", "--bare", "--initial-branch", "main", remote)
    repository.git("remote", "add", "origin", remote)
    repository.git("push", "--quiet", "origin", "main", "main:release")
    repository.branch("change")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documented")
    make_clone(folder)
    return folder


@pytest.fixture
def reader(clone: Path, tmp_path: Path) -> Stage:
    """Give a clone for one page; its remote is its own too."""
    shutil.copytree(clone, tmp_path / "reader", symlinks=True)
    made = stage_in(tmp_path / "reader")
    Repository(made.folder).git("remote", "set-url", "origin", made.folder.parent / "origin.git")
    return made


def own_repository(reader: Stage) -> Stage:
    """Return a repository with an engine and its data, and no gate."""
    made = make_repository(reader.folder.parent / "own")
    (made.folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(reader.folder / "data", made.folder / "data")
    made.commit({"enrich.py": (reader.folder / "enrich.py").read_text(), ".gitignore": ".venv\ndata/\n"})
    return replace(reader, folder=made.folder)


def run_block(stage: Stage, block: ShellBlock) -> str:
    """Run a block, line by line if each is a call of the gate; the last has the status of the page.

    Returns what was printed, with one blank for each break of a line.
    """
    said = []
    is_of_the_gate = all(re.match(r"(\.venv/bin/)?sbir-gate ", line) for line in block.lines)
    parts = block.lines if is_of_the_gate else [f"set -e\n{block.text}"]
    for part in parts:
        done = stage.typed(re.sub(r" +# .*$", "", part)) if is_of_the_gate else stage.shell(part)
        expected = block.status if part is parts[-1] else 0
        assert done.returncode == expected, f"{block.place}: {part}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        said += done.stdout.split()
    return " ".join(said)


RUN_PAGES = [
    pytest.param(
        page, id=place(page), marks=pytest.mark.nightly if place(page) in NIGHTLY else pytest.mark.slow
    )
    for page in PAGES
    if place(page) not in OWN_SCENARIOS and any(block.is_run for block in shell_blocks(page))
]


@pytest.mark.parametrize("page", RUN_PAGES)
def test_the_commands_of_a_page_run_as_they_stand(page: Path, reader: Stage):
    for block in shell_blocks(page):
        if block.is_run:
            run_block(own_repository(reader) if block.mark == OWN else reader, block)


MEASURING = re.compile(r"(?:\.venv/bin/)?python (-m tests\.[\w.]+|tests/performance/\w+\.py)(.*)")


@pytest.mark.slow
def test_programs_that_take_too_long_to_run_here_know_their_options():
    lines = [line for page in PAGES for block in shell_blocks(page) for line in block.lines]
    calls: dict[str, set[str]] = {}
    for found in filter(None, map(MEASURING.fullmatch, lines)):
        calls.setdefault(found[1], set()).update(re.findall(r" (--[\w-]+)", found[2]))
    assert len(calls) > 5
    for program, options in calls.items():
        done = subprocess.run(
            [sys.executable, *program.split(), "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}\n{done.stderr}"
        assert sorted(options - set(re.findall(r"--[\w-]+", done.stdout))) == [], program
