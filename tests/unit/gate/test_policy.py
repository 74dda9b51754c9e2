"""Pull requests that try to change what they are judged by, in real repositories."""

import shutil
from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.errors import ConfigurationError, DocumentError, ExitStatus, InputError, UsageError
from sbir_gate.gate.commit_files import NEW, PolicyRequest
from sbir_gate.gate.policy import commit_judgement, own_judgement
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.model.companions import Companions
from sbir_gate.model.document import RUN, encode
from sbir_gate.model.finding import Rule
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories import make_metrics, make_run, scaled, with_metric
from tests.factories_git import copied, make_repository
from tests.findings import notes, reasons

TODAY = date(2026, 2, 1)
GATE = """\
gate:
  max_lost: 2
  metrics:
    records: {is_required: false}
    seconds_per_record: {is_required: false}
    cpu_seconds: {is_required: false}
fixtures:
  awards: data/awards.csv
  recipients: data/recipients.csv
  truth: data/truth.csv
"""
WAIVER = """\
waivers:
  - metric: wall_seconds
    limit: {limit}
    reason: because
    owner: ana
    expires: 2026-12-31
    pr: 7
"""
DATA = {"data/awards.csv": "a\n", "data/recipients.csv": "b\n", "data/truth.csv": "c\n"}


def head(factor=1.0):
    """Return a Run of the gate with all that base.yaml asks for, so many times as slow."""
    run = replace(make_run(), metrics=make_metrics())
    return scaled(run, "wall_seconds", factor)


BASELINE = encode(RUN, head())


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return a repository with a whole gate on main, and a branch for a change."""
    made = make_repository(tmp_path_factory.mktemp("template"))
    made.commit({"gate.yaml": GATE, "baselines/enrichment.json": BASELINE, **DATA})
    made.branch("change")
    return made


@pytest.fixture
def repository(tmp_path, template, monkeypatch):
    made = copied(template, tmp_path / "repository")
    monkeypatch.chdir(made.folder)
    return made


def judged(repository, ref="main", config="gate.yaml", assignments=(), **options):
    path = repository.folder / config if config else None
    own = load_settings(path, {}, options, assignments)
    request = PolicyRequest(BaseName(ref), repository.folder, path, {}, options, assignments)
    return commit_judgement(request, own)


def verdict(repository, run, **options):
    return judged(repository, **options)[1].verdict(run, TODAY)


def edits(repository, **options):
    found = judged(repository, **options)[1]
    return {edit.what: (edit.before, edit.after) for edit in found.edits}


def test_a_change_that_edits_nothing_is_judged_as_it_would_judge_itself(repository):
    found = verdict(repository, head())
    assert (found.outcome, found.policy_edits, found.own_policy_outcome) == (Outcome.PASS, (), None)
    assert found.policy_commit == repository.git("rev-parse", "main")


class TestAttacks:
    """Each would pass by the working tree's own policy; by that of the commit it fails, and says why."""

    def check(self, repository, run, what, **options):
        found = verdict(repository, run, **options)
        assert found.outcome is Outcome.FAIL, reasons(found)
        assert found.own_policy_outcome in {Outcome.PASS, Outcome.WARN}
        assert what in {edit.what for edit in found.policy_edits}
        return found

    def test_a_raised_limit(self, repository):
        text = GATE.replace("metrics:", "metrics:\n    wall_seconds: {fail_percent: 900, warn_percent: 800}")
        repository.commit({"gate.yaml": text})
        self.check(repository, head(1.5), "gate.metrics.wall_seconds.fail_percent")

    def test_one_that_is_not_even_committed(self, repository):
        text = GATE.replace("metrics:", "metrics:\n    wall_seconds: {fail_percent: 900, warn_percent: 800}")
        repository.write_all({"gate.yaml": text})
        self.check(repository, head(1.5), "gate.metrics.wall_seconds.fail_percent")

    def test_a_metric_that_is_no_longer_required(self, repository):
        text = GATE.replace("metrics:", "metrics:\n    match_rate: {is_required: false}")
        repository.commit({"gate.yaml": text, "baselines/enrichment.json": None})
        run = replace(
            head(), metrics=tuple(metric for metric in head().metrics if metric.name != "match_rate")
        )
        found = verdict(repository, run)
        assert found.outcome is Outcome.FAIL
        assert found.own_policy_outcome is Outcome.NO_BASELINE

    def test_a_waiver_of_its_own(self, repository):
        repository.commit({"config/waivers.yaml": WAIVER.format(limit=90)})
        found = self.check(repository, head(1.5), "waiver for wall_seconds")
        (edit,) = found.policy_edits
        assert edit.before == "none"
        assert edit.after == "up to 90% until 2026-12-31 by ana: because (7)"
        assert found.waivers == ()

    def test_a_waiver_that_reaches_further(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"config/waivers.yaml": WAIVER.format(limit=30)})
        repository.branch("further")
        repository.commit({"config/waivers.yaml": WAIVER.format(limit=90)})
        found = self.check(repository, head(1.5), "waiver for wall_seconds")
        assert "covers only up to 30%" in reasons(found)[0]
        assert verdict(repository, head(1.28)).outcome is Outcome.WARN

    def test_a_slower_baseline(self, repository):
        repository.commit({"baselines/enrichment.json": encode(RUN, head(1.5))})
        found = self.check(repository, head(1.5), "baseline")
        assert found.policy_edits[0].after.endswith(", with other content")

    def test_a_baseline_that_is_gone(self, repository):
        repository.commit({"baselines/enrichment.json": None})
        found = verdict(repository, head(1.5))
        assert found.outcome is Outcome.FAIL
        assert found.own_policy_outcome is Outcome.NO_BASELINE
        assert [edit.after for edit in found.policy_edits] == ["none"]

    def test_another_folder_of_baselines(self, repository):
        text = GATE.replace("gate:", "gate:\n  baselines_folder: mine")
        repository.commit({"gate.yaml": text, "mine/enrichment.json": encode(RUN, head(1.5))})
        self.check(repository, head(1.5), "gate.baselines_folder")

    def test_another_list_of_waivers(self, repository):
        text = GATE.replace("gate:", "gate:\n  waivers_file: mine.yaml")
        repository.commit({"gate.yaml": text, "mine.yaml": WAIVER.format(limit=90)})
        self.check(repository, head(1.5), "gate.waivers_file")

    def test_a_folder_that_became_a_link_to_a_kinder_policy(self, repository):
        repository.commit(
            {
                "kind/enrichment.json": encode(RUN, head(1.5)),
                "baselines/enrichment.json": None,
            }
        )
        (repository.folder / "baselines").rmdir()
        (repository.folder / "baselines").symlink_to("kind")
        repository.commit({})
        self.check(repository, head(1.5), "baseline")

    def test_what_only_the_tip_of_main_allows(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"config/waivers.yaml": WAIVER.format(limit=90)})
        repository.git("checkout", "--quiet", "change")
        assert verdict(repository, head(1.5)).outcome is Outcome.FAIL

    def test_an_own_policy_that_cannot_be_read(self, repository):
        repository.commit({"config/waivers.yaml": "waivers: [", "baselines/enrichment.json": "{"})
        found = verdict(repository, head())
        assert found.outcome is Outcome.PASS
        assert found.own_policy_outcome is Outcome.ERROR
        assert any(
            edit.after.startswith("config/waivers.yaml:1: not valid YAML") for edit in found.policy_edits
        )


def fixture_of(repository, **options):
    """Return the files of the commit's fixture by source, where head has another."""
    found = judged(repository, **options)[1].fixture
    return found and {name: [blob.path for blob in blobs] for name, blobs in found.files.items()}


WHOLE = {name.partition("/")[2].partition(".")[0]: [name] for name in DATA}


class TestFixtures:
    """Whatever head does to its fixture, the one that judges is that of the commit."""

    def test_the_same_files_are_no_edit(self, repository):
        assert fixture_of(repository) is None

    @pytest.mark.parametrize("name", DATA)
    def test_a_changed_file_is_one(self, repository, name):
        repository.write_all({name: "other\n"})
        assert fixture_of(repository) == WHOLE
        assert edits(repository) == {}  # the Run tells it, in numbers

    @pytest.mark.parametrize("name", DATA)
    def test_so_is_one_that_is_gone(self, repository, name):
        repository.commit({name: None})
        assert fixture_of(repository) == WHOLE

    @pytest.mark.parametrize("name", DATA)
    def test_so_is_a_link_to_another(self, repository, name):
        repository.commit({name: None, "other.csv": "other\n"})
        (repository.folder / name).symlink_to("../other.csv")
        assert fixture_of(repository) == WHOLE

    def test_so_is_a_folder_that_became_a_link(self, repository):
        repository.commit({**dict.fromkeys(DATA), **{name.replace("data", "new"): "x\n" for name in DATA}})
        shutil.rmtree(repository.folder / "data", ignore_errors=True)
        (repository.folder / "data").symlink_to("new")
        assert fixture_of(repository) == WHOLE

    def test_settings_that_name_other_files_are(self, repository):
        text = GATE.replace("data/awards.csv", "easy.csv")
        repository.commit({"easy.csv": "x\n", "gate.yaml": text})
        assert fixture_of(repository) == WHOLE
        assert edits(repository) == {"fixtures.awards": ("'data/awards.csv'", "'easy.csv'")}

    def test_settings_that_name_no_truth_are(self, repository):
        repository.commit({"gate.yaml": GATE.replace("data/truth.csv", "null")})
        assert fixture_of(repository) == WHOLE

    def test_files_that_were_only_moved_are_none(self, repository):
        text = GATE.replace("data/awards.csv", "new.csv")
        repository.commit({"data/awards.csv": None, "new.csv": "a\n", "gate.yaml": text})
        assert fixture_of(repository) is None

    def test_a_truth_that_the_commit_does_not_name_is_not_its_own(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"gate.yaml": GATE.replace("data/truth.csv", "null")})
        repository.branch("labelled")
        repository.commit({"gate.yaml": GATE})
        assert set(fixture_of(repository)) == {"awards", "recipients"}

    @pytest.mark.parametrize("source", ["parts", "'parts/[0-9]*.csv'", "'parts/?.csv'", "'parts/**/*.csv'"])
    def test_of_a_folder_or_a_pattern_each_file_counts(self, repository, source):
        repository.git("checkout", "--quiet", "main")
        repository.commit(
            {"gate.yaml": GATE.replace("data/awards.csv", source), "parts/1.csv": "1\n", "parts/2.csv": "2\n"}
        )
        repository.branch("fewer")
        assert fixture_of(repository) is None
        repository.commit({"parts/2.csv": None, "parts/3.csv": "3\n"})
        assert fixture_of(repository)["awards"] == ["parts/1.csv", "parts/2.csv"]

    def test_a_change_that_brings_the_first_fixture_along_has_none_to_be_judged_on(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit(dict.fromkeys(DATA))
        repository.branch("first")
        repository.commit(dict(DATA))
        assert not judged(repository)[1].fixture.is_whole
        assert edits(repository) == {"fixture": ("not there", NEW)}

    def test_files_that_nobody_committed_are_the_operator_s(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit(dict.fromkeys(DATA))
        repository.branch("generated")
        repository.write_all(dict(DATA))
        assert fixture_of(repository) is None

    def test_files_outside_the_repository_are_the_operator_s(self, repository, tmp_path):
        outside = tmp_path / "awards.csv"
        outside.write_text("x\n")
        assert fixture_of(repository, **{"fixtures.awards": str(outside)}) is None

    def test_but_settings_that_lead_away_from_them_are_head_s(self, repository, tmp_path):
        outside = tmp_path / "awards.csv"
        outside.write_text("x\n")
        repository.git("checkout", "--quiet", "main")
        repository.commit({"gate.yaml": GATE.replace("data/awards.csv", str(outside))})
        repository.branch("away")
        repository.commit({"gate.yaml": GATE})
        assert fixture_of(repository)["awards"] == []

    def test_a_run_on_another_fixture_is_incomparable_though_head_brings_its_own_baseline(self, repository):
        run = replace(head(1.5), fixture=replace(head().fixture, fingerprint="0" * 64))
        repository.commit({"data/truth.csv": "kinder\n", "baselines/enrichment.json": encode(RUN, run)})
        found = verdict(repository, run)
        assert found.outcome is Outcome.INCOMPARABLE
        assert found.own_policy_outcome is Outcome.PASS


class TestWhatTheCommitLacks:
    def test_a_new_gate_is_judged_by_its_own_config_and_says_so(self, repository):
        repository.commit({"new.yaml": GATE.replace("max_lost: 2", "max_lost: 77")})
        effective, found = judged(repository, config="new.yaml")
        assert effective.settings.gate.max_lost == 77
        assert [(edit.what, edit.after) for edit in found.edits] == [
            ("new.yaml", "new: there is nothing to hold it against")
        ]

    def test_a_baseline_that_head_brings_along_is_not_believed(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"baselines/enrichment.json": None})
        repository.branch("first")
        repository.commit({"baselines/enrichment.json": BASELINE})
        found = verdict(repository, head())
        assert found.outcome is Outcome.NO_BASELINE
        assert found.own_policy_outcome is Outcome.PASS

    def test_without_a_config_the_defaults_hold(self, repository):
        effective, _ = judged(repository, config=None)
        assert effective.settings.gate.max_lost == 5


class TestTheFileThatNobodyNames:
    """`sbir-gate.yaml` at the top is part of the policy like a file that --config names."""

    LOOSE = GATE.replace("max_lost: 2", "max_lost: 77")

    @pytest.fixture
    def found(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"sbir-gate.yaml": GATE, "gate.yaml": None})
        repository.branch("found")
        return repository

    @pytest.fixture
    def bare(self, repository):
        """Return a repository whose main has no gate at all."""
        repository.git("checkout", "--quiet", "main")
        repository.commit({"gate.yaml": None, "baselines/enrichment.json": None})
        repository.branch("bare")
        return repository

    def judged(self, repository):
        effective, found = judged(repository, config=None)
        return effective.settings.gate.max_lost, {
            edit.what: (edit.before, edit.after) for edit in found.edits
        }

    def test_that_of_the_commit_counts(self, found):
        assert self.judged(found) == (2, {})
        found.commit({"sbir-gate.yaml": self.LOOSE})
        assert self.judged(found) == (2, {"gate.max_lost": ("2", "77")})

    def test_also_where_the_change_moves_it(self, found):
        project = "[tool.sbir-gate]\nconfig = 'config/gate.yaml'\n"
        found.commit({"sbir-gate.yaml": None, "config/gate.yaml": self.LOOSE, "pyproject.toml": project})
        limit, edits = self.judged(found)
        assert limit == 2
        assert edits["settings file"] == ("sbir-gate.yaml", "config/gate.yaml")
        assert edits["gate.max_lost"] == ("2", "77")

    def test_also_where_the_change_removes_it(self, found):
        found.commit({"sbir-gate.yaml": None})
        limit, edits = self.judged(found)
        assert limit == 2
        assert edits["settings file"] == ("sbir-gate.yaml", "not there")

    def test_in_a_folder_the_nearest_of_the_commit_counts(self, found, monkeypatch):
        found.git("checkout", "--quiet", "main")
        found.commit({"etl/sbir-gate.yaml": GATE.replace("max_lost: 2", "max_lost: 3")})
        found.branch("team")
        found.commit({"etl/sbir-gate.yaml": self.LOOSE})
        monkeypatch.chdir(found.folder / "etl")
        assert self.judged(found) == (3, {"gate.max_lost": ("3", "77")})
        monkeypatch.chdir(found.folder)
        assert self.judged(found) == (2, {})

    @pytest.mark.parametrize(
        ("main", "change", "limit"),
        [("sbir-gate.yaml", "etl/sbir-gate.yaml", 2), ("etl/sbir-gate.yaml", "", 2)],
    )
    def test_a_nearer_one_is_no_way_past_it(self, bare, monkeypatch, main, change, limit):
        bare.git("checkout", "--quiet", "main")
        bare.commit({main: GATE, "etl/run.py": ""})
        bare.branch("loose")
        bare.commit({change: self.LOOSE} if change else {main: None, "sbir-gate.yaml": self.LOOSE})
        monkeypatch.chdir(bare.folder / "etl")
        found, edits = self.judged(bare)
        assert found == limit
        assert edits["settings file"] == (main, change or "sbir-gate.yaml")

    def test_one_that_adds_the_gate_counts_and_is_named(self, bare):
        bare.commit({"sbir-gate.yaml": self.LOOSE})
        limit, edits = self.judged(bare)
        assert limit == 77
        assert edits["sbir-gate.yaml"][0] == "not there"

    @pytest.mark.parametrize(
        "gate",
        [
            {"baselines/enrichment.json": BASELINE},
            {".github/workflows/gate.yml": "run: sbir-gate run --base"},
        ],
    )
    def test_adding_one_is_no_way_past_a_gate_that_does_without(self, bare, gate):
        bare.git("checkout", "--quiet", "main")
        bare.commit(gate)
        bare.branch("loose")
        bare.commit({"sbir-gate.yaml": self.LOOSE})
        limit, edits = self.judged(bare)
        assert limit == 5
        assert edits["settings file"] == ("not there", "sbir-gate.yaml")
        assert edits["gate.max_lost"] == ("5", "77")

    def test_nor_past_one_whose_engine_the_caller_names(self, bare):
        bare.commit({"sbir-gate.yaml": self.LOOSE})
        options = {"enricher.command": "engine {awards} {recipients} {output}"}
        effective, _ = judged(bare, config=None, **options)
        assert effective.settings.gate.max_lost == 5

    def test_two_of_them_at_the_commit_are_an_error_that_names_it(self, bare):
        bare.git("checkout", "--quiet", "main")
        project = "[tool.sbir-gate]\nconfig = 'config/gate.yaml'\n"
        commit = bare.commit({"sbir-gate.yaml": GATE, "pyproject.toml": project})
        bare.branch("one")
        bare.commit({"pyproject.toml": None})
        with pytest.raises(ConfigurationError, match=f"pyproject.toml at commit {commit[:12]}"):
            judged(bare, config=None)


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "text", "words", "kind"),
        [
            ("gate.yaml", "gate: [", "gate.yaml at commit {}:1: not valid YAML", ConfigurationError),
            (
                "gate.yaml",
                "gate:\n  max_lost: -1\n",
                "gate.yaml at commit {}:2: gate.max_lost: must be at least 0 (-1)",
                ConfigurationError,
            ),
            ("config/waivers.yaml", "waivers: 3", "config/waivers.yaml at commit {}:1:", ConfigurationError),
            (
                "baselines/enrichment.json",
                "{",
                "baselines/enrichment.json at commit {}: not JSON",
                DocumentError,
            ),
            (
                "baselines/enrichment.json",
                b"\xff",
                "baselines/enrichment.json at commit {}: not UTF-8",
                DocumentError,
            ),
            (
                "baselines/enrichment.json",
                encode(RUN, make_run(gate="nightly")),
                "baselines/enrichment.json at commit {}: the Run is of gate 'nightly'",
                DocumentError,
            ),
            (
                "baselines/enrichment.json",
                f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n",
                "baselines/enrichment.json at commit {}: is kept in Git LFS",
                InputError,
            ),
        ],
    )
    def test_what_cannot_be_read_at_the_commit_is_named_with_commit_and_path(
        self, repository, name, text, words, kind
    ):
        repository.git("checkout", "--quiet", "main")
        commit = repository.commit({name: text})
        repository.branch("repaired")
        repository.commit(
            {"gate.yaml": GATE, "config/waivers.yaml": "", "baselines/enrichment.json": BASELINE}
        )
        with pytest.raises(kind) as caught:
            judged(repository)
        assert caught.value.message.startswith(words.format(commit[:12]))
        assert caught.value.exit_status is ExitStatus.WRONG_INPUT
        assert caught.value.hint or caught.value.fault.hint

    def test_a_hostile_ref_achieves_nothing(self, repository):
        with pytest.raises(UsageError):
            judged(repository, ref="--upload-pack=touch x")

    def test_a_config_outside_the_repository_is_the_operator_s(self, repository, tmp_path):
        outside = tmp_path / "outside.yaml"
        outside.write_text(GATE.replace("max_lost: 2", "max_lost: 9"))
        effective, found = judged(repository, config=str(outside))
        assert effective.settings.gate.max_lost == 9
        assert found.edits == ()


def test_without_a_commit_the_working_tree_judges(repository):
    repository.write_all({"config/waivers.yaml": WAIVER.format(limit=90)})
    effective = load_settings(repository.folder / "gate.yaml", {})
    found = own_judgement(effective).verdict(head(1.5), TODAY)
    assert (found.outcome, found.policy_commit, found.policy_edits) == (Outcome.WARN, "", ())
    assert [waiver.metric for waiver in found.waivers] == ["wall_seconds"]


def test_a_waivers_file_that_is_named_must_be_there(repository):
    effective = load_settings(repository.folder / "gate.yaml", {}, {}, ["gate.waivers_file=gone.yaml"])
    with pytest.raises(ConfigurationError, match=r"gone\.yaml: no such file"):
        own_judgement(effective)


def test_a_reference_that_is_given_takes_the_place_of_the_baseline_on_both_sides(repository):
    repository.commit({"baselines/enrichment.json": encode(RUN, head(1.5))})
    found = judged(repository)[1].verdict(head(1.5), TODAY, Companions(head(1.5)))
    assert found.outcome is Outcome.PASS
    assert found.own_policy_outcome is Outcome.PASS


def test_from_a_folder_below_paths_start_there(repository, monkeypatch):
    repository.commit({"below/baselines/enrichment.json": BASELINE, "below/note.txt": ""})
    monkeypatch.chdir(repository.folder / "below")
    found = judged(repository)[1]
    # main has no baseline there yet
    assert {edit.what: edit.before for edit in found.edits}["baseline"] == "none"


def test_a_metric_of_the_run_that_nobody_measured_is_not_excused_by_the_commit(repository):
    run = with_metric(head(), "match_rate", [0.4])
    assert verdict(repository, run).outcome is Outcome.FAIL


class TestABranchThatIsBehindItsTarget:
    """What the target has tightened since counts, and the report says how far the base is behind."""

    def moved_on(self, repository, files):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"moved.txt": "on", **files})
        repository.git("checkout", "--quiet", "change")

    def test_the_report_knows_the_target_and_how_far_it_is_ahead(self, repository):
        self.moved_on(repository, {"other.txt": "x"})
        found = verdict(repository, head())
        target = found.target
        assert (target.name, target.commits_ahead) == ("main", 1)
        assert target.commit == repository.git("rev-parse", "main")
        assert found.outcome is Outcome.PASS

    def test_a_limit_that_the_target_has_tightened_counts(self, repository):
        stricter = GATE.replace(
            "    records:", "    wall_seconds: {warn_percent: 1, fail_percent: 3}\n    records:"
        )
        assert verdict(repository, head(1.1)).outcome is not Outcome.FAIL
        self.moved_on(repository, {"gate.yaml": stricter})
        found = verdict(repository, head(1.1))
        assert found.outcome is Outcome.FAIL
        assert any(
            "stricter on main than at the base, and used: wall_seconds" in note for note in notes(found)
        )

    def test_a_limit_that_the_target_has_raised_does_not(self, repository):
        self.moved_on(repository, {"gate.yaml": GATE.replace("max_lost: 2", "max_lost: 50")})
        assert judged(repository)[1].rules.policy.max_lost == 2

    def test_a_waiver_that_the_target_has_removed_no_longer_counts(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"config/waivers.yaml": WAIVER.format(limit=500)})
        repository.git("checkout", "--quiet", "-B", "change")
        options = {"gate.waivers_file": "config/waivers.yaml"}
        assert verdict(repository, head(3), **options).outcome is Outcome.WARN
        self.moved_on(repository, {"config/waivers.yaml": "waivers: []\n"})
        found = verdict(repository, head(3), **options)
        assert found.outcome is Outcome.FAIL
        assert any("waiver for wall_seconds" in note for note in notes(found))

    @pytest.mark.parametrize("lacking", ["gate.yaml", "baselines/enrichment.json"])
    def test_one_that_is_older_than_the_gate_is_never_a_pass(self, repository, lacking):
        content = (repository.folder / lacking).read_text()
        repository.git("checkout", "--quiet", "main")
        repository.commit({lacking: None})
        repository.git("checkout", "--quiet", "-B", "change")
        repository.commit({lacking: content})
        self.moved_on(repository, {lacking: content})
        found = verdict(repository, head())
        assert found.outcome is Outcome.INCOMPARABLE
        assert "update the branch" in reasons(found)[0]
        assert "main has" in reasons(found)[0]

    def test_and_a_failure_of_it_stays_one(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"baselines/enrichment.json": None})
        repository.git("checkout", "--quiet", "-B", "change")
        self.moved_on(repository, {"baselines/enrichment.json": BASELINE})
        poor = with_metric(head(), "match_rate", (0.1,))
        found = verdict(repository, poor)
        assert found.outcome is Outcome.FAIL
        assert Rule.BASE_OUTDATED in [finding.rule for finding in found.deciding]

    def test_a_gate_that_the_target_does_not_have_either_has_no_baseline(self, repository):
        repository.git("checkout", "--quiet", "main")
        repository.commit({"baselines/enrichment.json": None})
        repository.git("checkout", "--quiet", "-B", "change")
        self.moved_on(repository, {"other.txt": "x"})
        assert verdict(repository, head()).outcome is Outcome.NO_BASELINE


class TestAnAmbiguousName:
    def test_it_is_a_note_of_the_verdict_and_a_warning(self, repository):
        repository.git("update-ref", "refs/tags/main", "HEAD")
        repository.commit({"other.txt": "x"})
        repository.git("update-ref", "refs/tags/main", "HEAD")
        judgement = judged(repository)[1]
        assert judgement.commit == repository.git("rev-parse", "refs/heads/main")
        (warning,) = judgement.warnings
        assert "the name 'main' is ambiguous: used refs/heads/main, not refs/tags/main" in text(warning)
        assert text(warning) in notes(judgement.verdict(head(), TODAY))
