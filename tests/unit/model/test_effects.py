from itertools import product

import pytest

from sbir_gate.model.effects import IMPROVED, WORSENED, Effect, effect_of


@pytest.mark.parametrize(
    ("before", "after", "was_right", "is_right", "effect"),
    [
        ("", "R2", True, False, Effect.NEW_WRONG),  # none exists
        ("", "R2", False, False, Effect.NEW_WRONG),  # another recipient is right
        ("R1", "R2", True, False, Effect.RELINKED_WRONG),
        ("R1", "", True, False, Effect.LOST_CORRECT),
        ("R1", "R2", False, False, Effect.STILL_WRONG),
        ("R1", "R2", True, True, Effect.STILL_CORRECT),
        ("R1", "", False, True, Effect.WRONG_DROPPED),  # none exists
        ("R1", "", False, False, Effect.WRONG_DROPPED),
        ("", "R1", False, True, Effect.GAINED_CORRECT),
        ("R1", "R2", False, True, Effect.CORRECTED),
        ("R1", "", None, None, Effect.LOST),
        ("R1", "R2", None, None, Effect.RELINKED),
        ("", "R1", None, None, Effect.GAINED),
        ("", "", None, None, Effect.VANISHED),
        ("", "", True, False, Effect.LOST_CORRECT),
        ("", "", False, False, Effect.VANISHED),
    ],
)
def test_the_effect_of_a_change(before, after, was_right, is_right, effect):
    assert effect_of(before, after, was_right, is_right) is effect


def test_a_right_answer_that_becomes_wrong_never_improves_and_the_reverse_never_worsens():
    for before, after in product(("", "R1", "R2"), repeat=2):
        assert effect_of(before, after, True, False) in WORSENED
        assert effect_of(before, after, False, True) in IMPROVED
    assert not WORSENED & IMPROVED
