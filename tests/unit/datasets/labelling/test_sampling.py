"""The awards that are drawn for labels."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.labelling.sampling import SampledFrom, draw_sample
from sbir_gate.model.labelling import sample_fault
from sbir_gate.model.matches import Decision, DecisionKind


def award(number, kind=DecisionKind.LINK, confidence=0.999, phase="I"):
    """Return an award with a decision of this confidence."""
    decision = Decision(f"A{number:05d}", kind, "name-fuzzy", "R1", 90.0, confidence)
    return SampledFrom(decision, phase, "uei")


AWARDS = [
    *(award(number) for number in range(800)),
    *(award(number, confidence=0.9) for number in range(800, 860)),
    *(award(number, DecisionKind.CANDIDATE, 0.5) for number in range(860, 900)),
    *(award(number, DecisionKind.NONE, 0.0) for number in range(900, 1000)),
]


def test_doubt_is_drawn_more_often_and_comes_first():
    sample = draw_sample(AWARDS, 200, seed=1)
    strata = Counter(drawn.stratum.partition(",")[0] for drawn in sample.drawn)
    assert strata["candidate"] / 40 >= 1.9 * strata["none"] / 100
    assert strata["borderline"] / 60 >= 4 * strata["certain"] / 800
    assert sample.drawn[0].stratum.startswith("candidate")
    assert sample.drawn[-1].stratum.startswith("none")
    assert 190 <= len(sample.drawn) <= 210


def test_the_seed_alone_decides():
    first = draw_sample(AWARDS, 100, seed=1)
    assert draw_sample(reversed(AWARDS), 100, seed=1) == first
    assert draw_sample(AWARDS, 100, seed=2) != first


def test_only_links_have_a_linked_recipient():
    for drawn in draw_sample(AWARDS, 100, seed=1).drawn:
        is_link = drawn.stratum.startswith(("certain", "likely", "borderline"))
        assert bool(drawn.linked_id) == is_link


def test_a_small_stratum_is_joined_with_its_band():
    awards = [*AWARDS, *(award(2000 + number, phase="III") for number in range(3))]
    names = dict(draw_sample(awards, 50, seed=1).strata)
    assert names["certain"] == 3
    assert "certain, uei, phase III" not in names


FOUND = st.tuples(st.sampled_from(DecisionKind), st.floats(0, 1), st.sampled_from(["I", "II"]))


@given(
    st.lists(FOUND, max_size=60),
    st.integers(1, 80),
    st.integers(0, 5),
)
def test_every_probability_is_that_of_its_stratum(found, count, seed):
    awards = [award(number, *facts) for number, facts in enumerate(found)]
    sample = draw_sample(awards, count, seed)
    assert sample_fault(sample) == ""
    assert sample.awards == len(awards)
    drawn = Counter(item.stratum for item in sample.drawn)
    for item in sample.drawn:
        assert item.probability == drawn[item.stratum] / dict(sample.strata)[item.stratum]
