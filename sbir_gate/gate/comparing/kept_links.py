"""What changed although the links did not: their methods and scores, and the candidates for review."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass

from sbir_gate.model.awards import AwardRecord
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.verdict import MethodMove

# a score is 0..100, a confidence 0..1: less than this is the last digit of a float
_SAME_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class KeptLinks:
    """Links to the same recipient by another method or with another score, and changed candidates."""

    moves: tuple[MethodMove, ...]
    candidates_lost: int
    candidates_gained: int
    candidates_changed: int
    scores_changed: int


def compare_kept(
    before: Mapping[str, AwardRecord],
    after: Mapping[str, AwardRecord],
    changed: Container[str],
    unlabelled: Container[str],
) -> KeptLinks:
    """Compare the awards that are not `changed`; most links moved first.

    `unlabelled` are the awards without a row in the truth.
    """
    moves: Counter[tuple[str, str]] = Counter()
    unlabelled_moves: Counter[tuple[str, str]] = Counter()
    candidates: Counter[str] = Counter()
    scores = 0
    for award_id, award in before.items():
        if award_id not in after or award_id in changed:
            continue
        old, new = award.decision, after[award_id].decision
        if old.kind is DecisionKind.LINK:
            if old.method != new.method:
                moves[old.method, new.method] += 1
                unlabelled_moves[old.method, new.method] += award_id in unlabelled
            scores += not _has_same_score(old, new)
        else:
            candidates[_candidate_change(old, new)] += 1
    return KeptLinks(
        tuple(
            MethodMove(*methods, links, unlabelled=unlabelled_moves[methods])
            for methods, links in sorted(moves.items(), key=lambda item: (-item[1], item[0]))
        ),
        candidates["lost"],
        candidates["gained"],
        candidates["changed"],
        scores,
    )


def _has_same_score(old: Decision, new: Decision) -> bool:
    if (old.confidence is None) != (new.confidence is None):
        return False
    return math.isclose(old.score, new.score, rel_tol=0, abs_tol=_SAME_SCORE) and math.isclose(
        old.confidence or 0.0, new.confidence or 0.0, rel_tol=0, abs_tol=_SAME_SCORE
    )


def _candidate_change(old: Decision, new: Decision) -> str:
    before, after = _candidate(old), _candidate(new)
    if before == after:
        return ""
    if not after:
        return "lost"
    return "changed" if before else "gained"


def _candidate(decision: Decision) -> str:
    return decision.recipient_id if decision.kind is DecisionKind.CANDIDATE else ""
