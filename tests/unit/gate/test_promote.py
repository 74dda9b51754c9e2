from datetime import date

import pytest

from sbir_gate.errors import InputError
from sbir_gate.gate.promote import promotion_obstacle
from sbir_gate.gate.reporting.notices import obstacle_text
from sbir_gate.gate.run import run_gate
from sbir_gate.gate.storing.baselines import promote
from sbir_gate.settings.effective import load_settings
from tests.fakes import FakeEngine, fake_edges, write_fixture

TODAY = date(2026, 2, 1)


@pytest.fixture
def effective(tmp_path):
    write_fixture(tmp_path)
    options = {
        "fixtures.awards": str(tmp_path / "awards.csv"),
        "fixtures.recipients": str(tmp_path / "recipients.csv"),
        "fixtures.truth": str(tmp_path / "truth.csv"),
        "gate.baselines_folder": str(tmp_path / "baselines"),
        "reports.folder": str(tmp_path / "reports"),
        "benchmark.repeats": 1,
    }
    return load_settings(None, {}, options)


def measured(effective, engine):
    return run_gate(effective, fake_edges(engine), lambda _words: None)


def obstacle(effective, result):
    found = promotion_obstacle(result.run, result.run_path, effective, TODAY)
    return "" if found is None else obstacle_text(found)


def test_a_first_run_within_the_absolute_limits_may(effective):
    assert obstacle(effective, measured(effective, FakeEngine())) == ""


@pytest.mark.parametrize("has_history", [True, False])
def test_a_run_that_failed_may_not_with_or_without_a_history(effective, tmp_path, has_history):
    promote(measured(effective, FakeEngine()).run, tmp_path / "baselines")
    failed = measured(effective, FakeEngine(links=4))
    if not has_history:
        for path in (tmp_path / "reports" / "history").iterdir():
            path.unlink()
    assert obstacle(effective, failed).startswith("the verdict on it is fail: no award of company_size")


def test_a_run_below_the_absolute_limits_may_not_even_as_the_first(effective):
    words = obstacle(effective, measured(effective, FakeEngine(links=4)))
    assert words.startswith("the verdict on it is fail: match_rate is 0.3333, below the minimum of 0.7")


def test_a_history_that_cannot_be_read_is_named_and_no_reason_to_promote_unseen(effective, tmp_path):
    result = measured(effective, FakeEngine())
    history = tmp_path / "reports" / "history"
    for path in history.iterdir():
        path.unlink()
    history.rmdir()
    history.write_text("no folder")
    with pytest.raises(InputError, match="the history cannot be listed"):
        obstacle(effective, result)
