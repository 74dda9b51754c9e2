"""Damaged documents and outputs: an error with a name, or a verdict; never anything else."""

import copy
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbir_gate.errors import DocumentError, EnricherError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.promotion import judge_merged
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.telemetry import read_telemetry
from sbir_gate.gate.reporting.markdown import render_markdown
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.model.document import RUN, decode, encode
from sbir_gate.model.verdict import Verdict
from tests.factories import make_policy, make_run

ABSURD = st.sampled_from(
    [
        *(0, -1, 1, 2**53, 2**63, 2**64, -(2**63), 10**400, 0.0, -0.0, 5e-324, 1e-300, 1e-12, 1e15, 1e308),
        *(-1e308, -3.5, 0.1, "", "x", "\ud800", "\0", "NaN", "x" * 300, None, True, False, [], {}, [[]]),
        *([1e308, 5e-324], {"a": 1}, [None]),
    ]
)
FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
SOUND = json.loads(encode(RUN, make_run()))


def places(value, path=()):
    """Yield the path of every part of a document; of long lists the first two items."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value[:2]):
            yield from places(part, (*path, number))


PLACES = list(places(SOUND))


def damaged(changes):
    document = copy.deepcopy(SOUND)
    for path, value, is_removed in changes:
        part = document
        try:
            for key in path[:-1]:
                part = part[key]
            if is_removed:
                del part[path[-1]]
            else:
                part[path[-1]] = value
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    return document


def tried(read):
    """Return what was read and no message, or nothing and that of the error, which has a name."""
    try:
        return read(), ""
    except (DocumentError, EnricherError) as error:
        return None, error.message


@FEW
@given(st.lists(st.tuples(st.sampled_from(PLACES), ABSURD, st.booleans()), min_size=1, max_size=3))
def test_a_damaged_run_is_refused_or_judged(changes):
    run, message = tried(lambda: decode(RUN, json.dumps(damaged(changes)), "run.json"))
    if run is None:
        assert message.startswith("run.json: ")
        assert "\n" not in message
        return
    for verdict in (
        judge(run, make_run(), make_policy()),
        judge(make_run(), run, make_policy()),
        judge(run, run, make_policy()),
        judge_merged(make_run(), run, make_policy()),
    ):
        assert isinstance(verdict, Verdict)
    assert render_markdown(build_view(run, judge(run, make_run(), make_policy())))


@FEW
@given(st.data())
def test_a_document_with_other_bytes_is_refused_or_the_same(data):
    text = encode(RUN, make_run())
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.text(max_size=3))
    changed = text[:place] + other + text[place + 1 :]
    run, message = tried(lambda: decode(RUN, changed, "run.json"))
    assert message.startswith("run.json: ") if run is None else judge(run, make_run(), make_policy())


METRICS = {
    "stages": [{"name": "match", "wall_seconds": 1.5, "cpu_seconds": 1.0, "peak_rss_mib": 100.0}],
    "counters": {"scanned": 10},
    "notes": {"model": "3"},
    "start_rss_mib": 50.0,
    "peak_rss_mib": 120.0,
}


@FEW
@given(st.sampled_from(list(places(METRICS))), ABSURD)
def test_damaged_metrics_of_an_enricher_are_refused_or_read(tmp_path, path, value):
    document = copy.deepcopy(METRICS)
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(document))
    found, message = tried(lambda: read_telemetry(file))
    assert found is not None or message.startswith("metrics.json: ")


@pytest.mark.parametrize(
    "text", ['{"counters": {"a": 1, "a": 2}}', '{"counters": {}, "counters": {}}', '{"x": {"y": 1, "y": 1}}']
)
def test_a_key_that_is_there_twice_is_refused_in_metrics(tmp_path, text):
    file = tmp_path / "metrics.json"
    file.write_text(text)
    with pytest.raises(EnricherError, match="is there twice"):
        read_telemetry(file)


ROWS = b"award_id,recipient_id,match_method,match_score\nA1,R1,uei-exact,100\nA2,,none,\n"


@FEW
@given(st.integers(0, len(ROWS)), st.integers(0, 5), st.binary(max_size=4))
def test_a_damaged_output_is_refused_or_read(tmp_path, place, removed, added):
    file = tmp_path / "enriched.csv"
    file.write_bytes(ROWS[:place] + added + ROWS[place + removed :])
    found, message = tried(lambda: read_decisions(file))
    assert found is not None or re.match(r"enriched\.csv(:[0-9]+)?: ", message)
