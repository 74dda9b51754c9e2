"""The pipeline inside Dagster: what it makes, what holds it up, and what is left after a crash."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from sbir_gate.documents import load_alerts, load_quality, load_run, load_verdict
from sbir_gate.engine.enrichment import link_and_write
from sbir_gate.errors import ToolError
from sbir_gate.gate.reporting.notices import alert_text
from sbir_gate.gate.storing.baselines import promote
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.awards import Label
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.quality_report import Gap
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Outcome
from sbir_gate.orchestration.names import ENRICHED, RAW, REPORT, VALIDATED, YEARLY_JOB, YEARLY_PREFIX
from sbir_gate.pipeline.asset_run import RESUMED
from tests.factories_dagster import (
    AWARDS,
    RECIPIENTS,
    SUBJECT,
    World,
    duns,
    failed_checks,
    failure_of,
    is_held_up,
    metadata_of,
    observations_of,
    started_steps,
    tell_alerts,
)
from tests.factories_matching import Award, Recipient, enrich_files, write_tables
from tests.findings import notes


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        world.write(linked=45)
        yield world


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dg.ExecuteInProcessResult]]:
    """A sound run, looked at by several tests."""
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path_factory.mktemp("done"), instance)
        world.write(linked=45)
        yield world, world.run()


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dg.ExecuteInProcessResult]]:
    """A run with a match rate of 0.6, looked at by several tests."""
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path_factory.mktemp("refused"), instance)
        world.write(linked=30)
        yield world, world.run()


class TestTheJob:
    def test_all_assets_materialise_and_every_check_passes(self, done):
        _, result = done
        assert result.success
        made = [event.asset_key.path[-1] for event in result.get_asset_materialization_events()]
        assert made == [RAW, VALIDATED, ENRICHED, REPORT]
        assert len(result.get_asset_check_evaluations()) == 11
        assert failed_checks(result) == {}

    def test_the_assets_of_award_years_stand_in_a_group_of_their_own(self, done):
        world, _ = done
        graph = world.definitions().resolve_asset_graph()
        groups = {(len(key.path), graph.get(key).group_name) for key in graph.get_all_asset_keys()}
        assert groups == {(1, "sbir_etl"), (2, YEARLY_PREFIX)}

    def test_the_enriched_awards_are_those_of_the_command_line(self, done):
        world, _ = done
        by_cli = world.folder / "by_cli.parquet"
        enrich_files(world.folder / "awards.csv", world.folder / "recipients.csv", by_cli)
        assert world.enriched() == by_cli.read_bytes()

    def test_every_asset_says_what_it_cost_and_the_report_what_came_of_it(self, done):
        _, result = done
        for asset in (RAW, VALIDATED, ENRICHED, REPORT):
            known = metadata_of(result, asset)
            assert known["duration_seconds"] > 0
            assert {"cpu_seconds", "peak_memory_mib", "memory_delta_mib"} <= known.keys()
        enriched = metadata_of(result, ENRICHED)
        assert (enriched["awards"], enriched["links"], enriched["match_rate"]) == (AWARDS, 45, 0.9)
        assert enriched["records_per_second"] > 0
        assert enriched["stage_seconds/read-recipients"] > 0
        report = metadata_of(result, REPORT)
        assert report["verdict"] == "no-baseline"
        assert report["report"] == Path(report["report_path"]).read_text(encoding="utf-8")
        assert report["report"].startswith("### ")
        assert SUBJECT in report["report"]

    def test_tables_have_the_metadata_that_dagster_itself_knows(self, done):
        _, result = done
        raw, validated, enriched = (metadata_of(result, asset) for asset in (RAW, VALIDATED, ENRICHED))
        rows = [known["dagster/row_count"] for known in (raw, validated, enriched)]
        assert rows == [AWARDS] * 3
        assert raw["records_per_second"] > 0
        assert enriched["dagster/uri"] == Path(enriched["path"]).as_uri()
        columns = {column.name: column.type for column in enriched["dagster/column_schema"].columns}
        assert (columns["award_id"], columns["match_score"]) == ("VARCHAR", "DOUBLE")
        lineage = enriched["dagster/column_lineage"].deps_by_column
        assert [dep.asset_key.path[-1] for dep in lineage["award_id"]] == [VALIDATED]
        assert [dep.asset_key.path[-1] for dep in lineage["recipient_name"]] == ["usaspending_recipients"]
        assert validated["source_path"] == raw["path"]

    def test_a_run_says_which_settings_it_had_and_which_attempt_it_was(self, done):
        world, result = done
        enriched = metadata_of(result, ENRICHED)
        (folder, size) = (
            enriched["settings"][key] for key in ("reports.folder", "enrichment.performance.chunk_size")
        )
        assert folder["value"] == str(world.folder / "reports")
        assert size["value"] == world.chunk_size
        assert (enriched["attempt"], enriched["recovery_seconds"]) == (1, 0.0)
        assert (enriched["progress_resumable"], enriched["estimated_time_remaining"]) == (True, 0.0)
        assert enriched["progress_records_processed"] == RECIPIENTS

    def test_a_check_that_passes_says_its_value_and_its_limit(self, done):
        _, result = done
        said = {each.check_name: each.description for each in result.get_asset_check_evaluations()}
        assert said["match_rate_threshold"] == ("Match rate 0.900, within its limit: minimum 0.7")

    def test_the_report_keeps_the_quality_that_its_run_has(self, done):
        world, result = done
        (path,) = (world.files / "quality").iterdir()
        kept, run = load_quality(path), load_run(Path(metadata_of(result, ENRICHED)["run_path"]))
        assert kept.quality == run.quality
        assert (kept.match_rate.part, kept.match_rate.whole) == (45, AWARDS)
        assert (kept.gate, kept.fixture, kept.made_at) == (run.gate, run.fixture.fingerprint, run.started_at)
        assert Gap.RECIPIENT_NAME not in kept.gaps

    @pytest.mark.slow
    def test_the_config_of_a_run_sets_what_the_file_does_not(self, world):
        elsewhere = world.folder / "elsewhere"
        result = world.run(folder=str(elsewhere), chunk_size=30, match_rate_threshold=0.5)
        assert result.success
        (place,) = (elsewhere / "enriched").iterdir()
        assert metadata_of(result, ENRICHED)["path"] == str(place / f"{ENRICHED}.parquet")
        assert not world.files.exists()
        assert observations_of(result)[0]["chunk_size"] == 30.0

    def test_a_setting_that_is_wrong_is_refused_before_the_run_begins(self, world):
        with pytest.raises(dg.DagsterInvalidConfigError, match=r"did you mean gate\.max_lost"):
            world.run("gate.max_loss=3")
        assert world.instance.get_runs_count() == 0


class TestBadData:
    @pytest.mark.slow
    def test_the_page_of_a_refused_run_has_the_reason_and_the_report(self, refused):
        _, result = refused
        (failure,) = [
            event.step_failure_data.user_failure_data
            for event in result.all_events
            if event.event_type is dg.DagsterEventType.STEP_FAILURE
        ]
        assert failure.description.startswith("gate: fail: ")
        assert failure.description.count("Match rate: 0.600, below the minimum of 0.700") == 1
        assert failure.metadata["report"].value.startswith("### ")

    def test_too_few_links_hold_up_the_report(self, refused):
        _, result = refused
        assert is_held_up(result)
        assert failed_checks(result) == {"match_rate_threshold": "ERROR", "gate": "ERROR"}

    @pytest.mark.slow
    def test_so_do_six_percent_fewer_links_than_the_baseline_and_five_do_not(self, world):
        world.write(linked=50)
        assert world.run().success
        world.write(linked=47)
        result = world.run()
        assert is_held_up(result)
        assert failed_checks(result)["match_rate_regression"] == "ERROR"
        assert "match_rate_threshold" not in failed_checks(result)
        world.write(linked=48)
        assert world.run().success

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("sabotage", "check"),
        [
            (lambda rows: [*rows, rows[0]], "uniqueness"),
            pytest.param(lambda rows: rows[:-1], "completeness", marks=pytest.mark.slow),
            pytest.param(
                lambda rows: [*rows[:-1], {**rows[-1], "award_id": "A999"}],
                "uniqueness",
                marks=pytest.mark.slow,
            ),
        ],
        ids=["doubled", "missing", "unknown"],
    )
    def test_so_do_rows_that_are_not_one_for_each_award(self, world, sabotage, check):
        def engine(request, settings, monitor, progress, watch):
            summary = link_and_write(request, settings, monitor, progress, watch)
            tamper(request.output, sabotage)
            return summary

        world.engine = engine
        result = world.run()
        assert is_held_up(result)
        assert failed_checks(result)[check] == "ERROR"

    def test_so_do_empty_recipients_before_anything_is_matched(self, world):
        world.write(linked=0, recipients=0)
        result = world.run()
        assert not result.success
        assert failed_checks(result) == {"recipients": "ERROR"}
        assert not {ENRICHED, REPORT} & set(started_steps(result))

    @pytest.mark.slow
    def test_empty_recipients_fail_the_enrichment_alone_too_and_at_once(self, world):
        world.run()
        world.write(linked=0, recipients=0)
        result = world.run(only=[ENRICHED])
        assert not result.success
        assert "holds no recipients" in failure_of(result)
        assert started_steps(result) == [ENRICHED]

    @pytest.mark.slow
    def test_the_report_alone_is_refused_afterwards(self, world):
        world.write(linked=50)
        world.run()
        world.write(linked=30)
        world.run()
        result = world.run(only=[REPORT])
        assert not result.success
        assert started_steps(result) == [REPORT]  # once: it is not tried again
        assert "the gate refuses the enriched awards (fail)" in failure_of(result)

    @pytest.mark.slow
    def test_the_report_alone_is_of_the_awards_before_where_the_enrichment_failed(self, world):
        first = world.run()
        world.write(linked=0, recipients=0)
        world.run()
        result = world.run(only=[REPORT])
        assert metadata_of(result, REPORT)["enriched_path"] == metadata_of(first, ENRICHED)["path"]

    def test_there_is_no_report_of_awards_that_were_never_enriched(self, world):
        result = world.run(only=[REPORT])
        assert not result.success
        assert "enriched_sbir_awards was never materialised" in failure_of(result)
        assert started_steps(result) == [REPORT]  # not tried again

    @pytest.mark.slow
    def test_one_check_alone_can_be_asked_again_by_other_limits(self, world):
        world.write(linked=30)
        world.run()
        result = world.run_check(ENRICHED, "match_rate_threshold", match_rate_threshold=0.5)
        (evaluation,) = result.get_asset_check_evaluations()
        assert (evaluation.check_name, evaluation.passed) == ("match_rate_threshold", True)

    def test_what_was_refused_is_written_down(self, refused):
        world, _ = refused
        assert load_verdict(world.files / "verdict.json").outcome is Outcome.FAIL
        assert [alert.metric for alert in load_alerts(world.files / "alerts.json").alerts] == ["match_rate"]
        assert "fail · Match rate 0.600 (limit ≥ 0.700)" in (world.files / "report.md").read_text()

    @pytest.mark.slow
    def test_a_warning_lets_the_report_through_and_raises_an_alert(self, world):
        result = world.run("gate.metrics.seconds_per_record.maximum=0")
        assert result.success
        assert failed_checks(result) == {"performance": "WARN", "gate": "WARN"}
        (notice,) = tell_alerts(world, result)
        assert notice.headline.rule is Rule.RUN_WARNED
        assert [(alert.kind, alert.severity, alert.metric) for alert in notice.alerts.alerts] == [
            (AlertKind.CHANGE, Severity.WARN, "seconds_per_record")
        ]

    @pytest.mark.slow
    def test_a_limit_on_time_that_fails_elsewhere_only_warns_of_a_single_run(self, world):
        result = world.run("gate.metrics.wall_seconds.maximum=0")
        assert result.success
        assert failed_checks(result) == {"performance": "WARN", "gate": "WARN"}


class TestBadAwards:
    @pytest.fixture
    def world(self, world):
        path = world.folder / "awards.csv"
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *rows, *["a,row,with,far,too,many,cells,in,it"] * 10]) + "\n")
        return world

    def test_too_many_rows_that_cannot_be_read_hold_up_the_enrichment(self, world):
        result = world.run()
        assert not result.success
        assert failed_checks(result) == {"pass_rate": "ERROR"}
        assert ENRICHED not in started_steps(result)
        (evaluation,) = [each for each in result.get_asset_check_evaluations() if not each.passed]
        assert evaluation.metadata["rejects"].value == 10
        assert "awards.csv:52: 9 columns, 7 expected" in evaluation.metadata["examples"].value[0]

    @pytest.mark.slow
    def test_the_enrichment_alone_is_refused_afterwards(self, world):
        world.run()
        result = world.run(only=[ENRICHED])
        assert not result.success
        assert "the awards did not pass: 50 of 60 rows could be read" in failure_of(result)

    @pytest.mark.slow
    def test_the_awards_enriched_before_stay_published(self, world):
        world.run("reading.max_reject_percent=20")
        published = world.enriched()
        assert not world.run().success
        assert world.enriched() == published

    @pytest.mark.slow
    def test_the_limit_is_a_setting(self, world):
        assert world.run("reading.max_reject_percent=20").success

    @pytest.mark.slow
    def test_awards_that_cannot_be_matched_hold_up_the_enrichment(self, world):
        (world.folder / "awards.csv").write_text(
            "award_id,Company,Duns\nA1,,\nA2,Firm 2 of Optics,\nA3,,100002025\nA4,Firm 4 of Optics,\n"
        )
        assert failed_checks(world.run()) == {"completeness": "ERROR"}
        assert "completeness" not in failed_checks(world.run("orchestration.min_complete_percent=75"))

    @pytest.mark.slow
    def test_repeated_ids_in_the_source_warn(self, world):
        (world.folder / "awards.csv").write_text(
            "award_id,Company\nA1,Firm 1 of Optics\nA1,Firm 2 of Optics\n"
        )
        result = world.run()
        assert result.success
        assert failed_checks(result) == {"uniqueness": "WARN"}


class TestBaseline:
    @pytest.mark.slow
    def test_the_next_run_is_held_against_the_one_before(self, world):
        first = world.run()
        assert metadata_of(first, REPORT)["baseline"].startswith("stored: ")
        assert metadata_of(world.run(), REPORT)["verdict"] == "pass"

    @pytest.mark.parametrize("linked", [45, 46], ids=["same data", "other data"])
    @pytest.mark.slow
    def test_time_of_one_repeat_is_not_judged_and_holds_up_no_baseline(self, world, linked):
        limits = [f"gate.metrics.{name}.fail_percent=1" for name in ("wall_seconds", "cpu_seconds")]
        world.run(*limits)
        world.write(linked=linked)
        result = world.run(*limits)
        assert description_of(result, "gate", ENRICHED).endswith("; time not judged")
        assert "; time not judged" in metadata_of(result, REPORT)["report"]
        assert metadata_of(result, REPORT)["verdict"] == "pass"
        assert metadata_of(result, REPORT)["baseline"].startswith("stored: ")

    @pytest.mark.slow
    def test_it_follows_small_steps_but_not_a_slow_decline_and_the_warning_says_so(self, world):
        baselines = []
        for linked in (50, 49, 48, 47, 46):
            world.write(linked=linked)
            result = world.run()
            assert result.success
            baselines.append(world.baseline().quality.links)
            world.clock.skip(1)
        assert baselines == [50, 49, 48, 48, 48]
        assert "drift: Match rate" in description_of(result, "gate", ENRICHED)
        assert failed_checks(result) == {"gate": "WARN"}
        assert metadata_of(result, REPORT)["baseline"].startswith(
            "not stored: it would make a slow decline the baseline: drift: Match rate"
        )
        world.write(linked=45)
        assert is_held_up(world.run())  # 6% below the baseline

    @pytest.mark.slow
    def test_a_decline_that_a_person_accepted_is_none_any_more(self, world):
        for linked in (50, 48):
            world.write(linked=linked)
            world.run()
        world.write(linked=47)
        world.run()
        accepted = load_run(Path(metadata_of(world.run(), ENRICHED)["run_path"]))
        promote(accepted, world.files / "baselines", is_forced=True)
        world.write(linked=47, recipients=RECIPIENTS + 1)
        result = world.run()
        assert failed_checks(result) == {}
        assert metadata_of(result, REPORT)["baseline"].startswith("stored: ")

    @pytest.mark.slow
    def test_a_time_far_beyond_the_noise_of_the_history_warns_once_and_becomes_the_baseline(self, world):
        limits = ("gate.metrics.wall_seconds.warn_percent=10", "gate.metrics.wall_seconds.smallest_change=0")
        for _ in range(7):
            world.run(*limits)
        world.stopwatch.slowness = 2
        slow = world.run(*limits)
        assert failed_checks(slow) == {"performance": "WARN", "gate": "WARN"}
        assert "Wall time" in description_of(slow, "performance", ENRICHED)
        assert metadata_of(slow, REPORT)["baseline"].startswith("stored: ")
        assert failed_checks(world.run(*limits)) == {}

    def test_nor_a_run_that_was_refused(self, refused):
        world, _ = refused
        assert not (world.files / "baselines").exists()

    @pytest.mark.slow
    def test_it_stays_where_it_is_if_the_settings_say_so(self, world):
        result = world.run("orchestration.stores_baseline=false")
        assert metadata_of(result, REPORT)["baseline"].startswith("not stored: orchestration")
        assert not (world.files / "baselines").exists()

    @pytest.mark.slow
    def test_rates_are_held_against_it_when_the_data_changed(self, world):
        world.run()
        world.write(linked=72, awards=80)
        result = world.run()
        assert result.success
        verdict = load_verdict(world.files / "verdict.json")
        assert verdict.outcome is Outcome.PASS
        assert any("rates were compared" in note for note in notes(verdict))
        assert world.baseline().quality.awards == 80

    @pytest.mark.slow
    def test_a_committed_baseline_serves_until_there_is_one_of_its_own(self, world):
        world.run()
        (world.folder / "baselines").mkdir()
        (world.files / "baselines" / "enrichment.json").rename(world.folder / "baselines" / "enrichment.json")
        result = world.run()
        assert metadata_of(result, REPORT)["verdict"] == "pass"
        (regression,) = [
            each
            for each in result.get_asset_check_evaluations()
            if each.check_name == "match_rate_regression"
        ]
        assert regression.metadata["baseline"].value == 0.9


class TestTheRulesOfTheGate:
    """What `sbir-gate run` measures and refuses, a Run that an asset makes has too."""

    UEI = "QNT4K8W2J6H5"

    @pytest.fixture
    def world(self, world):
        write_tables(
            world.folder,
            [Award(f"A{number}", f"Firm {number} of Optics", duns=duns(number)) for number in range(10)],
            [
                *(
                    Recipient(f"R{number}", f"FIRM {number} OF OPTICS", duns=duns(number))
                    for number in range(9)
                ),
                Recipient("R9", "FIRM 9 OF OPTICS", uei=self.UEI, duns=duns(9)),
                Recipient("R9b", "FIRM 9 OF OPTICS, INC.", uei=self.UEI),
            ],
        )
        return world

    @staticmethod
    def label(world, **labels):
        path = world.folder / "truth.csv"
        rows = "".join(f"{award_id},{right}\n" for award_id, right in labels.items())
        path.write_text(f"award_id,recipient_ids\n{rows}")
        return str(path)

    @staticmethod
    def tear(path):
        path.write_text(path.read_text() + "a,row,with,far,too,many,cells,in,it\n")

    @pytest.mark.slow
    def test_names_entities_labels_and_counts_are_there(self, world):
        assert world.run(truth=self.label(world, A0="R0", A9="R9b")).success
        run = load_run(world.files / f"{ENRICHED}.json")
        counts = {metric.name: metric.values for metric in run.metrics}
        assert (counts["recipients_unknown"], counts["rows_rejected"]) == ((0.0,), (0.0,))
        assert {award.link: award.recipient_name for award in run.awards}["R0"] == "FIRM 0 OF OPTICS"
        assert run.entities == {"R9": self.UEI, "R9b": self.UEI}
        assert (run.quality.labelled, run.quality.precision) == (2, 1.0)  # R9 is the entity of R9b
        assert sum(award.label is Label.UNLABELLED for award in run.awards) == 8
        assert "2 of 10 awards labelled" in (world.files / "report.md").read_text()

    @pytest.mark.slow
    def test_no_second_reading_of_the_recipients_is_left_behind(self, world):
        world.run()
        assert not list(world.files.rglob("sbir-gate-*"))

    @pytest.mark.slow
    def test_links_to_recipients_that_do_not_exist_are_refused_and_named(self, world):
        def engine(request, settings, monitor, progress, watch):
            summary = link_and_write(request, settings, monitor, progress, watch)
            tamper(request.output, lambda rows: [{**row, "recipient_id": "101.0"} for row in rows])
            return summary

        world.engine = engine
        result = world.run()
        assert is_held_up(result)
        words = "Unknown recipient ids: 1, above the maximum of 0: recipient_id '101.0' is in no recipient"
        assert words in description_of(result, "uniqueness", ENRICHED)

    @pytest.mark.slow
    def test_rows_that_could_not_be_read_warn_and_are_named(self, world):
        self.tear(world.folder / "recipients.csv")
        result = world.run("reading.max_reject_percent=20")
        assert result.success
        assert failed_checks(result) == {"completeness": "WARN", "gate": "WARN"}
        words = description_of(result, "completeness", ENRICHED)
        assert "Rejected rows: 1, above the maximum of 0" in words
        assert "recipients.csv:13: " in words

    @pytest.mark.slow
    def test_of_labelled_awards_every_row_must_be_readable(self, world):
        self.tear(world.folder / "awards.csv")
        result = world.run("reading.max_reject_percent=20", truth=self.label(world, A0="R0"))
        assert failed_checks(result) == {"pass_rate": "ERROR"}
        assert "awards.csv:12: " in description_of(result, "pass_rate", VALIDATED)

    @pytest.mark.slow
    def test_and_every_row_of_the_recipients(self, world):
        self.tear(world.folder / "recipients.csv")
        result = world.run("reading.max_reject_percent=20", truth=self.label(world, A0="R0"))
        assert "1 of 12 recipients of the fixture could not be read, such as " in failure_of(result)
        assert started_steps(result)[-1] == ENRICHED  # not tried again

    @pytest.mark.slow
    def test_a_truth_of_other_files_is_refused(self, world):
        result = world.run(truth=self.label(world, A0="R0", Z1="R1", A2="X2"))
        assert "the truth is not that of the fixture" in failure_of(result)
        assert not (world.files / f"{ENRICHED}.json").exists()

    @pytest.mark.slow
    def test_what_breaks_the_judging_leaves_the_run_and_a_verdict(self, world):
        world.run()
        (world.files / "baselines" / "enrichment.json").write_text("{")
        result = world.run()
        assert is_held_up(result)
        verdict = load_verdict(world.files / "verdict.json")
        assert verdict.outcome is Outcome.ERROR
        assert any("the Run is saved: " in note for note in notes(verdict))
        assert load_run(world.files / f"{ENRICHED}.json").quality.links == 10
        assert (world.files / "report.md").is_file()

    @pytest.mark.slow
    def test_a_history_that_cannot_be_read_takes_nothing_from_the_verdict(self, world):
        loop = world.files / "loop"
        loop.parent.mkdir(parents=True)
        loop.symlink_to(loop)
        result = world.run(f"history.folder={loop}")
        assert result.success
        assert any("drift was not judged" in words for words in metadata_of(result, REPORT)["warnings"])

    @pytest.mark.parametrize(
        ("days", "commit", "drifts"), [(0, "d", False), (2, "c", False), (2, "d", True)], ids=str
    )
    @pytest.mark.slow
    def test_only_another_commit_and_a_day_are_a_slow_decline(self, world, days, commit, drifts):
        def engine(request, settings, monitor, progress, watch):
            summary = link_and_write(request, settings, monitor, progress, watch)
            lost = {"match_decision": "none", "recipient_id": None}
            tamper(request.output, lambda rows: [{**rows[0], **lost}, *rows[1:]])
            return summary

        unkept = "orchestration.stores_baseline=false"  # each is held against the history alone
        world.run(unkept)
        world.clock.skip(days)
        world.commit, world.engine = commit * 40, engine
        result = world.run(unkept)
        assert result.success
        assert ("drift: " in description_of(result, "gate", ENRICHED)) is drifts
        assert failed_checks(result) == ({"gate": "WARN"} if drifts else {})

    def test_conflict_markers_in_the_recipients_are_named(self, world):
        path = world.folder / "recipients.csv"
        path.write_text(f"<<<<<<< HEAD\n{path.read_text()}")
        result = world.run()
        assert failed_checks(result) == {"recipients": "ERROR"}
        assert "marker of a merge conflict" in description_of(result, "recipients", VALIDATED)


class Crash:
    """The engine, broken off so often after so many chunks."""

    def __init__(self, after: int, error: Exception, times: int = 1) -> None:
        self.calls = 0
        self._times = times
        self._after = after
        self._error = error

    def __call__(self, request, settings, monitor, progress, watch):
        self.calls += 1

        def break_off(chunk):
            watch(chunk)
            if self.calls <= self._times and chunk.chunks == self._after:
                raise self._error

        return link_and_write(request, settings, monitor, progress, break_off)


class TestRecovery:
    @pytest.fixture
    def world(self, world):
        world.chunk_size = 10
        return world

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "error",
        [ToolError("the machine broke"), pytest.param(RuntimeError("a fault"), marks=pytest.mark.slow)],
        ids=repr,
    )
    def test_a_step_that_broke_is_tried_again_and_goes_on_from_the_finished_chunks(self, world, error):
        undisturbed = world.run()
        expected = world.enriched()
        world.engine = Crash(5, error)
        result = world.run("orchestration.progress_seconds=1")
        assert result.success
        assert world.engine.calls == 2, retries_of(result)
        assert world.enriched() == expected
        kinds = [seen["kind"] for seen in observations_of(result)]
        assert kinds.count("recovery") == 1
        (recovery,) = [seen for seen in observations_of(result) if seen["kind"] == "recovery"]
        assert (recovery["progress_records_processed"], recovery["progress_resumable"]) == (50, True)
        assert (recovery["records_reused"], recovery["chunk"]) == (50, 5)
        assert recovery["progress_checkpoint"] is not None
        known = metadata_of(result, ENRICHED)
        assert (known["is_recovered"], known["records_reused"], known["recipients"]) == (True, 50, RECIPIENTS)
        assert (known["attempt"], known["recovery_seconds"] > 0) == (2, True)
        assert metadata_of(undisturbed, ENRICHED)["is_recovered"] is False

    @pytest.mark.slow
    def test_a_recovered_run_is_the_baseline_without_its_times(self, world):
        world.engine = Crash(5, RuntimeError("a fault"))
        result = world.run()
        assert metadata_of(result, REPORT)["baseline"].startswith("stored: ")
        assert "resumed" in load_run(world.files / f"{ENRICHED}.json").engine_notes
        assert {metric.kind for metric in world.baseline().metrics} == {MetricKind.EXACT}
        after = world.run("gate.metrics.wall_seconds.warn_percent=10")
        assert after.success
        assert "; time not judged" in description_of(after, "gate", ENRICHED)

    @pytest.mark.slow
    def test_time_without_progress_ends_the_step_at_once_in_its_own_words(self, world):
        result = world.run(timeout_seconds=0.001)
        assert not result.success
        assert "the enrichment made no progress for 0.001 seconds" in failure_of(result)
        assert retries_of(result) == []
        (notice,) = tell_alerts(world, result)
        assert "raise enrichment.performance.timeout_seconds" in alert_text(notice.alerts.alerts[0])

    @pytest.mark.slow
    def test_a_run_that_is_launched_anew_goes_on_too(self, world):
        world.engine, world.retries = Crash(5, RuntimeError("a fault")), 0
        assert not world.run().success
        world.engine = link_and_write
        assert metadata_of(world.run(), ENRICHED)["records_reused"] == 50

    @pytest.mark.slow
    def test_or_reads_all_again_if_it_is_told_to(self, world):
        world.engine, world.retries = Crash(5, RuntimeError("a fault")), 0
        assert not world.run().success
        world.engine = link_and_write
        assert metadata_of(world.run(is_fresh=True), ENRICHED)["records_reused"] == 0

    @pytest.mark.slow
    def test_a_run_after_a_finished_one_does_all_the_work(self, world):
        world.run()
        assert metadata_of(world.run(), ENRICHED)["records_reused"] == 0

    @pytest.mark.slow
    def test_want_of_memory_shows_and_changes_nothing(self, world):
        world.run()
        expected = world.enriched()
        result = world.run(memory_threshold_mb=64, chunk_size=2000)
        assert world.enriched() == expected
        assert metadata_of(result, ENRICHED)["note/parts"] == "on disk"


class TestAwardYears:
    @pytest.fixture
    def world(self, world):
        path = world.folder / "awards.csv"
        rows = list(csv.DictReader(path.read_text().splitlines()))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "Award Year"])
            writer.writeheader()
            writer.writerows({**row, "Award Year": 2020 + number % 2} for number, row in enumerate(rows))
        return world

    @pytest.mark.slow
    def test_a_year_is_enriched_and_judged_by_itself(self, world):
        result = world.run(job=YEARLY_JOB, partition="2021")
        assert result.success
        assert metadata_of(result, ENRICHED)["awards"] == 25
        assert (world.files / "2021" / "report.md").is_file()
        assert load_run(world.files / "2021" / f"{ENRICHED}.json").gate == "enrichment-2021"
        assert metadata_of(world.run(job=YEARLY_JOB, partition="2021"), REPORT)["verdict"] == "pass"
        assert metadata_of(world.run(job=YEARLY_JOB, partition="2020"), REPORT)["verdict"] == "no-baseline"

    @pytest.mark.slow
    def test_the_recipients_are_read_once_for_all_years(self, world):
        years = ("2020", "2021", "2020")
        found = [metadata_of(world.run(job=YEARLY_JOB, partition=year), ENRICHED) for year in years]
        assert [facts["recipients_read"] for facts in found] == [True, False, False]
        assert {facts["recipients"] for facts in found} == {RECIPIENTS}
        assert {facts["progress_records_processed"] for facts in found} == {RECIPIENTS}
        assert not any(facts["is_recovered"] for facts in found)
        runs = [load_run(world.files / year / f"{ENRICHED}.json") for year in ("2020", "2021")]
        # the time of a year is that of its awards, whichever came first: each may be a baseline
        assert not any(RESUMED in run.engine_notes for run in runs)
        with (world.folder / "recipients.csv").open("a") as file:
            file.write("R900,ZENITH OPTICS,,,,MA,\n")
        changed = metadata_of(world.run(job=YEARLY_JOB, partition="2021"), ENRICHED)
        assert (changed["recipients_read"], changed["recipients"]) == (True, RECIPIENTS + 1)

    @pytest.mark.slow
    def test_of_a_truth_of_all_years_the_labels_of_its_own_count(self, world):
        path = world.folder / "truth.csv"
        path.write_text("award_id,recipient_ids\nA0,R0\nA1,R1\nA3,R3\n")
        assert world.run(job=YEARLY_JOB, partition="2021", truth=str(path)).success
        assert load_run(world.files / "2021" / f"{ENRICHED}.json").quality.labelled == 2

    @pytest.mark.slow
    def test_a_year_that_does_not_pass_is_held_up(self, world):
        result = world.run(job=YEARLY_JOB, partition="2021", match_rate_threshold=0.98)
        assert not result.success
        assert not any(REPORT in step for step in started_steps(result))

    def test_a_year_without_awards_is_skipped_and_said(self, world):
        result = world.run(job=YEARLY_JOB, partition="1999")
        assert result.success
        assert started_steps(result)[-1] == f"{YEARLY_PREFIX}__{VALIDATED}"
        said = [
            event.event_specific_data.asset_observation.description
            for event in result.all_events
            if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
        ]
        assert "skipped: no award is of award year 1999" in said
        assert tell_alerts(world, result) == []

    @pytest.mark.slow
    def test_a_year_that_lost_all_its_awards_fails(self, world):
        assert world.run(job=YEARLY_JOB, partition="2021").success
        path = world.folder / "awards.csv"
        path.write_text(path.read_text().replace("2021", "2020"))
        result = world.run(job=YEARLY_JOB, partition="2021")
        assert "no award is of 2021 any more" in failure_of(result)

    @pytest.mark.slow
    def test_a_year_of_few_awards_is_refused_only_beyond_chance(self, world):
        def check(threshold):
            result = world.run(job=YEARLY_JOB, partition="2021", match_rate_threshold=threshold)
            return result.success, description_of(result, "match_rate_threshold", ENRICHED)

        passed, words = check(0.92)  # 22 of 25 awards are linked
        assert passed
        assert "may be below 0.92 by chance (95% interval 0.7" in words
        assert check(0.99)[0] is False


class TestAlerts:
    def test_a_refused_run_tells_what_its_checks_say(self, refused):
        world, result = refused
        (notice,) = tell_alerts(world, result)
        assert notice.headline.rule is Rule.RUN_REFUSED
        assert notice.alerts.outcome is Outcome.FAIL
        assert [
            (alert.kind, alert.severity, alert.findings[0].measured) for alert in notice.alerts.alerts
        ] == [(AlertKind.LIMIT, Severity.FAIL, 0.6)]
        assert notice.address == f"https://dagster.example/runs/{result.run_id}"
        assert notice.alerts.commit == f"commit {'c' * 12}"

    @pytest.mark.slow
    def test_a_run_that_broke_says_why_in_the_words_of_its_step(self, world):
        (notice,) = tell_alerts(world, world.run(awards="gone.csv"))
        assert notice.headline.rule is Rule.RUN_BROKEN
        (alert,) = notice.alerts.alerts
        assert alert.kind is AlertKind.FAULT
        assert "gone.csv: no such file or folder" in alert_text(alert)
        assert "Steps failed" not in alert_text(alert)

    @pytest.mark.slow
    def test_so_does_one_that_was_tried_again_in_vain(self, world):
        world.engine = Crash(5, RuntimeError("the fault itself"), times=9)
        world.chunk_size = 10
        (notice,) = tell_alerts(world, world.run())
        assert "the fault itself" in alert_text(notice.alerts.alerts[0])

    @pytest.mark.slow
    def test_empty_recipients_are_an_alert_that_names_the_file(self, world):
        world.write(linked=0, recipients=0)
        (notice,) = tell_alerts(world, world.run())
        assert notice.alerts.outcome is Outcome.FAIL
        assert "recipients.csv: holds no recipients" in alert_text(notice.alerts.alerts[0])

    def test_a_run_without_news_tells_nothing(self, done):
        assert tell_alerts(*done) == []


def retries_of(result):
    """Return why each step that is tried again broke."""
    return [
        event.event_specific_data.error.to_string()
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY
    ]


def description_of(result, check, asset):
    """Return what a check of an asset says."""
    (found,) = [
        each.description
        for each in result.get_asset_check_evaluations()
        if (each.check_name, each.asset_key.path[-1]) == (check, asset)
    ]
    return found


def tamper(path, change):
    """Write the enriched table again, with its rows changed."""
    with duckdb.connect() as connection:
        cursor = connection.execute(f"FROM read_parquet('{path}')")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        changed = path.with_suffix(".json")
        changed.write_text(json.dumps(change(rows)))
        connection.execute(f"COPY (FROM read_json('{changed}')) TO '{path}' (FORMAT parquet)")
