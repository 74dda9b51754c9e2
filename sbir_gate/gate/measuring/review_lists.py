"""What people should look at: candidates, identifiers of several names, firms of several recipients."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from sbir_gate.model.awards import AwardRecord
from sbir_gate.model.matches import COMPARED_CHARACTERS, DecisionKind, NoLinkReason
from sbir_gate.model.quality_report import (
    MOST_LISTED,
    MOST_NAMED,
    ReviewCandidate,
    SharedIdentifier,
    SplitFirm,
    SplitRecipient,
)
from sbir_gate.model.records import AwardProfile, LinkedRecipient

# An assumption: below it names differ by more than their spelling. ACME INC and ACME INCORPORATED have 64.
_SAME_NAME_SCORE = 60.0
_LONGEST_TEXT = 120
_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9]+")

Decided = tuple[AwardProfile, AwardRecord]
"""An award with its decision."""


def review_candidates(
    unmatched: Iterable[tuple[AwardProfile, AwardRecord, NoLinkReason]], names: Mapping[str, LinkedRecipient]
) -> tuple[ReviewCandidate, ...]:
    """Return the candidates of awards without a link, one for each firm and recipient, the surest first."""
    firsts: dict[tuple[str, str], tuple[AwardProfile, AwardRecord, NoLinkReason]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for profile, record, reason in unmatched:
        decision = record.decision
        if decision.kind is DecisionKind.CANDIDATE and decision.recipient_id:
            key = profile.firm_name or f"award {profile.award_id}", decision.recipient_id
            firsts.setdefault(key, (profile, record, reason))
            counts[key] += 1
    found = [
        ReviewCandidate(
            award_id=profile.award_id,
            awards=counts[key],
            firm_name=_text(profile.firm_name),
            state=profile.state,
            phase=profile.phase.value,
            agency=profile.agency,
            reason=reason,
            method=record.decision.method,
            score=record.decision.score,
            confidence=record.decision.confidence,
            recipient_id=record.decision.recipient_id,
            recipient_name=_text(_name_of(record, names)),
        )
        for key, (profile, record, reason) in firsts.items()
    ]
    return tuple(sorted(found, key=_review_order))


def _review_order(entry: ReviewCandidate) -> tuple[float, float, int, str]:
    confidence = -1.0 if entry.confidence is None else entry.confidence
    return (-confidence, -entry.score, -entry.awards, entry.award_id)


def shared_identifiers(profiles: Iterable[AwardProfile]) -> tuple[SharedIdentifier, ...]:
    """Return the identifiers under which awards have clearly different names, those with most names first."""
    names: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for profile in profiles:
        if profile.firm_name:
            for key in _identifiers(profile):
                names[key][profile.firm_name] += 1
    found = []
    for (kind, identifier), counted in names.items():
        different = _different(sorted(counted, key=lambda name: (-counted[name], name)))
        if len(different) > 1:
            shown = tuple(map(_text, different[:MOST_NAMED]))
            found.append(SharedIdentifier(kind, identifier, counted.total(), len(different), shown))
    return tuple(sorted(found, key=lambda each: (-each.name_count, -each.awards, each.kind, each.identifier)))


def _identifiers(profile: AwardProfile) -> Iterator[tuple[str, str]]:
    if profile.uei:
        yield "UEI", profile.uei
    for number in profile.duns.split():
        yield "DUNS", number


def _different(names: Sequence[str]) -> list[str]:
    """Return the names that clearly differ from those before them."""
    kept: list[str] = []
    for name in names[:MOST_LISTED]:
        plain = _plain(name)
        if all(fuzz.token_sort_ratio(plain, _plain(other)) < _SAME_NAME_SCORE for other in kept):
            kept.append(name)
    return kept


def split_firms(linked: Iterable[Decided], names: Mapping[str, LinkedRecipient]) -> tuple[SplitFirm, ...]:
    """Return the names whose awards are linked to several recipients, those with most recipients first."""
    links: dict[str, Counter[str]] = defaultdict(Counter)
    spellings: dict[str, str] = {}
    shown: dict[str, tuple[str, str]] = {}
    for profile, record in linked:
        if profile.firm_name:
            name = _plain(profile.firm_name)
            known = names.get(record.link)
            entity = record.recipient_uei or (known.uei if known else "") or record.link
            spellings.setdefault(name, profile.firm_name)
            shown.setdefault(entity, (record.link, _text(_name_of(record, names))))
            links[name][entity] += 1
    found = [
        SplitFirm(
            _text(spellings[name]),
            counted.total(),
            len(counted),
            tuple(
                SplitRecipient(*shown[entity], counted[entity])
                for entity in sorted(counted, key=lambda entity: (-counted[entity], entity))[:MOST_NAMED]
            ),
        )
        for name, counted in links.items()
        if len(counted) > 1
    ]
    return tuple(sorted(found, key=lambda firm: (-firm.recipient_count, -firm.awards, firm.firm_name)))


def _name_of(record: AwardRecord, names: Mapping[str, LinkedRecipient]) -> str:
    known = names.get(record.decision.recipient_id)
    return record.recipient_name or (known.name if known else "")


@lru_cache(maxsize=100_000)
def _plain(name: str) -> str:
    """Return the name as it is compared: capital letters, digits and single blanks."""
    return _NOT_IN_A_NAME.sub(" ", name[:COMPARED_CHARACTERS].upper()).strip()


def _text(name: str) -> str:
    return name[:_LONGEST_TEXT]
