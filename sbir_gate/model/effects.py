"""What a changed link means: whether the award is better or worse off by it, as the truth has it."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """The effect of a change on one award, the most severe first.

    `lost`, `relinked` and `gained` are of awards without a label. A `vanished` award has no decision any
    more. `corrected` had a wrong link before, `gained-correct` none.
    """

    NEW_WRONG = "new-wrong"
    RELINKED_WRONG = "relinked-wrong"
    LOST_CORRECT = "lost-correct"
    VANISHED = "vanished"
    LOST = "lost"
    RELINKED = "relinked"
    STILL_WRONG = "still-wrong"
    STILL_CORRECT = "still-correct"
    GAINED = "gained"
    WRONG_DROPPED = "wrong-dropped"
    GAINED_CORRECT = "gained-correct"
    CORRECTED = "corrected"


# A wrong link is worse than none: it is used, and the correct one is not searched for any more.
WORSENED = frozenset(
    {
        Effect.NEW_WRONG,
        Effect.RELINKED_WRONG,
        Effect.LOST_CORRECT,
        Effect.VANISHED,
        Effect.LOST,
        Effect.RELINKED,
    }
)
IMPROVED = frozenset({Effect.GAINED, Effect.WRONG_DROPPED, Effect.GAINED_CORRECT, Effect.CORRECTED})


# by whether there was a link before and is one now
_NO_LABEL = {
    (True, False): Effect.LOST,
    (True, True): Effect.RELINKED,
    (False, True): Effect.GAINED,
    (False, False): Effect.VANISHED,
}
_NO_LONGER_RIGHT = {
    (True, False): Effect.LOST_CORRECT,
    (True, True): Effect.RELINKED_WRONG,
    (False, True): Effect.NEW_WRONG,
    (False, False): Effect.LOST_CORRECT,
}
_NOW_RIGHT = {
    (True, False): Effect.WRONG_DROPPED,
    (True, True): Effect.CORRECTED,
    (False, True): Effect.GAINED_CORRECT,
    (False, False): Effect.CORRECTED,
}
_WRONG_BEFORE_AND_NOW = {
    (True, False): Effect.WRONG_DROPPED,
    (True, True): Effect.STILL_WRONG,
    (False, True): Effect.NEW_WRONG,
    (False, False): Effect.VANISHED,
}


def effect_of(
    before_recipient_id: str, after_recipient_id: str, was_right: bool | None, is_right: bool | None
) -> Effect:
    """Return the effect of a change from one linked recipient to another; an empty id means no link.

    `was_right` and `is_right` are None for an award without a label. Where the truth says that none
    exists, no link is right.
    """
    links = (bool(before_recipient_id), bool(after_recipient_id))
    if was_right is None or is_right is None:
        return _NO_LABEL[links]
    if was_right:
        return Effect.STILL_CORRECT if is_right else _NO_LONGER_RIGHT[links]
    return _NOW_RIGHT[links] if is_right else _WRONG_BEFORE_AND_NOW[links]
