"""`dagster dev` as a user starts it, and what its pages ask it for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests

from sbir_gate.orchestration.definitions import CONFIG_VARIABLE
from sbir_gate.orchestration.names import SETTINGS_RESOURCE

MODULE = "sbir_gate.orchestration"
ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
START_SECONDS = 180
RUN_SECONDS = 240

T = TypeVar("T")

LAUNCH = """
mutation($job: String!, $location: String!, $repository: String!, $config: RunConfigData) {
  launchRun(executionParams: {runConfigData: $config, selector: {
      jobName: $job, repositoryLocationName: $location, repositoryName: $repository}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""

BACKFILL = """
mutation($years: [String!]!, $set: String!, $location: String!, $repository: String!) {
  launchPartitionBackfill(backfillParams: {partitionNames: $years, selector: {partitionSetName: $set,
      repositorySelector: {repositoryLocationName: $location, repositoryName: $repository}}}) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""

REPOSITORIES = "{repositoriesOrError{...on RepositoryConnection{nodes{name location{name}}}}}"

RUNS = "{runsOrError{...on Runs{results{runId status parentRunId tags{key value}}}}}"


@dataclass(frozen=True)
class Place:
    """A home of Dagster and a folder to work in, and what processes see there."""

    folder: Path
    config: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("SBIR_GATE__")},
            "DAGSTER_HOME": str(self.home),
            CONFIG_VARIABLE: str(self.config),
        }

    def set_up(self) -> None:
        """Make the instance by the example that comes with sbir-gate."""
        self.home.mkdir()
        example = (ROOT / "config" / "dagster.yaml").read_text(encoding="utf-8")
        (self.home / "dagster.yaml").write_text(example, encoding="utf-8")

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start `dagster` in a process group of its own; what it says goes to a file."""
        with (self.folder / "dagster.log").open("a") as log:
            return subprocess.Popen(
                [BIN / "dagster", *map(str, arguments)],
                cwd=self.folder,
                env=self.environment,
                text=True,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def said(self) -> str:
        return (self.folder / "dagster.log").read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Server:
    """A running `dagster dev`, asked by GraphQL as its pages ask it."""

    address: str

    def ask(self, query: str, **variables: object) -> Mapping[str, object]:
        answer = requests.post(
            f"{self.address}/graphql", json={"query": query, "variables": variables}, timeout=30
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, job: str, **settings: object) -> str:
        """Launch a run, with settings in its config, and return its id."""
        launched = self.try_launch(job, **settings)
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def try_launch(self, job: str, **settings: object) -> Mapping[str, object]:
        """Launch a run, with settings in its config, and return what the server answers."""
        config = {"resources": {SETTINGS_RESOURCE: {"config": settings}}}
        return self.ask(LAUNCH, job=job, config=config, **self._code())["launchRun"]

    def backfill(self, job: str, years: Sequence[str]) -> Mapping[str, object]:
        """Launch a run of a job for each year, and return what the server answers."""
        answer = self.ask(BACKFILL, set=f"{job}_partition_set", years=years, **self._code())
        return answer["launchPartitionBackfill"]

    def _code(self) -> Mapping[str, str]:
        (node,) = self.ask(REPOSITORIES)["repositoriesOrError"]["nodes"]
        return {"location": node["location"]["name"], "repository": node["name"]}

    def runs(self) -> list[Mapping[str, object]]:
        """Return all runs, the newest first."""
        return self.ask(RUNS)["runsOrError"]["results"]


@contextmanager
def dev_server(place: Place) -> Iterator[Server]:
    """Run `dagster dev` while the block runs; nothing of it stays behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = place.start("dev", "-m", MODULE, "-h", "127.0.0.1", "-p", port)
    try:
        server = Server(f"http://127.0.0.1:{port}")
        wait_until(lambda: _answers(server), START_SECONDS, place.said)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        end_group(process)


def end_group(process: subprocess.Popen[str]) -> None:
    """End all that a process has started and that is still there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def _answers(server: Server) -> bool:
    try:
        return bool(server.ask(REPOSITORIES)["repositoriesOrError"].get("nodes"))
    except requests.RequestException:
        return False


def wait_until(found: Callable[[], T], seconds: float, explain: Callable[[], str] = str) -> T:
    """Return the first true thing that `found` returns."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        thing = found()
        if thing:
            return thing
        time.sleep(0.05)
    raise AssertionError(f"nothing came in {seconds} s: {explain()[-4000:]}")
