from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.documents import write_run
from sbir_gate.errors import DocumentError, InputError, UsageError
from sbir_gate.gate.storing.baselines import baseline_path, load_baseline, promote, verify
from sbir_gate.model.run import Timing
from tests.factories import award_id, link, make_run, with_decisions, with_metric, with_rows, without_metric

GATE = "enrichment"


class TestPath:
    @pytest.mark.parametrize("gate", ["enrichment", "full-2026", "a"])
    def test_a_gate_has_its_file(self, gate):
        assert baseline_path(Path("baselines"), gate) == Path("baselines") / f"{gate}.json"

    @pytest.mark.parametrize(
        "gate",
        ["", ".", "..", "../x", "a/b", "/etc/passwd", "A", "a b", "a\n", "a\0", "-a", "a-", "ä", "x" * 65],
    )
    def test_a_name_that_could_lead_elsewhere_is_refused(self, gate):
        with pytest.raises(UsageError, match="is not allowed"):
            baseline_path(Path("baselines"), gate)

    @given(st.text(max_size=80))
    def test_no_name_leaves_the_folder(self, gate):
        try:
            path = baseline_path(Path("/baselines"), gate)
        except UsageError:
            return
        assert path.resolve().parent == Path("/baselines")


class TestLoading:
    def test_no_file_is_no_baseline(self, tmp_path):
        assert load_baseline(tmp_path, GATE) is None
        assert load_baseline(tmp_path / "nowhere", GATE) is None

    def test_a_promoted_run_comes_back(self, tmp_path):
        assert promote(make_run(), tmp_path) == tmp_path / "enrichment.json"
        assert load_baseline(tmp_path, GATE) == make_run()

    @pytest.mark.parametrize("content", ["", "{}", "null", '{"format_version": 1'])
    def test_a_damaged_baseline_is_an_error_and_not_absent(self, tmp_path, content):
        (tmp_path / "enrichment.json").write_text(content)
        with pytest.raises(DocumentError, match=r"enrichment\.json"):
            load_baseline(tmp_path, GATE)

    def test_a_dangling_link_is_an_error_and_not_absent(self, tmp_path):
        (tmp_path / "enrichment.json").symlink_to("nowhere")
        with pytest.raises(DocumentError, match="no such file"):
            load_baseline(tmp_path, GATE)

    def test_a_file_in_place_of_the_folder_is_an_error_and_not_absent(self, tmp_path):
        (tmp_path / "baselines").write_text("")
        with pytest.raises(DocumentError, match="cannot be read"):
            load_baseline(tmp_path / "baselines", GATE)

    def test_the_run_of_another_gate_is_refused(self, tmp_path):
        write_run(tmp_path / "enrichment.json", make_run(gate="nightly"))
        with pytest.raises(DocumentError, match="of gate 'nightly', not 'enrichment'"):
            load_baseline(tmp_path, GATE)


def disagreeing():
    samples = make_run().samples
    return make_run(samples=(replace(samples[0], output_digest="e" * 64), *samples[1:]))


def doubled():
    return with_rows(make_run(), [link(award_id(0), "R9999")])


UNSOUND = [
    (make_run(awards=()), "it holds zero records"),
    (make_run(quality=replace(make_run().quality, awards=0)), "it holds zero records"),
    (make_run(samples=()), "it holds no measured repeat"),
    (disagreeing(), "its repeats gave different outputs"),
    (doubled(), "awards decided more than once: 1"),
    (with_decisions(make_run(), {award_id(3): None}), "awards of the fixture without a decision: 1"),
    (with_metric(make_run(), "disagreements", [2.0]), "disagreements is 2, not 0"),
    (with_metric(make_run(), "rows_missing", [7.0]), "rows_missing is 7, not 0"),
    (with_metric(make_run(), "rows_doubled", [0.0, 1.0]), "rows_doubled is 1, not 0"),
    (with_metric(make_run(), "rows_unknown", [float("nan")]), "rows_unknown is nan, not 0"),
    (without_metric(make_run(), "rows_missing"), "it does not say rows_missing"),
]


class TestPromoting:
    def test_a_sound_run_has_no_problems(self):
        assert verify(make_run()) == ()

    @pytest.mark.parametrize(("run", "problem"), UNSOUND)
    def test_an_unsound_run_is_refused_even_by_force(self, tmp_path, run, problem):
        assert problem in verify(run)
        for is_forced in (False, True):
            with pytest.raises(InputError, match=problem):
                promote(run, tmp_path, is_forced)
        assert list(tmp_path.iterdir()) == []

    def test_code_that_is_not_committed_needs_force(self, tmp_path):
        run = make_run(source=replace(make_run().source, is_dirty=True))
        with pytest.raises(InputError, match="not committed") as caught:
            promote(run, tmp_path)
        assert "--force" in caught.value.hint
        promote(run, tmp_path, is_forced=True)
        assert load_baseline(tmp_path, GATE) == run

    def test_the_old_baseline_is_replaced(self, tmp_path):
        promote(make_run(enricher="old"), tmp_path)
        promote(make_run(enricher="new"), tmp_path)
        assert load_baseline(tmp_path, GATE).enricher == "new"

    def test_a_refused_run_leaves_the_old_baseline(self, tmp_path):
        promote(make_run(), tmp_path)
        with pytest.raises(InputError):
            promote(make_run(samples=()), tmp_path)
        assert load_baseline(tmp_path, GATE) == make_run()

    def test_a_run_cannot_name_its_way_out_of_the_folder(self, tmp_path):
        with pytest.raises(UsageError):
            promote(make_run(gate="../evil"), tmp_path)


def test_a_run_on_the_fixture_of_a_base_never_becomes_a_baseline(tmp_path):
    run = make_run()
    run = replace(run, fixture=replace(run.fixture, commit="b" * 40))
    with pytest.raises(InputError, match="was measured on the fixture of commit bbbbbbbbbbbb"):
        promote(run, tmp_path, is_forced=True)


@pytest.mark.parametrize(
    ("timing", "cause", "hint"),
    [
        (Timing.QUICK, "judged no time (a quick look)", "without --quick"),
        (Timing.ENGINE_UNCHANGED, "judged no time (the engine is unchanged)", "keep the baseline"),
    ],
)
@pytest.mark.parametrize("is_forced", [False, True])
def test_a_run_that_judged_no_time_is_refused_with_what_to_do(tmp_path, timing, cause, hint, is_forced):
    with pytest.raises(InputError) as raised:
        promote(make_run(timing=timing), tmp_path, is_forced)
    assert cause in raised.value.message
    assert hint in raised.value.hint
    assert "enricher" not in raised.value.hint
