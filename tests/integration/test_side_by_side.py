"""Base and head of a real repository, side by side: real git, real processes, a toy enricher."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sbir_gate.documents import load_quality, load_run, load_verdict
from sbir_gate.errors import EnricherError, ExitStatus, InputError, ToolError, UsageError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.edges import Edges, describe_source
from sbir_gate.gate.measuring.interleaving import BaseFailure
from sbir_gate.gate.measuring.machine import describe_machine
from sbir_gate.gate.measuring.process import run_process
from sbir_gate.gate.side_by_side import run_beside_base
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.gate.storing.sessions import latest_run_path
from sbir_gate.model.samples import Calibration
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.judgement import policy
from tests.factories_git import ENVIRONMENT, Repository, make_repository
from tests.findings import notes, reasons
from tests.tiers import first_fast

AWARDS = 12
TRIES = 4
# it tells what ran and where in its notes, which the Run keeps
TOY = """\
import csv, json, os, sys, time
VERSION = "first"
BURN_SECONDS = 0.0
LINKS = 12
while time.process_time() < BURN_SECONDS:
    pass
awards, recipients, output, metrics = sys.argv[-4:]
with open(awards) as file, open(output, "w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
    for number, row in enumerate(csv.DictReader(file)):
        found = number < LINKS
        writer.writerow([row["award_id"], *((f"R{number}", "uei-exact", 100) if found else ("", "none", 0))])
notes = {"version": VERSION, "folder": os.getcwd().replace(os.sep, " / "), "python": sys.prefix[-80:]}
counters = dict.fromkeys(("recipients_scanned", "candidates_generated", "pairs_scored"), 10)
with open(metrics, "w") as file:
    json.dump({"counters": counters, "notes": notes}, file)
"""
COMMAND = "{python} enrich.py {awards} {recipients} {output} {metrics}"
FIXTURE = {
    "fixtures/awards.csv": "award_id,Company,Phase,Number Employees,UEI\n"
    + "".join(f"A{n},Firm {n} Inc,Phase I,{n},\n" for n in range(AWARDS)),
    "fixtures/recipients.csv": "recipient_id,legal_business_name,uei\n"
    + "".join(f"R{n},FIRM {n} INC,\n" for n in range(AWARDS)),
    "fixtures/truth.csv": "award_id,recipient_ids\n" + "".join(f"A{n},R{n}\n" for n in range(AWARDS)),
}


def toy(**changes):
    """Return the toy with constants of its own."""
    text = TOY
    for name, value in changes.items():
        text, count = re.subn(
            rf"^{name.upper()} = .*$", f"{name.upper()} = {value!r}", text, flags=re.MULTILINE
        )
        assert count == 1
    return text


def below(folder, script):
    """Return a fixture and an enricher in a subfolder."""
    return {f"{folder}/{name}": text for name, text in {"enrich.py": script, **FIXTURE}.items()}


SLOW = toy(version="slow", burn_seconds=0.4)


@dataclass
class Team:
    """A team's repository, and the gate that is called in it."""

    repository: Repository
    folder: Path
    temporary: Path
    told: list[str] = field(default_factory=list)
    pairs: int = 0  # none: each side runs once, and no time is measured

    def gate(self, *assignments, ref="main", config=None, environment=None, **options):
        """Run the main job as `sbir-gate run --base REF` does, without waiting for the calibration."""
        environment = ENVIRONMENT | (environment or {})
        pairs = {"benchmark.min_pairs": self.pairs, "benchmark.max_pairs": self.pairs}
        timing = pairs if self.pairs else {"benchmark.is_timed": False}
        options = {**timing, "enricher.command": COMMAND} | options
        options = {key: value for key, value in options.items() if value is not None}
        effective = load_settings(config, environment, options, assignments)
        edges = Edges(
            now=lambda: datetime.now(UTC),
            launch=run_process,
            calibrate=lambda: Calibration(0.05, 0.05),
            machine=describe_machine,
            source=lambda: describe_source(Git(Path.cwd())),
        )
        given = Given(config, environment, options, assignments)
        git = Git(Path.cwd(), environment)
        return run_beside_base(effective, given, BaseName(ref or None), git, edges, self.told.append)

    def fails(self, error, *assignments, **options):
        """Return the error with which the gate ends; it has left its own verdict and nothing else."""
        with pytest.raises(error) as caught:
            self.gate(*assignments, **options)
        verdict = load_verdict(self.folder / "reports" / "verdict.json")
        assert verdict.outcome is Outcome.ERROR
        assert reasons(verdict) == (caught.value.message,)
        assert not (self.folder / "reports" / "benchmarks").exists()
        self.check_nothing_stays()
        return caught.value

    def check_nothing_stays(self):
        assert self.repository.worktrees() == [str(self.repository.folder)]
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def team(tmp_path, monkeypatch):
    """Make a repository with the toy on main, and stand on a branch of it."""
    repository = make_repository(tmp_path / "repository")
    repository.commit({"enrich.py": TOY, ".gitignore": "reports/\n.venv/\n", **FIXTURE})
    repository.git("switch", "--quiet", "--create", "change")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(repository.folder)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # the documented place to set it
    return Team(repository, repository.folder, temporary)


@pytest.fixture
def timed(team):
    """Let time be measured too, in five pairs."""
    team.pairs = 5
    return team


def base_of(result):
    return load_run(result.reference_path)


# the verdict


@pytest.mark.slow
def test_unchanged_code_passes_and_both_runs_are_kept(timed):
    for _ in range(TRIES):  # other work on the machine may hide it for a while, but never fails it
        result = timed.gate(**{"benchmark.min_pairs": 7, "benchmark.max_pairs": 20})
        assert result.verdict.outcome is not Outcome.FAIL
        if result.verdict.outcome is Outcome.PASS:
            break
    assert result.verdict.outcome is Outcome.PASS
    base, head = base_of(result), load_run(result.run_path)
    assert head == result.run
    assert base.session == head.session != ""
    assert len(base.samples) == len(head.samples) >= 7
    assert latest_run_path(Path("reports")) == result.run_path
    assert "same commit and no tracked file was changed" in " ".join(notes(result.verdict))
    timed.check_nothing_stays()


@pytest.mark.slow
def test_each_run_is_a_session_of_its_own(team):
    runs = [team.gate().run for _ in range(2)]
    assert runs[0].session != runs[1].session
    # and leaves the quality report of head alone
    kept = [load_quality(path) for path in Path("reports/quality").iterdir()]
    assert {report.made_at for report in kept} == {run.started_at for run in runs}
    assert len(kept) == 2
    assert all(report.source == runs[0].source and report.quality == runs[0].quality for report in kept)


@pytest.mark.slow
def test_the_saved_runs_give_the_same_verdict_again(team):
    team.repository.commit({"enrich.py": toy(links=8)})
    result = team.gate()
    settings = load_settings(None, {}).settings
    # whose policy it was, and how far the target branch is ahead, is not in the Runs
    measured = replace(result.verdict, policy_commit="", target=None)
    assert judge(load_run(result.run_path), base_of(result), policy(settings)) == measured
    assert result.verdict.outcome is Outcome.FAIL
    assert [award.award_id for award in result.verdict.records.lost] == ["A10", "A11", "A8", "A9"]


@pytest.mark.slow
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_slower_change_fails(timed, is_committed):
    if is_committed:
        timed.repository.commit({"enrich.py": SLOW})
    else:
        (timed.folder / "enrich.py").write_text(SLOW)
    for _ in range(TRIES):
        result = timed.gate()
        if result.verdict.outcome is Outcome.FAIL:
            break
    assert "CPU time rose" in " ".join(reasons(result.verdict))
    assert result.run.source.is_dirty is not is_committed
    assert result.run.engine_notes["version"] == "slow"
    assert base_of(result).engine_notes["version"] == "first"


def test_the_base_is_the_merge_base_and_not_the_tip(team):
    fork = team.repository.git("rev-parse", "HEAD")
    team.repository.commit({"enrich.py": toy(version="mine")})
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": SLOW})
    team.repository.git("switch", "--quiet", "change")
    result = team.gate()
    base = base_of(result)
    assert (base.source.commit, base.source.branch, base.source.is_dirty) == (fork, "main", False)
    assert base.engine_notes["version"] == "first"
    assert result.verdict.reference_commit == fork


@pytest.mark.slow
def test_a_base_that_was_slow_makes_head_faster_and_passes(timed):
    timed.repository.git("switch", "--quiet", "main")
    timed.repository.commit({"enrich.py": SLOW})
    timed.repository.git("switch", "--quiet", "--create", "faster")
    timed.repository.commit({"enrich.py": TOY})
    assert timed.gate().verdict.outcome is Outcome.PASS


@pytest.mark.slow
def test_more_pairs_are_measured_only_until_it_is_decided(timed):
    result = timed.gate(**{"benchmark.min_pairs": 2, "benchmark.max_pairs": 50})
    assert 2 <= len(result.run.samples) < 50


@pytest.mark.slow
def test_progress_tells_pair_and_side(timed):
    timed.gate()
    commit = timed.repository.git("rev-parse", "HEAD")[:12]
    assert timed.told == [
        f"gate enrichment; engine: {COMMAND}; settings file: none",
        f"checking out the base, {commit}",
        "reading the fixtures",
        *("warming up: base", "warming up: head"),
        *("pair 1 of 5: head", "pair 1 of 5: base", "pair 2 of 5: base", "pair 2 of 5: head"),
        *("pair 3 of 5: head", "pair 3 of 5: base", "pair 4 of 5: base", "pair 4 of 5: head"),
        *("pair 5 of 5: head", "pair 5 of 5: base"),
        "measuring quality",
    ]


@pytest.mark.slow
def test_progress_tells_how_many_pairs_there_will_be_at_least_and_then_at_most(timed, monkeypatch):
    monkeypatch.setattr("sbir_gate.gate.side_by_side.is_decided", lambda _verdict, _policy: False)
    timed.gate(**{"benchmark.min_pairs": 1, "benchmark.max_pairs": 5, "benchmark.warm_ups": 0})
    pairs = [words for words in timed.told if words.startswith("pair")]
    assert pairs == [
        *("pair 1 of at least 1: head", "pair 1 of at least 1: base"),
        *("pair 2 of at most 5: base", "pair 2 of at most 5: head"),
        *("pair 3 of at most 5: head", "pair 3 of at most 5: base"),
        *("pair 4 of at most 5: base", "pair 4 of at most 5: head"),
        *("pair 5 of at most 5: head", "pair 5 of at most 5: base"),
    ]
    assert not any("warming up" in words for words in timed.told)


@pytest.mark.slow
def test_a_budget_that_is_too_small_for_the_least_number_is_told_with_what_it_takes(timed):
    options = {"benchmark.min_pairs": 5, "benchmark.max_pairs": 5, "benchmark.max_seconds": 0.001}
    result = timed.gate(**options)
    assert len(result.run.samples) == len(base_of(result).samples) == 1
    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert re.search(
        r"max_seconds \(0\.001\) was enough for 1 of at least 5 pairs; all of them would take about \d+ s",
        " ".join(notes(result.verdict)),
    )


# which code, which fixture, which settings


@pytest.mark.slow
def test_a_changed_fixture_is_given_to_both_sides(team):
    more = dict(FIXTURE)
    more["fixtures/awards.csv"] += "A12,Firm 12 Inc,Phase II,3,\n"
    more["fixtures/recipients.csv"] += "R12,FIRM 12 INC,\n"
    more["fixtures/truth.csv"] += "A12,R12\n"
    team.repository.commit(more)
    result = team.gate()
    assert result.verdict.outcome is not Outcome.INCOMPARABLE
    assert result.run.fixture == base_of(result).fixture
    assert len(base_of(result).awards) == AWARDS + 1


def test_the_enricher_of_each_side_runs_in_its_own_folder(team):
    result = team.gate()
    head, base = result.run.engine_notes["folder"], base_of(result).engine_notes["folder"]
    assert head == str(team.folder).replace(os.sep, " / ")
    assert base.endswith(" / base")


@pytest.mark.slow
def test_below_a_subfolder_the_base_runs_in_the_same_one(team, monkeypatch):
    team.repository.commit(below("etl", toy(version="below")))
    monkeypatch.chdir(team.folder / "etl")
    result = team.gate(ref="HEAD")
    assert base_of(result).engine_notes["version"] == "below"
    assert base_of(result).engine_notes["folder"].endswith(" / base / etl")


@pytest.mark.slow
def test_a_subfolder_that_the_base_lacks_is_incomparable(team, monkeypatch):
    team.repository.commit(below("etl", TOY))
    monkeypatch.chdir(team.folder / "etl")
    result = team.gate()
    assert result.verdict.outcome is Outcome.INCOMPARABLE
    assert result.run.base_gap.names == ("enrich.py",)
    team.check_nothing_stays()


@pytest.mark.slow
def test_a_package_that_is_installed_from_heads_tree_is_the_bases_for_the_base(team):
    # as an editable installation does: Python follows the working tree
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"src/engine/__main__.py": TOY, "src/engine/__init__.py": ""})
    team.repository.git("switch", "--quiet", "--create", "packaged")
    team.repository.commit({"src/engine/__main__.py": toy(version="second")})
    environment = {"PYTHONPATH": str(team.folder / "src")}
    command = "{python} -m engine {awards} {recipients} {output} {metrics}"
    result = team.gate(environment=environment, **{"enricher.command": command})
    assert result.run.engine_notes["version"] == "second"
    assert base_of(result).engine_notes["version"] == "first"
    assert not any("names no file" in note for note in notes(result.verdict))


@pytest.mark.slow
def test_a_command_outside_of_the_repository_is_suspicious(team, tmp_path):
    (tmp_path / "outside.py").write_text(TOY)
    command = shlex.join(["{python}", str(tmp_path / "outside.py"), *COMMAND.split()[2:]])
    result = team.gate(**{"enricher.command": command})
    assert "the enricher's command names no file of the repository" in " ".join(notes(result.verdict))


@pytest.mark.slow
def test_the_bases_own_file_of_settings_names_its_enricher(team):
    team.repository.git("switch", "--quiet", "main")
    gate = "enricher:\n  command: '{python} OLD {awards} {recipients} {output} {metrics}'\n"
    team.repository.commit({"old.py": toy(version="old"), "gate.yaml": gate.replace("OLD", "old.py")})
    team.repository.git("switch", "--quiet", "--create", "renamed")
    team.repository.git("rm", "--quiet", "old.py")
    team.repository.commit({"new.py": toy(version="new"), "gate.yaml": gate.replace("OLD", "new.py")})
    result = team.gate(config=Path("gate.yaml"), **{"enricher.command": None})
    assert (result.run.engine_notes["version"], base_of(result).engine_notes["version"]) == ("new", "old")
    assert any("the enricher command differs" in note for note in notes(result.verdict))


# the built-in engine of a repository that holds one


BUILT_IN = {
    "sbir_gate/__init__.py": "",
    "sbir_gate/__main__.py": TOY.replace(
        "awards, recipients, output, metrics = sys.argv[-4:]",
        "given = dict(zip(sys.argv[3::2], sys.argv[4::2]))\n"
        'awards, output, metrics = given["--awards"], given["--output"], given["--metrics"]',
    ),
}


def engine(version):
    return {path: text.replace('"first"', repr(version)) for path, text in BUILT_IN.items()}


@pytest.fixture
def engine_team(team):
    """Let the repository hold an engine of its own, which a change replaces."""
    team.repository.git("switch", "--quiet", "main")
    base_yaml = (Path(__file__).parents[2] / "config" / "base.yaml").read_text()
    older = base_yaml.replace("pairs_per_query: 12", "pairs_per_query: 7")
    team.repository.commit({**engine("engine-1"), "config/base.yaml": older})
    team.repository.git("switch", "--quiet", "--create", "next")
    team.repository.commit({**engine("engine-2"), "config/base.yaml": base_yaml})
    return team


def test_the_built_in_engine_of_the_base_is_the_bases_own_code(engine_team):
    result = engine_team.gate(**{"enricher.command": None})
    assert result.run.engine_notes["version"] == "engine-2"
    assert base_of(result).engine_notes["version"] == "engine-1"
    assert base_of(result).enricher == "built-in"
    said = " ".join(notes(result.verdict))
    assert "matching.pairs_per_query is 12 in head, 7 in the base" in said
    assert "settings that change results differ" in said


def test_an_engine_that_would_be_imported_from_elsewhere_is_refused(engine_team):
    # whatever the reason: here the package itself says that it is another
    engine_team.repository.git("switch", "--quiet", "main")
    elsewhere = "__file__ = '/elsewhere/sbir_gate/__init__.py'\n"
    engine_team.repository.commit({"sbir_gate/__init__.py": elsewhere})
    engine_team.repository.git("switch", "--quiet", "--create", "other")
    error = engine_team.fails(ToolError, **{"enricher.command": None})
    assert "the base's engine would not run: sbir_gate is imported from '/elsewhere" in error.message


@pytest.mark.slow
def test_without_an_engine_in_the_repository_both_run_the_installed_one(team):
    # the real one, on a dozen awards
    options = {"enricher.command": None, "benchmark.is_timed": False}
    result = team.gate(**options)
    assert any("both sides ran the installed one" in note for note in notes(result.verdict))
    assert result.run.awards == base_of(result).awards


# the base's environment


SETUP = "{python} -c \"import venv; venv.create('.venv', with_pip=False, symlinks=True)\""


@pytest.mark.slow
def test_where_the_locks_are_the_same_both_run_on_one_interpreter(team):
    team.repository.commit({"requirements.lock": "a==1\n"})
    team.repository.git("branch", "--force", "main")
    team.repository.commit({"enrich.py": toy(version="second")})
    result = team.gate("benchmark.base_setup=./must-not-run")
    assert base_of(result).engine_notes["python"] == result.run.engine_notes["python"]
    assert not any("making the base's environment" in words for words in team.told)


def test_where_a_lock_differs_the_base_gets_an_environment_of_its_own(team):
    team.repository.commit({"requirements.lock": "a==1\n"})
    result = team.gate(**{"benchmark.base_setup": SETUP})
    assert "making the base's environment: requirements.lock differs" in team.told
    assert base_of(result).engine_notes["python"].endswith("/base/.venv")
    assert not result.run.engine_notes["python"].endswith("/base/.venv")
    assert any(
        "an environment of its own: requirements.lock differs" in note for note in notes(result.verdict)
    )
    team.check_nothing_stays()


@pytest.mark.slow
def test_without_locks_to_compare_a_set_up_always_runs(team):
    options = {"benchmark.base_setup": SETUP, "benchmark.base_lock": ()}
    assert base_of(team.gate(**options)).engine_notes["python"].endswith("/base/.venv")


@pytest.mark.slow
def test_a_set_up_that_fails_is_an_error_of_its_own(team):
    team.repository.commit({"requirements.lock": "a==1\n"})
    error = team.fails(
        ToolError, **{"benchmark.base_setup": "{python} -c 'import sys; sys.exit(\"no way\")'"}
    )
    assert "the base's environment cannot be made" in error.message
    assert "no way" in error.message


@pytest.mark.slow
def test_a_base_that_nobody_can_make_an_environment_for_runs_in_heads_and_says_so(team):
    team.repository.commit({"uv.lock": "[[package]]\nname='a'\nversion='1'\n"})
    result = team.gate()
    said = " ".join(notes(result.verdict))
    assert "the base ran in head's environment, though uv.lock differs: the base has no" in said
    assert "changed dependencies: a none -> 1" in said
    assert base_of(result).engine_notes["python"] == result.run.engine_notes["python"]


@pytest.mark.slow
def test_nor_does_a_set_up_that_nobody_asked_for_fail_the_gate(team):
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"requirements.txt": "no-such-package-anywhere==1\n"})
    team.repository.git("switch", "--quiet", "--create", "upgraded")
    team.repository.commit({"requirements.txt": "no-such-package-anywhere==2\n"})
    result = team.gate(environment={"PIP_NO_INDEX": "1"})
    said = " ".join(notes(result.verdict))
    assert "the base ran in head's environment, though requirements.txt differs" in said
    assert "changed dependencies: no-such-package-anywhere 1 -> 2" in said
    team.check_nothing_stays()


@pytest.mark.slow
def test_a_formatters_setting_is_no_dependency(team):
    project = "[project]\nname = 'x'\nversion = '1'\n[tool.black]\nline-length = "
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"pyproject.toml": f"{project}88\n"})
    team.repository.git("switch", "--quiet", "--create", "formatted")
    team.repository.commit({"pyproject.toml": f"{project}120\n"})
    result = team.gate()
    assert not any("environment" in words for words in (*notes(result.verdict), *team.told))


# what goes wrong


def test_a_base_that_crashes_is_an_error_that_names_the_base(team):
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": "import sys\nsys.exit('broken base')\n"})
    team.repository.git("switch", "--quiet", "--create", "mended")
    team.repository.commit({"enrich.py": TOY})
    error = team.fails(BaseFailure)
    assert error.exit_status is ExitStatus.BROKEN
    assert error.message == "the base: the enricher ended with exit status 1: broken base"
    assert "head is not to blame" in error.hint


@pytest.mark.slow
def test_a_base_that_writes_nothing_is_one_too(team):
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": ""})
    team.repository.git("switch", "--quiet", "--create", "mended")
    team.repository.commit({"enrich.py": TOY})
    assert "the base: {output}: the enricher wrote no output" in team.fails(BaseFailure).message


def test_a_head_that_crashes_is_heads_own_fault(team):
    team.repository.commit({"enrich.py": "import sys\nsys.exit('broken head')\n"})
    error = team.fails(EnricherError)
    assert error.message == "the enricher ended with exit status 1: broken head"


@pytest.mark.slow
def test_where_both_crash_head_is_told(team):
    error = team.fails(EnricherError, **{"enricher.command": "./nowhere {awards} {recipients} {output}"})
    assert not isinstance(error, BaseFailure)


def test_fixtures_that_cannot_be_read_are_told_before_anything_is_run(team):
    (team.folder / "fixtures" / "awards.csv").unlink()
    team.fails(InputError)
    assert not any("warming up" in words for words in team.told)


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=touch hacked", "$(touch hacked)"])
def test_a_ref_that_is_none_is_wrong_usage_and_leaves_an_error(team, ref):
    error = team.fails(UsageError, ref=ref)
    assert error.exit_status is ExitStatus.WRONG_INPUT
    assert not (team.folder / "hacked").exists()


SLOW_STOPS = ("warming up", "measuring quality")


class Stopped(BaseException):
    """Ctrl-C, as the program raises it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "word",
    ["checking out", "pair 2", *(pytest.param(word, marks=pytest.mark.slow) for word in SLOW_STOPS)],
)
def test_whenever_it_is_stopped_nothing_stays(timed, word):
    class Stopping(list):
        def append(self, words):
            if words.startswith(word):
                raise Stopped

    timed.told = Stopping()
    with pytest.raises(Stopped):
        timed.gate()
    timed.check_nothing_stays()
    assert not (timed.folder / "reports" / "verdict.json").exists()


@pytest.mark.slow
def test_what_the_enricher_locks_in_its_folder_is_no_failure(team):
    text = TOY + "os.makedirs('locked/in', exist_ok=True)\nos.chmod('locked', 0o500)\n"
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": text})
    team.repository.git("switch", "--quiet", "--create", "same")
    assert team.gate().run_path.exists()
    assert team.repository.worktrees() == [str(team.repository.folder)]


# what the engine must leave alone

# the fixture that both sides run on; the checkout of the base, beside the scratch folder of head
TAMPERING = {
    "recipients.csv": "open(recipients, 'w').write(open(recipients).readline())",
    "truth.csv": "os.remove(os.path.join(os.path.dirname(awards), 'truth.csv'))",
    "in the base's checkout: enrich.py: changed": (
        "run = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(output))));"
        "open(os.path.join(run, 'base', 'enrich.py'), 'a').write('time.sleep(1)')"
    ),
    "in the base's checkout: sitecustomize.py: changed": (
        "run = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(output))));"
        "open(os.path.join(run, 'base', 'sitecustomize.py'), 'w').write('import time; time.sleep(1)')"
    ),
}


@pytest.mark.parametrize("name", first_fast(TAMPERING))
def test_a_head_that_changes_what_is_measured_is_an_error(team, name):
    code = TOY.replace("notes = {", f"{TAMPERING[name]}\nnotes = {{")
    team.repository.commit({"enrich.py": code})
    error = team.fails(EnricherError)
    assert not isinstance(error, BaseFailure)
    assert "changed by the enricher" in error.message
    assert name in error.message


@pytest.mark.slow
def test_a_base_that_changes_its_inputs_is_told_as_the_base(team):
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": TOY + "open(recipients, 'a').write('x')"})
    team.repository.git("switch", "--quiet", "--create", "mended")
    team.repository.commit({"enrich.py": TOY})
    error = team.fails(BaseFailure)
    assert error.message == "the base: fixtures/recipients.csv: changed by the enricher"


@pytest.mark.slow
def test_what_the_base_leaves_in_its_checkout_is_its_own(team):
    team.repository.git("switch", "--quiet", "main")
    team.repository.commit({"enrich.py": TOY + "open('kept.json', 'a').write('x')"})
    team.repository.git("switch", "--quiet", "--create", "same")
    assert team.gate().verdict.outcome is not Outcome.ERROR
