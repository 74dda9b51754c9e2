from datetime import UTC, datetime, timedelta

import dagster as dg

from sbir_gate.orchestration.reported import News, Reported, is_reported, keep_reported, news_of

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
NONE = frozenset()
FAULT = {"check a": "ERROR below"}


def course(*runs):
    """Return the news of runs, each of (hours, faults, resolved places)."""
    state, found = Reported(), []
    for hours, faults, resolved in runs:
        news, state = news_of(state, faults, frozenset(resolved), NOW + hours * HOUR)
        state = Reported.of_text(state.as_text())  # as it is kept between runs
        found.append(news)
    return found


def test_a_fault_is_reported_once_then_once_a_day_and_its_end_too():
    runs = [(0, FAULT, ()), (1, FAULT, ()), (24, FAULT, ()), (25, FAULT, ()), (26, {}, {"check a"})]
    assert course(*runs) == [News.FAULT, News.NONE, News.STILL, News.NONE, News.RECOVERED]


def test_another_fault_is_news():
    assert course((0, FAULT, ()), (1, {**FAULT, "step b": "broke"}, ())) == [News.FAULT, News.FAULT]
    assert course((0, FAULT, ()), (1, {"check a": "ERROR otherwise"}, ())) == [News.FAULT, News.FAULT]


def test_a_run_that_did_not_look_has_neither_failed_nor_recovered():
    runs = [(0, FAULT, ()), (30, {}, {"step raw"}), (31, {}, {"check a"})]
    assert course(*runs) == [News.FAULT, News.NONE, News.RECOVERED]


def test_the_end_of_a_warning_is_no_news():
    assert course((0, {"check a": "WARN slow"}, ()), (1, {}, {"check a"})) == [News.FAULT, News.NONE]


def test_a_sound_run_after_sound_ones_is_no_news():
    assert course((0, {}, ()), (1, {}, {"check a"})) == [News.NONE, News.NONE]


def test_since_is_when_it_began():
    _, first = news_of(Reported(), FAULT, NONE, NOW)
    _, second = news_of(first, FAULT, NONE, NOW + 30 * HOUR)
    assert (second.since, second.at) == (NOW, NOW + 30 * HOUR)


def test_a_tag_that_cannot_be_read_says_that_nothing_was_reported():
    texts = ["", "{", "[]", '{"faults": 3}', '{"faults": {"a": "b"}}', '{"faults": {"a": "b"}, "since": 1}']
    assert [Reported.of_text(text) for text in texts] == [Reported()] * len(texts)


def test_a_run_that_was_reported_is_known_but_not_the_one_that_is_launched_with_its_tags():
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun("sbir_etl_job", run_id="one"))
        assert not is_reported(instance.get_run_by_id("one"), "enrichment")
        keep_reported(instance, "enrichment", "one", Reported())
        run = instance.get_run_by_id("one")
        assert is_reported(run, "enrichment")
        assert not is_reported(run, "east/enrichment")
        assert not is_reported(dg.DagsterRun("sbir_etl_job", run_id="two", tags=run.tags), "enrichment")
