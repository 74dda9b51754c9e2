from dataclasses import replace

import pytest

from sbir_gate.errors import DocumentError
from sbir_gate.gate.kept_runs import entry_of
from sbir_gate.model import sizes
from sbir_gate.model.document import HISTORY, RUN, decode, encode
from sbir_gate.model.run import Metric, MetricKind
from tests.factories import make_run


def noisy(name, values):
    return Metric(name, "s", MetricKind.NOISY, (1.0,) * values)


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (tuple(noisy(f"work/{n}", 1) for n in range(20_001)), "20,001 metrics are more than the 20,000"),
        ((noisy("wall_seconds", 10_001),), "10,001 values of one metric are more than the 10,000"),
        (tuple(noisy(f"work/{n}", 10_000) for n in range(101)), "1,010,000 values of metrics are more than"),
        ((noisy("work/" + "x" * 300, 1),), "has 305 characters, more than 200"),
    ],
)
@pytest.mark.parametrize("kind", ["run", "history"])
def test_a_document_that_holds_too_much_is_refused_by_the_limit_that_it_exceeds(kind, metrics, words):
    run = make_run(metrics=metrics)
    text = encode(RUN, run) if kind == "run" else encode(HISTORY, entry_of(run, None, ()))
    with pytest.raises(DocumentError, match=words):
        decode(RUN if kind == "run" else HISTORY, text, "x.json")


def test_repeats_methods_and_decisions_are_limited_too(monkeypatch):
    run = make_run()
    assert "10,001 repeats" in sizes.run_excess(replace(run, samples=run.samples[:1] * 10_001))
    quality = replace(run.quality, links_by_method={"m" * 201: 1})
    assert "has 201 characters" in sizes.run_excess(replace(run, quality=quality))
    monkeypatch.setattr(sizes, "MOST_DECISIONS", 39)
    with pytest.raises(DocumentError, match="40 decisions are more than the 39"):
        decode(RUN, encode(RUN, run), "x.json")
