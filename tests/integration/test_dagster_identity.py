"""Data of the assets have one identity: a step reads what was recorded, whatever other runs do."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.engine.enrichment import link_and_write
from sbir_gate.orchestration.names import ENRICHED, RAW, REPORT, VALIDATED, YEARLY_JOB
from tests.factories_dagster import World, failed_checks, failure_of, is_held_up, metadata_of, started_steps

pytestmark = pytest.mark.slow

OTHERS = 60


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        # other awards, in another file
        world.write(linked=OTHERS, awards=OTHERS)
        (tmp_path / "awards.csv").rename(tmp_path / "others.csv")
        world.write(linked=OTHERS)
        yield world


def others(world):
    return str(world.folder / "others.csv")


def rows(path):
    return duckdb.read_parquet(str(path)).count("*").fetchall()[0][0]


class Interleaved:
    """The engine of one run; before or after it works, another run is made."""

    def __init__(self, before=None, after=None):
        self.before, self.after = before, after

    def __call__(self, *arguments):
        self._once("before")
        summary = link_and_write(*arguments)
        self._once("after")
        return summary

    def _once(self, name):
        act = getattr(self, name)
        setattr(self, name, None)
        if act is not None:
            act()


class TestTheDataOfARun:
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_are_its_own_whatever_another_run_in_the_folder_makes_meanwhile(self, world, moment):
        seen = []
        world.engine = Interleaved(
            **{moment: lambda: seen.append(world.run("enrichment.keeps_chunks=false", awards=others(world)))}
        )
        # chunks that they share make one wait for the other, which is at work in the middle of the first here
        result = world.run("enrichment.keeps_chunks=false")
        assert result.success
        assert metadata_of(result, ENRICHED)["awards"] == 50
        assert metadata_of(result, REPORT)["awards"] == 50

    def test_are_read_again_from_where_they_were_recorded_and_not_from_where_the_settings_point(self, world):
        first = world.run()
        result = world.run(only=[ENRICHED, REPORT], awards=others(world))
        assert result.success
        assert metadata_of(result, ENRICHED)["awards"] == 50
        run = load_run(Path(metadata_of(result, ENRICHED)["run_path"]))
        assert run.fixture.awards_path == metadata_of(first, RAW)["path"]
        assert run.fixture == load_run(Path(metadata_of(first, ENRICHED)["run_path"])).fixture
        (warning,) = metadata_of(result, REPORT)["warnings"]
        assert "others.csv in this run and is not followed: the data were made of " in warning

    def test_may_be_of_a_source_that_has_changed_by_now(self, world):
        world.run(only=[RAW, VALIDATED])
        shutil.copyfile(others(world), world.folder / "awards.csv")
        result = world.run(only=[ENRICHED])
        assert metadata_of(result, ENRICHED)["awards"] == 50
        run = load_run(Path(metadata_of(result, ENRICHED)["run_path"]))
        fresh = world.run()
        others_run = load_run(Path(metadata_of(fresh, ENRICHED)["run_path"]))
        assert run.fixture.fingerprint != others_run.fixture.fingerprint

    def test_are_not_read_from_a_source_that_changed_after_it_was_recorded(self, world):
        world.run(only=[RAW])
        shutil.copyfile(others(world), world.folder / "awards.csv")
        result = world.run(only=[VALIDATED])
        assert "awards.csv: has changed since its fingerprint was recorded" in failure_of(result)
        assert started_steps(result) == [VALIDATED]

    @pytest.mark.parametrize("asset", [VALIDATED, ENRICHED, REPORT])
    def test_must_have_been_made(self, world, asset):
        result = world.run(only=[asset])
        assert "was never materialised" in failure_of(result)

    @pytest.mark.parametrize(("asset", "after"), [(VALIDATED, ENRICHED), (ENRICHED, REPORT)])
    def test_are_refused_where_they_are_gone_or_changed(self, world, asset, after):
        path = Path(metadata_of(world.run(), asset)["path"])
        path.chmod(0o644)
        path.write_bytes(path.read_bytes() + b"\0")
        result = world.run(only=[after])
        assert "its files are not those that were recorded" in failure_of(result)
        assert f"materialise {asset} again" in failure_of(result)
        assert started_steps(result) == [after]
        shutil.rmtree(path.parent)
        assert "what was recorded is not there any more" in failure_of(world.run(only=[after]))


class TestTheReportAlone:
    def test_is_of_the_awards_that_were_recorded_in_another_folder(self, world):
        elsewhere = str(world.folder / "elsewhere")
        first = world.run(folder=elsewhere, awards=others(world))
        result = world.run(only=[REPORT])
        found = metadata_of(result, REPORT)
        assert found["enriched_path"] == metadata_of(first, ENRICHED)["path"]
        assert found["awards"] == OTHERS
        assert "others.csv" in found["warnings"][0]
        assert not world.files.exists()

    def test_says_that_the_awards_before_it_have_other_data_by_now(self, world):
        world.run()
        world.run(only=[RAW, VALIDATED], awards=others(world))
        found = metadata_of(world.run(only=[REPORT]), REPORT)
        assert found["awards"] == 50
        assert any("validated_sbir_awards has other data by now" in each for each in found["warnings"])


class TestThePublishedAwards:
    def test_are_those_of_the_last_run_that_was_not_refused(self, world):
        first = world.run()
        table, run = world.files / f"{ENRICHED}.parquet", world.files / f"{ENRICHED}.json"
        published = table.read_bytes(), run.read_bytes()
        assert metadata_of(first, REPORT)["is_published"] is True
        assert metadata_of(first, REPORT)["published_path"] == str(table)
        world.write(linked=20)
        refused = world.run()
        assert is_held_up(refused)
        assert (table.read_bytes(), run.read_bytes()) == published
        assert load_verdict(world.files / "verdict.json").outcome.value == "fail"
        # materialised alone, the report asks the gate again
        assert "the gate refuses" in failure_of(world.run(only=[REPORT]))
        assert (table.read_bytes(), run.read_bytes()) == published

    def test_are_never_half_written_however_often_they_are_switched(self, world):
        table = world.files / f"{ENRICHED}.parquet"
        world.run()
        seen = set()
        world.engine = Interleaved(before=lambda: seen.add(rows(table)), after=lambda: seen.add(rows(table)))
        world.run(awards=others(world))
        assert seen == {50}
        assert rows(table) == OTHERS

    def test_take_the_place_of_a_file_that_an_older_version_left(self, world):
        world.files.mkdir()
        (world.files / f"{ENRICHED}.parquet").write_bytes(b"old")
        (world.files / "report.md").write_bytes(b"old")
        assert world.run().success
        assert rows(world.files / f"{ENRICHED}.parquet") == 50
        assert (world.files / "report.md").read_text().startswith("### ")

    def test_are_not_given_to_an_asset_of_others_where_a_check_refused_them(self, world):
        seen = []

        @dg.asset(
            ins={"awards": dg.AssetIn(key=ENRICHED, input_manager_key="sbir_gate_io_manager")},
        )
        def theirs(awards: Path) -> None:
            seen.append(awards)

        def materialise():
            return dg.materialize(
                [theirs, *world.definitions().assets],
                selection=[theirs],
                instance=world.instance,
                resources=world.definitions().resources,
                raise_on_error=False,
            )

        first = world.run()
        assert materialise().success
        assert seen == [Path(metadata_of(first, ENRICHED)["path"])]
        world.write(linked=20)
        world.run()
        result = materialise()
        assert not result.success
        assert "enriched_sbir_awards was refused: match_rate_threshold: " in failure_of(result)
        world.run_check(ENRICHED, "match_rate_threshold", match_rate_threshold=0.1)
        assert "enriched_sbir_awards was refused: match_rate_regression: " in failure_of(materialise())


class TestPlaces:
    def test_are_kept_as_many_as_the_settings_say(self, world):
        for linked in (50, 49, 48):
            world.write(linked=linked)
            world.run("orchestration.keep_places=2")
        enriched = [path for path in (world.files / "enriched").iterdir() if path.is_dir()]
        assert len(enriched) == 2
        # the published one beside the newest ones, however old it is
        world.write(linked=10)
        for _ in range(3):
            world.run("orchestration.keep_places=1")
        assert rows(world.files / f"{ENRICHED}.parquet") == 50

    def test_of_what_is_the_same_are_the_same(self, world):
        first, second = world.run(), world.run()
        assert metadata_of(first, VALIDATED)["path"] == metadata_of(second, VALIDATED)["path"]
        assert (
            metadata_of(first, ENRICHED)["path"] != metadata_of(second, ENRICHED)["path"]
        )  # its times are others

    def test_leave_no_draft_behind(self, world):
        world.run()
        world.write(linked=0, recipients=0)
        world.run()
        names = {path.name for path in world.files.rglob("*")}
        assert not [name for name in names if name.startswith((".draft", ".new", ".removed", "sbir-gate-"))]

    def test_of_award_years_lie_in_their_own_folders_and_share_the_chunks(self, world):
        path = world.folder / "awards.csv"
        header, *lines = path.read_text().splitlines()
        years = [f"{line},{2020 + number % 2}" for number, line in enumerate(lines)]
        path.write_text("\n".join([f"{header},Award Year", *years]) + "\n")
        for year in ("2020", "2021"):
            assert world.run(job=YEARLY_JOB, partition=year).success
            assert rows(world.files / year / f"{ENRICHED}.parquet") == 25
        alone = world.run(job=YEARLY_JOB, partition="2020", only=[])
        assert alone.success


class TestStaleness:
    def test_the_same_input_has_the_same_versions(self, world):
        versions = []
        for _ in range(2):
            (world.folder / "awards.csv").touch()
            result = world.run()
            versions.append(
                {
                    event.asset_key.path[-1]: event.materialization.tags["dagster/data_version"]
                    for event in result.get_asset_materialization_events()
                }
            )
            for event in result.get_asset_materialization_events():
                assert event.materialization.tags["dagster/code_version"]
        for asset in (RAW, VALIDATED, ENRICHED):
            assert versions[0][asset] == versions[1][asset]


class TestTheLaterOfTwoRuns:
    def test_has_the_baseline_and_the_published_awards_though_the_earlier_one_ends_last(self, world):
        later = []
        world.engine = Interleaved(
            before=lambda: later.append(world.run("enrichment.keeps_chunks=false", awards=others(world)))
        )
        # the Run of the second begins while the first is at work, and ends before it
        first = world.run("enrichment.keeps_chunks=false")
        (second,) = later
        assert first.success
        assert second.success
        assert metadata_of(second, REPORT)["baseline"].startswith("stored: ")
        assert metadata_of(first, REPORT)["baseline"] == "not stored: a later Run is the baseline"
        assert world.baseline() == load_run(Path(metadata_of(second, ENRICHED)["run_path"]))

    def test_is_what_dagster_has_as_the_data_version(self, world):
        versions = []
        for awards in (others(world), str(world.folder / "awards.csv")):
            result = world.run(awards=awards)
            versions.append(metadata_of(result, VALIDATED)["fingerprint"])
        latest = world.instance.get_latest_data_version_record(dg.AssetKey(VALIDATED))
        assert latest.asset_materialization.tags["dagster/data_version"] == versions[1]
        assert versions[0] != versions[1]


class TestSeries:
    def test_of_other_data_are_others(self, world):
        first = world.run()
        second = world.run(awards=others(world))
        names = []
        for result in (first, second):
            found = metadata_of(result, ENRICHED)
            name = f"match_rate/{found['data_set'][:8]}"
            assert found[name] == found["match_rate"]
            names.append(name)
        assert names[0] != names[1]

    def test_a_check_says_which_data_it_is_of(self, world):
        result = world.run()
        made = {asset: metadata_of(result, asset)["fingerprint"] for asset in (VALIDATED, ENRICHED)}
        for evaluation in result.get_asset_check_evaluations():
            assert evaluation.metadata["fingerprint"].value == made[evaluation.asset_key.path[-1]]
        assert failed_checks(result) == {}
