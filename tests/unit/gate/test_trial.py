"""A trial with an engine that is played: it knows its handicap from its own command line."""

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from sbir_gate.errors import EnricherError, InputError
from sbir_gate.gate.measuring import handicap
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan
from sbir_gate.gate.measuring.command import parse_command
from sbir_gate.gate.measuring.interleaving import BaseFailure
from sbir_gate.gate.trial import TrialRequest, run_trial, with_handicap
from sbir_gate.model.finding import Rule
from sbir_gate.model.trial import LeftOut, Planted
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.fakes import AWARDS, WELL, FakeEngine, fake_edges, write_fixture

SECONDS, MIB = 2.0, 100.0
# of all that judges links, leave only the number of awards that worsened
ONLY_AWARDS = tuple(
    f"gate.metrics.{name}.{limit}=null"
    for name in ("match_rate", "recall", "precision", "blocking_recall", "links/*")
    for limit in ("warn_percent", "fail_percent")
)


class Machine:
    """An engine and a clock: a run takes SECONDS and what its handicap adds, give or take some."""

    def __init__(self, jitter=0.01, links=AWARDS, breaks_at=0, error=None):
        self.random = Random(1)
        self.jitter = jitter
        self.breaks_at = breaks_at
        self.error = error
        self.engine = FakeEngine(links=links)
        self.now = 0.0
        self.runs = []

    def __call__(self, request):
        arguments = list(request.arguments)
        share, mib = 0.0, 0.0
        if handicap.__file__ in arguments:
            at = arguments.index(handicap.__file__)
            share, mib = map(float, arguments[at + 1 : at + 3])
        self.runs.append((share, mib))
        if len(self.runs) == self.breaks_at:
            raise self.error
        assert request.timeout_seconds >= 300 * (1 + share)
        wall = SECONDS * (1 + share) * self.random.lognormvariate(0, self.jitter)
        self.now += wall
        self.engine.ends = replace(WELL, wall_seconds=wall, cpu_seconds=wall, peak_rss_mib=max(MIB, mib))
        return self.engine(request)


class Forgetful(Machine):
    """One that links an award in every second run."""

    def __call__(self, request):
        self.engine.links = AWARDS - len(self.runs) % 2
        return super().__call__(request)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_fixture(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


def tried(
    machine,
    budget=2000.0,
    percents=(50.0, 100.0),
    kept=None,
    steps=None,
    memory_mib=16_384,
    plants_memory=True,
    assignments=(),
    **options,
):
    fixed = {
        "fixtures.awards": "awards.csv",
        "fixtures.recipients": "recipients.csv",
        "fixtures.truth": "truth.csv",
    }
    effective = load_settings(None, {}, fixed | options, assignments)
    fakes = fake_edges(machine)
    here = replace(fakes.machine(), memory_mib=memory_mib)
    edges = replace(fakes, clock=lambda: machine.now, machine=lambda: here)
    return run_trial(
        effective,
        edges,
        TrialRequest(budget, 1, percents, plants_memory),
        lambda *step: (steps if steps is not None else []).append(step),
        (kept if kept is not None else []).append,
    )


@pytest.mark.usefixtures("folder")
def test_a_quiet_machine_has_no_false_alarm_and_finds_what_was_planted():
    machine = Machine()
    trial = tried(machine)
    assert [case.percent for case in trial.cases] == [0.0, 50.0, 100.0]
    assert [case.pairs for case in trial.cases] == [20, 20, 20]
    assert (trial.unchanged, trial.findings) == (Outcome.PASS, ())
    unchanged = trial.cases[0].runs
    assert [(runs.pairs, runs.time.separate.runs) for runs in unchanged] == [(5, 4), (10, 2), (20, 1)]
    assert not any(
        seen.separate.failed + seen.drawn.failed for runs in unchanged for seen in (runs.time, runs.memory)
    )
    found = {(each.planted, each.pairs): each.percent for each in trial.found}
    assert found[Planted.TIME, 5] == found[Planted.TIME, 20] == 50.0
    # a peak exactly at the limit of 50% does not exceed it
    assert found[Planted.MEMORY, 5] == 100.0
    assert trial.cases[1].time_percent == pytest.approx(50, abs=2)
    assert trial.cases[1].memory_percent == pytest.approx(50)
    assert (trial.left_out, trial.needed_seconds) == ((), 0.0)
    assert trial.engine_seconds == pytest.approx(SECONDS, rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_both_sides_run_within_the_same_wrapper_and_the_first_look_is_at_the_engine_itself():
    machine = Machine()
    tried(machine, percents=(50.0,))
    # a warm-up and a run of the engine as it is; then both sides of unchanged code, and of the handicap
    pairs = 2 * (1 + 20)
    assert machine.runs[: 2 + pairs] == [(0.0, 0.0)] * (2 + pairs)
    assert sorted(set(machine.runs[2 + pairs :])) == [(0.0, 0.0), (0.5, 1.5 * MIB)]
    assert handicap.__file__ not in machine.engine.commands[0]
    assert all(handicap.__file__ in command for command in machine.engine.commands[2:])


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_lost_and_swapped_links_are_caught():
    trial = tried(Machine(), percents=(), assignments=ONLY_AWARDS, **{"gate.max_lost": 2})
    caught = {(each.planted, each.count): (each.caught, each.draws) for each in trial.links}
    assert caught[Planted.LOST, 3] == caught[Planted.SWAPPED, 3] == (5, 5)
    assert {count for _, count in caught} == {1, 2, 3, 4}


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_what_unchanged_code_fails_for_does_not_count_as_caught():
    trial = tried(Machine(links=6), percents=(), assignments=ONLY_AWARDS)
    assert trial.unchanged is Outcome.FAIL
    assert {finding.metric for finding in trial.findings} >= {"match_rate"}
    assert [(each.count, each.caught) for each in trial.links if each.planted is Planted.LOST] == [
        (1, 0),
        (2, 0),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_without_links_none_are_planted():
    trial = tried(Machine(links=1), percents=())
    assert trial.links == ()
    assert [omission.reason for omission in trial.left_out] == [LeftOut.NO_LINKS]


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_a_short_budget_measures_fewer_pairs_then_fewer_handicaps_and_is_kept():
    for budget, fewest, cases, left_out in ((250.0, 10, 3, 2), (150.0, 5, 3, 3), (50.0, 5, 1, 3)):
        machine = Machine()
        trial = tried(machine, budget)
        assert (min(case.pairs for case in trial.cases), len(trial.cases)) == (fewest, cases)
        assert len(trial.left_out) == left_out
        assert machine.now <= budget
        assert trial.needed_seconds > budget
    reasons = [(omission.percent, omission.reason) for omission in trial.left_out]
    assert reasons[1:] == [(50.0, LeftOut.NO_TIME), (100.0, LeftOut.NO_TIME)]


@pytest.mark.usefixtures("folder")
def test_too_little_for_anything_still_says_what_it_takes():
    trial = tried(Machine(), 5.0)
    assert (trial.cases, trial.advice, trial.unchanged) == ((), (), None)
    assert trial.needed_seconds > 100
    assert trial.links


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_an_interrupted_trial_keeps_what_is_known_and_leaves_nothing_behind(folder):
    kept = []
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        # in the pairs of the handicap, after the look at 10 of them
        tried(Machine(breaks_at=2 + 42 + 28, error=KeyboardInterrupt()), percents=(50.0,), kept=kept)
    (trial,) = kept
    assert [(case.percent, case.pairs) for case in trial.cases] == [(0.0, 20), (50.0, 10)]
    assert trial.left_out[-1].reason is LeftOut.STOPPED
    assert trial.advice
    assert list((folder / "temporary").iterdir()) == []
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.usefixtures("folder")
def test_an_engine_that_breaks_at_once_is_an_error_with_nothing_kept():
    kept = []
    with pytest.raises(EnricherError, match="it broke"):
        tried(Machine(breaks_at=1, error=EnricherError("it broke", "")), kept=kept)
    assert kept == []


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_an_engine_that_breaks_later_is_not_blamed_on_a_base():
    for at in range(7, 9):  # one of them is the side of the base
        kept = []
        with pytest.raises(EnricherError, match=r"^it broke$") as caught:
            tried(Machine(breaks_at=at, error=EnricherError("it broke", "")), kept=kept)
        assert not isinstance(caught.value, BaseFailure)
        assert len(kept) == 1


def test_a_fixture_that_cannot_be_read_is_an_error(folder):
    (folder / "awards.csv").unlink()
    with pytest.raises(InputError, match=r"awards\.csv"):
        tried(Machine())


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_an_engine_that_decides_at_random_is_named():
    trial = tried(Forgetful(), percents=())
    assert trial.unchanged is Outcome.FAIL
    assert Rule.NOT_DETERMINISTIC in {finding.rule for finding in trial.findings}


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_progress_goes_on_and_the_time_left_comes_to_an_end():
    steps = []
    tried(Machine(), steps=steps)
    shares, left = [share for _, share, _ in steps], [seconds for *_, seconds in steps]
    assert all(0 <= share <= 1 for share in shares)
    assert all(0 <= seconds <= 2000 for seconds in left)
    assert left[-1] < 20
    assert ("unchanged: pair 3 of 20: unchanged code") in [step for step, *_ in steps]


@pytest.mark.slow
def test_a_handicap_too_large_for_the_machine_plants_no_memory(folder):
    assert folder
    trial = tried(Machine(), percents=(100.0,), memory_mib=399)
    (case,) = trial.cases[1:]
    assert not case.has_memory
    assert [omission.reason for omission in trial.left_out] == [LeftOut.MEMORY_NOT_PLANTED]


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_memory_is_not_planted_where_it_is_not_wanted():
    machine = Machine()
    trial = tried(machine, percents=(50.0,), plants_memory=False)
    assert {mib for _, mib in machine.runs} == {0.0}
    assert [case.has_memory for case in trial.cases] == [True, False]
    assert trial.left_out == ()
    assert {found.planted for found in trial.found} == {Planted.TIME}


def test_the_wrapper_keeps_placeholders_and_quotes():
    command = "{python} 'my engine.py' {awards} {recipients} {output} --metrics={metrics}"
    plan = BenchmarkPlan(command, Path("a"), Path("r"), (), Path(), Path(), {}, 1)
    template = parse_command(with_handicap(plan, 0.5, 150.0).command)
    filled = template.filled(Path("a b"), Path("r"), Path("o"), Path("m"), "/venv/bin/python")
    assert filled[3:] == (
        handicap.__file__,
        "0.5",
        "150.0",
        "/venv/bin/python",
        "my engine.py",
        "a b",
        "r",
        "o",
        "--metrics=m",
    )
