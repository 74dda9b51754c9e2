"""Decisions on a few awards, and the quality report of them, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sbir_gate.gate.measuring.quality import award_records, measure_quality
from sbir_gate.gate.measuring.quality_report import Provenance, quality_report
from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.matches import Decision, DecisionKind, names_candidates
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase

MADE_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def profile(award_id: str, firm: str = "Acme Optics", **fields: object) -> AwardProfile:
    known = {"agency": "Department of Energy", "program": "SBIR", "year": "2020", "state": "CA"}
    phase = fields.pop("phase", Phase.ONE)
    size = fields.pop("size", CompanySize.SMALL)
    kind = fields.pop("kind", IdentifierType.NEITHER)
    return AwardProfile(award_id, firm, phase, size, kind, **{**known, **fields})  # type: ignore[arg-type]


def link(
    award_id: str, recipient: str = "R1", confidence: float | None = 0.99, method: str = "uei-exact"
) -> Decision:
    return Decision(award_id, DecisionKind.LINK, method, recipient, 100.0, confidence)


def candidate(
    award_id: str, recipient: str = "R9", confidence: float | None = 0.3, method: str = "name-fuzzy"
) -> Decision:
    return Decision(award_id, DecisionKind.CANDIDATE, method, recipient, 87.5, confidence, (recipient,))


def nothing(award_id: str) -> Decision:
    return Decision(award_id, DecisionKind.NONE, "none", "", 0.0, None)


def report_of(
    decisions: Sequence[Decision],
    profiles: Sequence[AwardProfile],
    truth: Mapping[str, frozenset[str]] | None = None,
    names: Mapping[str, LinkedRecipient] | None = None,
    *,
    has_candidates: bool | None = None,
) -> QualityReport:
    known = names or {}
    return quality_report(
        measure_quality(decisions, profiles, truth),
        award_records(decisions, profiles, truth, known),
        profiles,
        known,
        Provenance(MADE_AT, "linked.parquet"),
        has_candidates=names_candidates(decisions) if has_candidates is None else has_candidates,
    )


NAMES = {
    "R1": LinkedRecipient("R1", "ACME OPTICS INC", "CSQJZSE9KFD9"),
    "R2": LinkedRecipient("R2", "ACME HOLDINGS LLC"),
    "R9": LinkedRecipient("R9", "ZENITH LABS CORP"),
}
PROFILES = (
    profile("A1", kind=IdentifierType.BOTH, uei="CSQJZSE9KFD9", duns="133709001"),
    profile("A2", kind=IdentifierType.UEI_ONLY, uei="CSQJZSE9KFD9", phase=Phase.TWO, state="TX"),
    profile("A3", "Zenith Laboratories", kind=IdentifierType.DUNS_ONLY, duns="133709001", year="2021"),
    profile("A4", "Zenith Laboratories", size=CompanySize.MICRO, program="STTR"),
    profile("A5", "Zenith Laboratories", phase=Phase.TWO, agency="NASA"),
    profile("A6", "Omega Photonics", phase=Phase.TWO, agency=""),
    profile("A7", "", phase=Phase.OTHER, is_placeholder=True),
    profile("A8", "", size=CompanySize.UNKNOWN, state=""),
    profile("A9", "Omega Photonics"),
)
DECISIONS = (
    link("A1"),
    link("A2", "R2", 0.8, "name-fuzzy"),
    candidate("A3", method="duns-exact"),
    candidate("A4", confidence=0.7, method="name-exact"),
    candidate("A5", confidence=0.7, method="name-exact"),
    candidate("A6", "R8", 0.02),
    nothing("A7"),
    nothing("A8"),
    nothing("A9"),
)
TRUTH = {
    "A1": frozenset({"R1"}),
    "A2": frozenset({"R1"}),
    "A3": frozenset({"R9"}),
    "A4": frozenset({"R9"}),
    "A6": frozenset[str](),
}


def make_report(truth: Mapping[str, frozenset[str]] | None = TRUTH) -> QualityReport:
    """Return the report of DECISIONS on PROFILES."""
    return report_of(DECISIONS, PROFILES, truth, NAMES)


def report_of_entry(entry: HistoryEntry) -> QualityReport:
    """Return the quality report that the Run of an entry left."""
    return replace(make_report(), gate=entry.gate, made_at=entry.started_at, source=entry.source)
