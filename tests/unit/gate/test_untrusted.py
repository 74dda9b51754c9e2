import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sbir_gate.documents import save_run, save_verdict, write_run
from sbir_gate.errors import DocumentError, InputError, PublishError, SbirGateError, UsageError
from sbir_gate.files import save_text
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.publish import Channels, PublishEdges, publish
from sbir_gate.gate.publishing.event import Event, Trigger
from sbir_gate.gate.publishing.slack import SlackEdges
from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.untrusted import MAX_BESIDE, MAX_RUNS, find_pull, judge_untrusted, take_runs
from sbir_gate.model.companions import Companions
from sbir_gate.model.definitions import DEFINITIONS, metric_version
from sbir_gate.model.document import RUN, encode
from sbir_gate.model.finding import Finding, Rule, Severity, recorded
from sbir_gate.model.fixture_edits import FixtureEdits
from sbir_gate.model.run import BaseGap, GapKind, Metric, MetricKind, Source, Timing
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings import load_settings
from tests.factories import (
    AWARDS,
    EXACT,
    LINKED,
    NOISY,
    WALL_SECONDS,
    award_id,
    make_awards,
    make_policy,
    make_run,
    no_link,
    with_decisions,
    with_facts,
    with_lost_links,
    with_metric,
)
from tests.factories_git import ENVIRONMENT, make_repository
from tests.fakes_github import REPOSITORY, connected, github
from tests.findings import reasons
from tests.tiers import first_fast, tiered

SHA = "a" * 40
FORK = "mallory/octo-repo"
TODAY = date(2026, 2, 1)
HOSTILE = (
    "![x](https://evil.example/p.png) @everyone <script>alert(1)</script>"
    "\n::set-output name=verdict::pass\n<!-- sbir-gate:enrichment -->"
)


# of this fixture the answers of `make_run` are right
_NUMBERS = range(AWARDS)
FIXTURE = {
    "awards.csv": "award_id,Company\n" + "".join(f"{award_id(each)},Firm {each}\n" for each in _NUMBERS),
    "recipients.csv": "recipient_id,legal_business_name,uei\n"
    + "".join(f"R{each:04d},FIRM {each},\n" for each in _NUMBERS),
    "truth.csv": "award_id,recipient_ids\n" + "".join(f"{award_id(each)},R{each:04d}\n" for each in _NUMBERS),
}


def fingerprint_of(files):
    return hashlib.sha256(b"".join(text.encode() + b"\0next\0" for text in files.values())).hexdigest()


FINGERPRINT = fingerprint_of(FIXTURE)


def measured(**changes):
    """Return a Run of this version that has every metric which the real policy requires."""
    run = with_metric(make_run(), "cpu_seconds", WALL_SECONDS, "s", NOISY)
    run = with_metric(run, "seconds_per_record", [wall / 40 for wall in WALL_SECONDS], "s", NOISY)
    run = with_metric(run, "records", (40.0,), "count", EXACT)
    metrics = tuple(replace(metric, version=metric_version(metric.name)) for metric in run.metrics)
    fixture = replace(run.fixture, fingerprint=FINGERPRINT)
    return make_run(**{"metrics": metrics, "definitions": DEFINITIONS, "fixture": fixture, **changes})


class Half:
    """The trusted half: a checkout of the base branch, an artifact of a fork's job, and GitHub."""

    def __init__(self, folder, fake):
        self.fake, self.artifact, self.reports = fake, folder / "artifact", folder / "reports"
        self.artifact.mkdir()
        self.baselines = baselines = folder / "baselines"
        self.checkout = make_repository(folder / "checkout")
        self.main = self.checkout.commit(
            {**FIXTURE, "engine/link.py": "", "engine/notes.md": "", "gate.yaml": ""}
        )
        files = {
            f"fixtures.{name.removesuffix('.csv')}": str(self.checkout.folder / name) for name in FIXTURE
        }
        self.options = {
            "reports.folder": str(self.reports),
            "gate.baselines_folder": str(baselines),
            **files,
        }
        options = self.options
        self.effective = load_settings(None, {}, options)
        write_run(baseline_path(baselines, "enrichment"), measured(started_at="2026-01-01T00:00:00+00:00"))
        self.summary, self.output = folder / "summary.md", folder / "output"
        self.said = []
        trigger = Trigger("pull_request", SHA, FORK, "change", 55, 1)
        self.event = Event(
            name="workflow_run",
            repository=REPOSITORY,
            api_url=fake.url,
            server_url="https://github.example",
            head_sha=SHA,
            pull_number=0,
            base_ref="",
            is_fork=True,
            run_id=99,
            run_attempt=1,
            workflow="gate-comment",
            actor="octocat",
            trigger=trigger,
        )

    def triggered_by(self, **facts):
        self.event = replace(self.event, trigger=replace(self.event.trigger, **facts))

    def publish(self):
        api = connected(self.fake)
        git = Git(self.checkout.folder, ENVIRONMENT)
        saved, event = judge_untrusted(self.artifact, self.effective, self.event, api, git, TODAY)
        edges = PublishEdges(
            api, self.summary, self.output, self.said.append, lambda: "end-0123", SlackEdges(None)
        )
        return saved, publish(saved, self.effective, event, Channels(has_check=True), edges)

    def is_silent(self):
        return self.fake.verbs() == [] and not self.summary.exists() and not self.output.exists()


@pytest.fixture
def half(tmp_path):
    with github() as fake:
        fake.add_pull(7, SHA, head=FORK)
        fake.add_pull(8, "c" * 40)
        yield Half(tmp_path, fake)


class TestTheRightPullRequest:
    def test_the_verdict_is_told_on_the_pull_request_of_the_commit(self, half):
        save_run(half.artifact / "benchmarks", measured())
        saved, result = half.publish()
        assert saved.verdict.outcome is Outcome.PASS
        assert len(half.fake.bodies(7)) == 1
        assert half.fake.bodies(8) == []
        assert result.problems == ()
        assert "/actions/runs/55/attempts/1" in half.fake.bodies(7)[0]
        assert [check["head_sha"] for check in half.fake.checks] == [SHA]

    def test_an_artifact_may_hold_the_runs_themselves(self, half):
        save_run(half.artifact, measured())
        assert half.publish()[0].verdict.outcome is Outcome.PASS

    def test_each_artifact_may_have_a_folder_of_its_own_and_the_newest_attempt_counts(self, half):
        lost = with_lost_links(measured(started_at="2026-01-30T12:00:00+00:00"), 8)
        save_run(half.artifact / "sbir-gate-enrichment-1" / "benchmarks", lost)
        save_run(half.artifact / "sbir-gate-enrichment-2" / "benchmarks", measured())
        save_run(half.artifact / "sbir-gate-full-2", measured(gate="full"))
        assert half.publish()[0].verdict.outcome is Outcome.PASS

    def test_a_pull_request_that_github_finds_by_its_branch_alone_is_found(self, half):
        half.fake.commits.clear()
        save_run(half.artifact, measured())
        half.publish()
        assert len(half.fake.bodies(7)) == 1

    @pytest.mark.parametrize(
        "facts",
        [
            {"head_sha": "d" * 40},
            {"head_repository": "somebody/else"},
            {"event": "push"},
            {"event": "workflow_dispatch"},
            {"head_repository": ""},
        ],
    )
    def test_a_run_that_is_of_no_open_pull_request_is_told_nowhere(self, half, facts):
        half.triggered_by(**facts)
        save_run(half.artifact, measured())
        with pytest.raises(PublishError):
            half.publish()
        assert half.is_silent()

    def test_a_closed_pull_request_is_left_alone(self, half):
        half.fake.pulls[7]["state"] = "closed"
        save_run(half.artifact, measured())
        with pytest.raises(PublishError, match="no single open pull request"):
            half.publish()
        assert half.is_silent()

    def test_a_pull_request_that_moved_on_is_left_alone(self, half):
        half.fake.push(7, "e" * 40)
        save_run(half.artifact, measured())
        with pytest.raises(PublishError, match="no single open pull request"):
            half.publish()
        assert half.is_silent()

    def test_of_two_pull_requests_none_is_guessed(self, half):
        half.fake.add_pull(9, SHA, head=FORK)
        with pytest.raises(PublishError, match=r"#7, #9"):
            find_pull(half.event, connected(half.fake))

    def test_another_event_is_a_wrong_use(self, half):
        event = replace(half.event, name="push", trigger=None)
        with pytest.raises(UsageError, match="--untrusted is for the event workflow_run"):
            find_pull(event, connected(half.fake))


class TestWhatTheForkSays:
    def test_another_number_verdict_report_and_alerts_count_for_nothing(self, half):
        lost = with_lost_links(measured(), 8)
        save_run(half.artifact / "benchmarks", lost)
        forged = judge(measured(), measured(), make_policy())
        save_verdict(half.artifact / "verdict.json", forged)
        for name in ("report.md", "comment.md", "alerts.json", "pr_number", "pr.json", "event.json"):
            save_text(half.artifact / name, f'8 {HOSTILE} {{"number": 8}}')
        saved, _ = half.publish()
        assert saved.verdict.outcome is Outcome.FAIL
        assert half.fake.bodies(8) == []
        (comment,) = half.fake.bodies(7)
        assert "evil" not in comment
        assert "verdict<<end-0123\nfail\n" in half.output.read_text()

    def test_the_policy_is_that_of_this_checkout(self, half):
        save_run(half.artifact / "benchmarks", with_lost_links(measured(), 8))
        (half.artifact / "config").mkdir()
        save_text(half.artifact / "config" / "base.yaml", "gate: {max_lost: 1000}")
        (half.artifact / "baselines").mkdir()
        write_run(half.artifact / "baselines" / "enrichment.json", with_lost_links(measured(), 8))
        assert half.publish()[0].verdict.outcome is Outcome.FAIL

    def test_the_commit_is_what_github_says(self, half):
        claimed = Source("f" * 40, "main", is_dirty=False, pull_request=99)
        save_run(half.artifact, measured(source=claimed))
        saved, _ = half.publish()
        assert (saved.run.source.commit, saved.verdict.head_commit) == (SHA, SHA)
        assert saved.run.source.pull_request == 7

    def test_the_report_has_the_subjects_of_the_commits_that_this_checkout_has(self, half):
        measured_there = measured(
            started_at="2026-01-01T00:00:00+00:00", source=Source(half.main, "main", is_dirty=False)
        )
        write_run(baseline_path(half.baselines, "enrichment"), measured_there)
        save_run(half.artifact, measured())
        half.publish()
        subject = half.checkout.git("show", "--no-patch", "--format=%s", half.main).strip()
        assert subject in (half.reports / "report.md").read_text()

    def test_a_run_of_another_gate_is_refused(self, half):
        save_run(half.artifact, measured(gate="full"))
        with pytest.raises(InputError, match="another gate"):
            half.publish()
        assert half.is_silent()

    def test_the_base_that_was_measured_beside_it_is_its_reference(self, half):
        base = measured(session="s1", source=Source(half.main, "main", is_dirty=False))
        save_run(half.artifact, base)
        save_run(half.artifact, measured(session="s1"))
        verdict = half.publish()[0].verdict
        assert (verdict.outcome, verdict.reference_commit) == (Outcome.PASS, half.main)

    def test_hostile_names_are_harmless_wherever_they_are_shown(self, half):
        run = with_decisions(with_facts(measured(), firm_name=HOSTILE), {"A0001": no_link("A0001")})
        run = replace(run, engine_notes={HOSTILE: HOSTILE}, enricher=HOSTILE)
        run = replace(run, machine=replace(run.machine, cpu_model=HOSTILE), warnings=(recorded(HOSTILE),))
        run = replace(run, metrics=(*run.metrics, Metric(HOSTILE, HOSTILE, MetricKind.EXACT, (1.0,))))
        save_run(half.artifact, run)
        half.publish()
        told = [*half.fake.bodies(7), half.summary.read_text(), half.output.read_text(), *half.said]
        told += [str(check["output"]) for check in half.fake.checks]
        for text in told:
            assert "![" not in text
            assert "@everyone" not in text
            assert "<script" not in text
            assert "https://evil" not in text
            assert not any(line.lstrip().startswith("::set-output") for line in text.splitlines())
        assert half.fake.bodies(7)[0].count("<!-- sbir-gate:") == 1


class TestAChangeOfTheFixture:
    """The job of the fork measured on the fixture of the base too; the verdict is made of its Runs here."""

    def save(self, half, there, edits):
        head = replace(measured(session="s"), fixture_edits=edits)
        head = replace(head, fixture=replace(head.fixture, fingerprint="0" * 64))
        if there is not None:
            there = replace(there, session="s", fixture=replace(there.fixture, commit="b" * 40))
            save_run(half.artifact / "benchmarks", there)
        save_run(half.artifact / "benchmarks", head)
        return half.publish()[0].verdict

    def test_it_is_judged_on_the_fixture_of_the_base(self, half):
        found = self.save(half, with_lost_links(measured(), 7), FixtureEdits("b" * 40))
        assert found.outcome is Outcome.FAIL
        assert reasons(found)[0].startswith("on the base's fixture: ")
        assert found.fixture_edits == FixtureEdits("b" * 40)

    def test_one_that_loses_nothing_there_passes(self, half):
        assert self.save(half, measured(), FixtureEdits("b" * 40)).outcome is Outcome.PASS

    @pytest.mark.parametrize("edits", [FixtureEdits("b" * 40), None])
    def test_without_a_run_there_it_is_incomparable(self, half, edits):
        assert self.save(half, None, edits).outcome is Outcome.INCOMPARABLE


def untimed(run, timing):
    """Return the Run as one that says why it has no times."""
    exact = tuple(metric for metric in run.metrics if metric.kind is EXACT)
    return replace(run, timing=timing, metrics=exact)


class TestWhatWouldSpareItJudgement:
    """What a Run says of itself is believed as far as this checkout and GitHub say the same."""

    def beside(self, half, head, base=None):
        base = base or replace(head, source=Source(half.main, "main", is_dirty=False))
        save_run(half.artifact, replace(base, session="s"))
        save_run(half.artifact, replace(head, session="s"))
        return half.publish()[0].verdict

    def refused(self, verdict, words):
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert words in reasons(verdict)[0]

    def test_a_quick_look_is_no_judgement_of_time(self, half):
        self.refused(self.beside(half, untimed(measured(), Timing.QUICK)), "did not measure time")

    def test_nor_is_a_quick_look_at_the_base(self, half):
        base = untimed(measured(source=Source(half.main, "main", is_dirty=False)), Timing.QUICK)
        self.refused(self.beside(half, measured(), base), "did not measure time")

    @pytest.mark.parametrize("kind", GapKind)
    def test_a_gate_that_is_here_is_not_new(self, half, kind):
        gap = BaseGap(kind, "main", half.main, ("link.py",))
        save_run(half.artifact, measured(base_gap=gap))
        self.refused(half.publish()[0].verdict, "measured no base, as if the gate were new")

    def test_without_a_base_and_a_baseline_there_is_nothing_to_compare_with(self, half):
        baseline_path(half.baselines, "enrichment").unlink()
        save_run(half.artifact, measured())
        self.refused(half.publish()[0].verdict, "measured no base")

    def test_a_base_without_a_commit_is_none(self, half):
        base = measured(source=Source("", "main", is_dirty=False))
        self.refused(self.beside(half, measured(), base), "a base without a commit")

    @pytest.mark.parametrize("commit", first_fast([SHA, "HEAD", "--all"]))
    def test_a_base_that_is_no_commit_of_this_branch_is_none(self, half, commit):
        base = measured(source=Source(commit, "main", is_dirty=False))
        self.refused(self.beside(half, measured(), base), "not a commit of this branch")

    def test_values_of_another_definition_would_not_be_compared(self, half):
        metrics = tuple(replace(metric, version=metric.version + 1) for metric in measured().metrics)
        save_run(half.artifact, measured(metrics=metrics))
        self.refused(half.publish()[0].verdict, "another version of sbir-gate")

    def test_an_edit_of_the_fixture_that_is_not_owned_up_to(self, half):
        fixture = replace(measured().fixture, fingerprint="0" * 64)
        self.refused(
            self.beside(half, measured(fixture=fixture)), "not measured on the fixture of this branch"
        )

    def test_a_fixture_of_the_base_that_is_another(self, half):
        other = replace(measured().fixture, fingerprint="0" * 64)
        base = replace(
            measured(), source=Source(half.main, "main", is_dirty=False), session="s", fixture=other
        )
        save_run(half.artifact, replace(base, fixture=replace(other, commit=half.main)))
        save_run(half.artifact, replace(base, fixture=replace(other, commit=half.main)))
        save_run(half.artifact, base)
        save_run(half.artifact, replace(base, fixture_edits=FixtureEdits(half.main)))
        self.refused(half.publish()[0].verdict, "not measured on the fixture")

    @pytest.mark.parametrize("severity", first_fast([Severity.INFO, Severity.OK, Severity.WARN]))
    def test_an_edit_that_could_not_be_judged_is_as_severe_as_this_half_says(self, half, severity):
        obstacle = Finding(Rule.FIXTURE_EDIT_UNJUDGED, severity, facts={"obstacle": "it broke"})
        edits = FixtureEdits(half.main, obstacle=obstacle)
        save_run(half.artifact, measured(fixture_edits=edits))
        verdict = half.publish()[0].verdict
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert "cannot be judged on the base's fixture: it broke" in reasons(verdict)

    def test_a_fixture_that_cannot_be_read_here_compares_with_nothing(self, half):
        (half.checkout.folder / "truth.csv").unlink()
        self.refused(self.beside(half, measured()), "the fixture cannot be read here")

    @pytest.mark.parametrize(
        "claim",
        first_fast(
            [
                {"has_truth": False},
                {"awards": make_awards(correct={*map(award_id, range(AWARDS))})},
                {"awards": make_awards(unlabelled={award_id(0)})},
                {"entities": {f"R{each:04d}": "ABCDEFGHJKL5" for each in range(AWARDS)}},
            ]
        ),
        ids=lambda claim: next(iter(claim)),
    )
    def test_labels_and_entities_are_those_that_are_here(self, half, claim):
        self.refused(self.beside(half, measured(**claim)), "its labels and recipients differ")

    def test_the_base_cannot_have_been_wrong_already(self, half):
        base = measured(awards=make_awards(correct=()), source=Source(half.main, "main", is_dirty=False))
        self.refused(self.beside(half, measured(), base), "its labels and recipients differ")

    def test_awards_without_a_label_here_have_none(self, half):
        short = FIXTURE["truth.csv"].replace(f"{award_id(0)},R0000\n", "")
        (half.checkout.folder / "truth.csv").write_text(short)
        fixture = replace(measured().fixture, fingerprint=fingerprint_of({**FIXTURE, "truth.csv": short}))
        head = measured(fixture=fixture, awards=make_awards(correct={*map(award_id, range(1, LINKED))}))
        self.refused(self.beside(half, head), "its labels and recipients differ")
        awards = make_awards(unlabelled={award_id(0)})
        later = {"awards": awards, "started_at": datetime(2026, 2, 1, tzinfo=UTC)}
        assert self.beside(half, replace(head, **later)).outcome is Outcome.PASS


class TestAnEngineThatIsUnchanged:
    """It is believed where GitHub lists no change of engine, environment and settings."""

    def judged(self, half, *files, sources=("engine/*.py",), was=None, file=None):
        half.effective = load_settings(None, {}, {**half.options, "enricher.sources": list(sources)})
        half.effective = replace(half.effective, file=Path(file) if file else None)
        more = {"status": "renamed", "previous_filename": was} if was else {"status": "modified"}
        half.fake.files[7] = [{"filename": name, **more} for name in files]
        head = untimed(measured(session="s"), Timing.ENGINE_UNCHANGED)
        save_run(half.artifact, replace(head, source=Source(half.main, "main", is_dirty=False)))
        save_run(half.artifact, head)
        return half.publish()[0].verdict

    def test_a_change_of_the_docs(self, half):
        verdict = self.judged(half, "README.md", "engine/notes.md")
        assert (verdict.outcome, verdict.timing) == (Outcome.PASS, Timing.ENGINE_UNCHANGED)

    @pytest.mark.parametrize(
        "name",
        tiered("engine/link.py", "uv.lock", slow=("requirements.txt", "pyproject.toml", "sbir-gate.yaml")),
    )
    def test_a_change_of_what_it_is_made_of(self, half, name):
        verdict = self.judged(half, "README.md", name)
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert reasons(verdict)[0].endswith(f"as if the engine were unchanged, but it changes {name}")

    @pytest.mark.parametrize("name", first_fast(["gate.yaml", "own.lock"]))
    def test_a_change_of_what_is_named_from_a_folder(self, half, monkeypatch, name):
        folder = half.checkout.folder / "teams" / "linking"
        folder.mkdir(parents=True)
        half.options["benchmark.base_lock"] = ["own.lock"]
        monkeypatch.chdir(folder)
        assert self.judged(half, f"teams/pricing/{name}", file=name).outcome is Outcome.PASS
        verdict = self.judged(half, f"teams/linking/{name}", file=name)
        assert reasons(verdict)[0].endswith(f"it changes teams/linking/{name}")

    def test_a_file_of_it_that_gets_another_name(self, half):
        verdict = self.judged(half, "old.txt", was="engine/link.py")
        assert reasons(verdict)[0].endswith("it changes engine/link.py")

    @pytest.mark.parametrize("sources", tiered((), slow=(("no/such/*.py",),)))
    def test_where_nothing_says_what_it_is_made_of(self, half, sources):
        verdict = self.judged(half, "README.md", sources=sources)
        assert verdict.outcome is Outcome.INCOMPARABLE
        assert "enricher.sources" in reasons(verdict)[0]

    @pytest.mark.slow
    def test_a_change_of_too_many_files_to_list(self, half):
        verdict = self.judged(half, *(f"docs/{number}.md" for number in range(3000)))
        assert "more than 3,000 files" in reasons(verdict)[0]

    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            ("engine/**", "engine/a/b.py"),
            ("**/link.py", "link.py"),
            ("link\\.py", "link.py"),
            ("engine/", "engine/x"),
            pytest.param("engine", "engine/a/b.py", marks=pytest.mark.slow),
            pytest.param("a/**/b.py", "a/b.py", marks=pytest.mark.slow),
            pytest.param("a/**/b.py", "a/x/y/b.py", marks=pytest.mark.slow),
            pytest.param("[[:alpha:]]*.py", "link.py", marks=pytest.mark.slow),
            pytest.param("[^x]ink.py", "link.py", marks=pytest.mark.slow),
        ],
    )
    def test_a_pattern_matches_at_least_what_it_does_for_git(self, half, pattern, name):
        half.checkout.commit({name: ""})
        assert name in half.checkout.git("ls-files", f":(top,glob){pattern}").splitlines()
        assert reasons(self.judged(half, name, sources=(pattern,)))[0].endswith(f"it changes {name}")


class TestLimits:
    def refused(self, half, match=None):
        with pytest.raises(SbirGateError, match=match) as raised:
            half.publish()
        assert "\n" not in raised.value.message
        assert len(raised.value.message) < 400
        assert half.is_silent()

    def test_ten_gigabytes_are_not_read(self, half):
        path = half.artifact / "20260131T120000Z.json"
        with path.open("wb") as file:
            file.truncate(10 * 1024**3)
        self.refused(half, "larger than")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[" * 1_000_000,
            b'{"a":' * 300_000,
            b"\xff\xfe\x00",
            b'{"format_version": 2, "kind": "verdict", "verdict": {}}',
            b'{"format_version": 99, "kind": "run", "run": {}}',
            b'{"format_version": 2, "kind": "run", "run": {"bad\\n::set-output name=verdict::pass": 1}}',
            b'{"format_version": 2, "kind": "\\n::error::x", "run": {}}',
        ],
        ids=range(9),
    )
    def test_what_is_no_run_is_one_clear_error(self, half, content):
        (half.artifact / "20260131T120000Z.json").write_bytes(content)
        self.refused(half)

    def test_a_field_that_is_a_command_to_the_runner_is_quoted_in_one_line(self, half):
        document = json.loads(encode(RUN, measured()))
        document["run"]["x\n::set-output name=verdict::pass"] = 1
        (half.artifact / "20260131T120000Z.json").write_text(json.dumps(document))
        self.refused(half, "set-output")

    def test_numbers_that_are_none_are_refused(self, half):
        text = encode(RUN, measured()).replace("1.7,", "NaN,", 1)
        (half.artifact / "20260131T120000Z.json").write_text(text)
        self.refused(half)

    @pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0])
    def test_extreme_numbers_break_nothing(self, half, value):
        save_run(half.artifact, with_metric(measured(), "wall_seconds", [value] * 5))
        try:
            half.publish()
        except (InputError, DocumentError):
            assert half.is_silent()

    def test_a_start_that_is_no_time_is_an_error(self, half):
        text = encode(RUN, measured()).replace("2026-01-31T12:00:00Z", "../../x")
        (half.artifact / "20260131T120000Z.json").write_text(text)
        self.refused(half, "started_at: must be a date and time")

    def test_links_are_not_followed(self, half, tmp_path):
        save_run(tmp_path / "elsewhere", measured())
        (half.artifact / "20260131T120000Z.json").symlink_to(tmp_path / "elsewhere" / "20260131T120000Z.json")
        self.refused(half, "a link in it")

    def test_a_linked_folder_is_not_followed(self, half, tmp_path):
        save_run(tmp_path / "elsewhere", measured())
        (half.artifact / "benchmarks").symlink_to(tmp_path / "elsewhere")
        self.refused(half, "a link in it")

    def test_a_pipe_is_not_waited_for(self, half):
        os.mkfifo(half.artifact / "20260131T120000Z.json")
        self.refused(half, "not a regular file")

    def test_a_folder_of_that_name_is_refused(self, half):
        (half.artifact / "20260131T120000Z.json").mkdir()
        self.refused(half, "not a regular file")

    def test_thousands_of_files_are_not_looked_at(self, half):
        for number in range(1200):
            (half.artifact / f"{number}.txt").touch()
        self.refused(half, "holds more than")

    def test_folders_within_folders_are_not_searched(self, half):
        save_run(half.artifact / "a" / "b" / "benchmarks", measured())
        self.refused(half, "there is no Run")

    def test_many_runs_are_refused(self, half):
        text = encode(RUN, measured())
        for number in range(MAX_RUNS + 1):
            (half.artifact / f"20260131T12{number // 60:02}{number % 60:02}Z.json").write_text(text)
        self.refused(half, "more than 100 Runs")

    def test_many_runs_of_one_second_are_refused(self, half):
        for _ in range(MAX_BESIDE + 2):
            save_run(half.artifact, measured())
        self.refused(half, "more than 10 Runs of one second")

    def test_a_run_that_was_tried_again_and_again_is_not_taken_for_an_attack(self, half):
        for number in range(20):
            started_at = f"2026-01-31T12:00:{number:02}+00:00"
            base = measured(started_at=started_at, session=f"s{number}")
            save_run(half.artifact, replace(base, source=Source(half.main, "main", is_dirty=False)))
            save_run(half.artifact, base)
        verdict = half.publish()[0].verdict
        assert verdict.outcome is Outcome.PASS
        assert verdict.head_started_at == datetime(2026, 1, 31, 12, 0, 19, tzinfo=UTC)

    def test_many_metrics_are_refused(self, half):
        metrics = tuple(Metric(f"m{number}", "s", MetricKind.EXACT, (1.0,)) for number in range(2000))
        save_run(half.artifact, measured(metrics=metrics))
        self.refused(half, "more metrics")

    def test_names_with_a_way_out_are_no_runs(self, half):
        (half.artifact / "benchmarks").mkdir()
        (half.artifact / "benchmarks" / "..%2f..%2f20260131T120000Z.json").write_text("x")
        self.refused(half, "there is no Run")

    def test_an_empty_or_missing_folder_is_an_error(self, half):
        self.refused(half, "there is no Run")
        half.artifact.rmdir()
        self.refused(half, "cannot be listed")

    def test_reports_are_not_written_among_what_nobody_trusts(self, half):
        half.effective = load_settings(None, {}, {"reports.folder": str(half.artifact / "reports")})
        save_run(half.artifact, measured())
        self.refused(half, "would be written into")

    def test_the_newest_run_counts(self, tmp_path):
        save_run(tmp_path, measured(started_at="2026-01-30T12:00:00+00:00"))
        newest = measured(started_at="2026-01-31T12:00:00+00:00")
        save_run(tmp_path, newest)
        assert take_runs(tmp_path, "enrichment", 1) == (newest, Companions())
