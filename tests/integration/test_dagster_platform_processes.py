"""The assets in somebody else's project, launched as its team does: by `dg`, each run a process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml

from sbir_gate.orchestration.names import ENRICHED, JOB, RECIPIENTS, REPORT
from tests.factories_dagster import World

pytestmark = pytest.mark.nightly

BIN = Path(sys.executable).parent
SECONDS = 240
PROJECT = """
[project]
name = "grants"
version = "1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "grants"
"""
LOAD_FOLDER = """
from pathlib import Path

import dagster as dg

@dg.definitions
def defs():
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


@dataclass(frozen=True)
class Project:
    """A project of Dagster in a folder, with a home for its instance."""

    folder: Path

    def set_up(self, definitions: str = LOAD_FOLDER) -> None:
        """Write an empty project."""
        (self.folder / "home").mkdir(parents=True)
        (self.folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        package = self.folder / "grants"
        (package / "defs").mkdir(parents=True)
        (self.folder / "pyproject.toml").write_text(PROJECT)
        (package / "__init__.py").touch()
        (package / "defs" / "__init__.py").touch()
        (package / "definitions.py").write_text(definitions)

    def dg(self, *arguments: object, status: int = 0) -> str:
        """Run `dg` and return what it printed; it must end with the status."""
        environment = {name: value for name, value in os.environ.items() if "SBIR_GATE" not in name}
        ran = subprocess.run(
            [BIN / "dg", *map(str, arguments)],
            cwd=self.folder,
            env={
                **environment,
                "DAGSTER_HOME": str(self.folder / "home"),
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "PYTHONPATH": str(self.folder),
            },
            text=True,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert ran.returncode == status, (ran.stdout + ran.stderr)[-6000:]
        return ran.stdout + ran.stderr

    def materialised(self, *key: str) -> dict[str, object]:
        """Return the plain metadata of the latest materialisation that the instance keeps."""
        with dg.DagsterInstance.from_config(str(self.folder / "home")) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey([*key]))
            assert event is not None, f"{key} was not materialised"
            materialization = event.asset_materialization
        assert materialization is not None
        return {
            **(materialization.tags or {}),
            **{name: value.value for name, value in materialization.metadata.items()},
        }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path / "world", instance)
        world.folder.mkdir()
        world.write(linked=45)
        yield world


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_a_component_is_scaffolded_and_launched(world, project):
    project.set_up()
    assert "sbir_gate.SbirGate" in project.dg("list", "components", "--json")
    awards, recipients = world.folder / "awards.csv", world.folder / "recipients.csv"
    project.dg(
        *("scaffold", "defs", "sbir_gate.SbirGate", "links"),
        *("--awards", awards, "--recipients", recipients),
    )
    path = project.folder / "grants" / "defs" / "links" / "defs.yaml"
    component = yaml.safe_load(path.read_text())
    component["attributes"] |= {"key_prefix": "grants", "settings_file": str(world.config())}
    path.write_text(yaml.safe_dump(component))
    project.dg("check", "yaml")
    project.dg("check", "defs")
    project.dg("launch", "--job", f"grants_{JOB}")
    enriched = project.materialised("grants", ENRICHED)
    assert enriched["match_rate"] == 0.9
    assert enriched[f"dagster/input_data_version/grants/{RECIPIENTS}"]


ONE_SET = """
from sbir_gate.orchestration import build_definitions

defs = build_definitions({settings!r})
"""

TWO_SETS = """
import dagster as dg

from sbir_gate.orchestration import build_definitions

defs = dg.Definitions.merge(
    build_definitions({east!r}, key_prefix="east"), build_definitions({west!r}, key_prefix="west")
)
"""


def test_two_sets_in_one_code_location_are_launched(world, project):
    east = world.config()
    west = world.folder / "west.yaml"
    elsewhere = {"gate": {"name": "west"}, "orchestration": {"folder": str(world.folder / "west")}}
    settings = yaml.safe_load(east.read_text())
    west.write_text(yaml.safe_dump({key: {**settings[key], **elsewhere.get(key, {})} for key in settings}))
    project.set_up(TWO_SETS.format(east=str(east), west=str(west)))
    for name in ("east", "west"):
        project.dg("launch", "--job", f"{name}_{JOB}")
        assert project.materialised(name, ENRICHED)["match_rate"] == 0.9
    assert project.materialised("east", ENRICHED)["path"] != project.materialised("west", ENRICHED)["path"]


DOWNSTREAM = """
import dagster as dg
import pandas as pd

from sbir_gate.orchestration import build_definitions

@dg.asset(ins={{"awards": dg.AssetIn("enriched_sbir_awards")}})
def links_by_method(awards: pd.DataFrame) -> dg.MaterializeResult:
    links = awards[awards["match_decision"] == "link"]
    return dg.MaterializeResult(metadata=links.groupby("match_method").size().to_dict())

shelf = dg.FilesystemIOManager(base_dir={store!r})
defs = dg.Definitions.merge(
    dg.Definitions(assets=[links_by_method], resources={{"io_manager": shelf}}),
    build_definitions({settings!r}),
)
"""


def test_an_asset_of_the_platform_gets_a_data_frame(world, project):
    store = str(project.folder / "store")
    project.set_up(DOWNSTREAM.format(settings=str(world.config()), store=store))
    project.dg("launch", "--job", JOB)
    project.dg("launch", "--assets", "links_by_method")
    assert project.materialised("links_by_method")["duns-exact"] == 45


OWN_ENGINE = """
import csv, sys
from dagster_pipes import open_dagster_pipes

awards_path, recipients_path, output_path = sys.argv[1:4]
with open_dagster_pipes() as pipes:
    with open(recipients_path, newline="") as file:
        by_duns = {row["duns"]: row["recipient_id"] for row in csv.DictReader(file)}
    pipes.report_custom_message({"recipients": len(by_duns), "recipients_in_all": len(by_duns)})
    pipes.log.info("%d recipients have a DUNS", len(by_duns))
    with open(awards_path, newline="") as file, open(output_path, "w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
        for row in csv.DictReader(file):
            found = by_duns.get(row["Duns"], "")
            writer.writerow([row["award_id"], found, *(("duns", 100) if found else ("none", 0))])
    pipes.report_asset_materialization(metadata={"index_size": len(by_duns)})
"""


def test_the_own_engine_is_the_enrichment_step(world, project):
    settings = yaml.safe_load(world.config().read_text())
    settings["enricher"] = {"command": "{python} own_engine.py {awards} {recipients} {output}"}
    (world.folder / "own.yaml").write_text(yaml.safe_dump(settings))
    (world.folder / "own_engine.py").write_text(OWN_ENGINE)
    project.set_up(ONE_SET.format(settings=str(world.folder / "own.yaml")))
    project.dg("launch", "--job", JOB)
    enriched = project.materialised(ENRICHED)
    assert (enriched["match_rate"], enriched["links/duns"], enriched["index_size"]) == (0.9, 45, 90)
    assert enriched["progress_records_processed"] == 90
    assert project.materialised(REPORT)["verdict"] == "no-baseline"

    (world.folder / "own_engine.py").write_text("raise SystemExit('no licence for the index')")
    said = project.dg("launch", "--job", JOB, status=1)
    assert "the enricher ended with exit status 1: no licence for the index" in said
