"""Changes that do not touch the engine, and the quick look: no times, and no failure of quality hidden."""

from __future__ import annotations

import pytest

from sbir_gate.errors import InputError
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.gate.storing.baselines import check_promotable
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind, Timing
from sbir_gate.model.verdict import Outcome
from tests.findings import notes, reasons
from tests.integration.test_adoption import SETTINGS, own, team  # noqa: F401 -- a fixture of that module
from tests.integration.test_edited_fixture import Team as BaselinedTeam
from tests.integration.test_edited_fixture import gate_file, truth
from tests.integration.test_side_by_side import FIXTURE, base_of, toy
from tests.tiers import first_fast

SOURCES = SETTINGS + "  sources: [enrich.py, 'engine/**']\n"


@pytest.fixture
def gated(team):  # noqa: F811 -- the fixture that is imported
    """Let main have a gate that says what its engine is made of; time is measured."""
    team.pairs = 5
    team.repository.git("switch", "--quiet", "main")
    files = {"enrich.py": toy(), "engine/words.txt": "x", "sbir-gate.yaml": SOURCES, "docs/a.md": "a"}
    team.repository.commit({**files, **FIXTURE})
    team.repository.git("switch", "--quiet", "--create", "next")
    return team


def untimed(run):
    return run.timing is not Timing.MEASURED and all(each.kind is MetricKind.EXACT for each in run.metrics)


def test_a_change_of_the_docs_alone_runs_the_engine_once_and_measures_no_time(gated):
    gated.repository.commit({"docs/a.md": "b"})
    result = own(gated)
    assert result.verdict.outcome is Outcome.PASS
    assert result.run.timing is result.verdict.timing is Timing.ENGINE_UNCHANGED
    assert untimed(result.run)
    assert untimed(base_of(result))
    assert [words for words in gated.told if "pair" in words or "warming" in words] == [
        "pair 1 of 1: head",
        "pair 1 of 1: base",
    ]
    headline = build_view(result.run, result.verdict).headline
    assert headline.endswith("; engine unchanged; time not judged")
    row = next(row for row in result.verdict.changes if row.metric == "wall_seconds")
    assert (row.severity, row.is_measured) == (Severity.INFO, False)


TOUCHING = {
    "file": {"enrich.py": toy(version="second")},
    "folder": {"engine/words.txt": "y"},
    "new-file": {"engine/deep/new.py": ""},
    "setting": {"sbir-gate.yaml": SOURCES + "matching: {max_candidates: 4}\n"},
    "command": {"sbir-gate.yaml": SOURCES.replace("enrich.py {a", "./enrich.py {a")},
    "dependency": {"requirements.txt": "numpy==2\n"},
    "module-of-python": {"colorsys.py": ""},
    "module-at-the-start": {"src/sitecustomize.py": ""},
    "new-package": {"colorsys/deep/words.py": ""},
    "new-package-in-src": {"src/colorsys/__init__.py": ""},
    "folder-made-a-package": {"docs/__init__.py": ""},
    "binary": {"_colors.cpython-399-x86_64-linux-gnu.so": ""},
}
QUICK = ("file", "module-of-python")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=name, marks=[] if name in QUICK else [pytest.mark.slow])
        for name, change in TOUCHING.items()
    ],
)
@pytest.mark.parametrize("is_committed", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_what_may_change_the_engine_is_timed(gated, change, is_committed):
    if is_committed:
        gated.repository.commit(change)
    else:
        for name, text in change.items():
            path = gated.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    assert own(gated).run.timing is Timing.MEASURED


@pytest.mark.slow
def test_a_link_that_a_package_may_lie_behind_is_timed(gated):
    (gated.folder / "colorsys").symlink_to("docs")
    assert own(gated).run.timing is Timing.MEASURED


@pytest.mark.slow
def test_a_module_beside_the_script_that_the_command_names_is_timed(gated):
    gated.repository.git("switch", "--quiet", "main")
    settings = SETTINGS.replace("enrich.py", "engine/run.py") + "  sources: [engine/run.py]\n"
    gated.repository.commit({"engine/run.py": toy(), "sbir-gate.yaml": settings})
    gated.repository.git("switch", "--quiet", "--create", "beside")
    gated.repository.commit({"engine/words.txt": "y", "docs/deep/example.py": ""})
    assert own(gated).run.timing is Timing.ENGINE_UNCHANGED
    gated.repository.commit({"engine/colorsys.py": ""})
    assert own(gated).run.timing is Timing.MEASURED


@pytest.mark.slow
def test_a_change_cannot_say_for_itself_what_its_engine_is(gated):
    gated.repository.commit({"enrich.py": toy(links=3), "sbir-gate.yaml": SETTINGS + "  sources: [docs]\n"})
    result = own(gated)
    assert result.run.timing is Timing.MEASURED
    assert result.verdict.outcome is Outcome.FAIL


@pytest.mark.slow
def test_a_pattern_that_matches_nothing_hides_nothing(gated):
    gated.repository.git("switch", "--quiet", "main")
    gated.repository.commit({"sbir-gate.yaml": SETTINGS + "  sources: ['sorce/**']\n"})
    gated.repository.git("switch", "--quiet", "--create", "typo")
    gated.repository.commit({"docs/a.md": "b"})
    result = own(gated)
    assert result.run.timing is Timing.MEASURED
    assert any("no file matches sorce/**" in note for note in notes(result.verdict))


@pytest.mark.slow
def test_quality_is_judged_all_the_same_where_the_fixture_shows_it(gated):
    """The engine is the base's, but the limit is not met: unchanged is no excuse for an absolute limit."""
    gated.repository.git("switch", "--quiet", "main")
    gated.repository.commit({"enrich.py": toy(links=3)})
    gated.repository.git("switch", "--quiet", "--create", "poor")
    gated.repository.commit({"docs/a.md": "b"})
    verdict = own(gated).verdict
    assert verdict.timing is Timing.ENGINE_UNCHANGED
    assert "match_rate" in {finding.metric for finding in verdict.deciding}


def test_the_quick_look_judges_exact_metrics_alone(gated):
    gated.repository.commit({"enrich.py": toy(burn_seconds=0.3)})
    result = own(gated, **{"benchmark.is_timed": False})
    assert result.verdict.outcome is Outcome.PASS
    assert untimed(result.run)
    assert "time not judged" in build_view(result.run, result.verdict).headline


@pytest.mark.slow
def test_it_hides_no_failure_of_quality(gated):
    gated.repository.commit({"enrich.py": toy(links=3)})
    assert own(gated, **{"benchmark.is_timed": False}).verdict.outcome is Outcome.FAIL


@pytest.mark.slow
def test_a_change_cannot_ask_for_it(gated):
    gated.repository.commit(
        {"enrich.py": toy(), "sbir-gate.yaml": SOURCES + "benchmark: {is_timed: false}\n"}
    )
    result = own(gated)
    assert "benchmark.is_timed" in {edit.what for edit in result.verdict.policy_edits}
    assert result.run.timing is not Timing.QUICK


@pytest.mark.slow
def test_a_run_without_times_is_no_baseline(gated):
    gated.repository.commit({"docs/a.md": "b"})
    with pytest.raises(InputError, match=r"judged no time \(the engine is unchanged\)"):
        check_promotable(own(gated).run)


SOURCED = gate_file().replace("\nfixtures", "\n  sources: [engine.txt]\nfixtures", 1)
WITH_BASELINE = ("--policy-from", pytest.param("action with a baseline", marks=pytest.mark.slow))


@pytest.fixture
def baselined(tmp_path, monkeypatch):
    """Let main have a baseline, and a gate that says what its engine is made of."""
    monkeypatch.chdir(tmp_path)
    made = BaselinedTeam(tmp_path / "repository")
    made.merge({"gate.yaml": SOURCED, "docs/a.md": "a"})
    return made


@pytest.mark.parametrize("channel", WITH_BASELINE)
@pytest.mark.parametrize("files", first_fast([{"docs/a.md": "b"}, {"data/truth.csv": truth(without=[7])}]))
def test_against_a_baseline_too_the_unchanged_engine_runs_once_without_times(baselined, channel, files):
    result = baselined.judge(channel, files)
    assert result.verdict.outcome is Outcome.PASS, reasons(result.verdict)
    assert result.verdict.timing is Timing.ENGINE_UNCHANGED
    assert untimed(result.run)
    assert len(result.run.samples) == 1
    assert "engine unchanged" in build_view(result.run, result.verdict).headline


@pytest.mark.parametrize(
    "files",
    [
        {"engine.txt": "slow\n"},
        {"engine.txt": "slow\n", "gate.yaml": SOURCED.replace("[engine.txt]", "[docs/a.md]")},
        pytest.param({"gate.yaml": SOURCED + "matching: {max_candidates: 4}\n"}, marks=pytest.mark.slow),
        pytest.param({"gate.yaml": SOURCED.replace("engine {", "./engine {")}, marks=pytest.mark.slow),
        pytest.param({"requirements.txt": "numpy==2\n"}, marks=pytest.mark.slow),
    ],
    ids=["file", "own-sources", "setting", "command", "dependency"],
)
def test_against_a_baseline_what_may_change_the_engine_is_timed(baselined, files):
    verdict = baselined.judge("--policy-from", files).verdict
    assert verdict.timing is Timing.MEASURED
    assert (verdict.outcome is Outcome.FAIL) == ("engine.txt" in files)
