from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.datasets.drawing.award_draw import draw_awards
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase


def award(number, phase=Phase.ONE, size=CompanySize.SMALL, identifiers=IdentifierType.BOTH):
    return AwardProfile(f"A{number}", f"Firm {number}", phase, size, identifiers)


AWARDS = [award(n, Phase.TWO if n % 4 else Phase.ONE) for n in range(1000)] + [award(2000, Phase.THREE)]


def test_each_stratum_has_its_share_and_none_is_left_out():
    draw = draw_awards(AWARDS, 100, 1)
    assert [(each.phase, each.awards, each.drawn) for each in draw.strata] == [
        ("I", 250, 25),
        ("II", 750, 75),
        ("III", 1, 1),
    ]
    assert Counter(each.phase for each in draw.drawn) == {"I": 25, "II": 75, "III": 1}
    assert [each.award_id for each in draw.drawn] == [a.award_id for a in AWARDS if a in draw.drawn]


def test_the_seed_alone_decides():
    assert draw_awards(AWARDS, 100, 1) == draw_awards(AWARDS, 100, 1)
    assert draw_awards(AWARDS, 100, 1).drawn != draw_awards(AWARDS, 100, 2).drawn


@given(
    awards=st.lists(
        st.tuples(st.sampled_from(Phase), st.sampled_from(CompanySize)), min_size=1, max_size=200
    ),
    count=st.integers(1, 300),
)
def test_what_is_drawn_is_what_the_strata_say(awards, count):
    listed = [award(number, phase, size) for number, (phase, size) in enumerate(awards)]
    draw = draw_awards(listed, count, 3)
    assert sum(each.awards for each in draw.strata) == len(listed) == draw.awards
    assert sum(each.drawn for each in draw.strata) == len(draw.drawn)
    assert all(min(2, each.awards) <= each.drawn <= each.awards for each in draw.strata)
    assert len(listed) > count or draw.drawn == tuple(listed)
