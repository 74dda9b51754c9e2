"""The reasons why an award has no link, as every report words them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbir_gate.model.matches import NoLinkReason

REASONS: Mapping[NoLinkReason, str] = MappingProxyType(
    {
        NoLinkReason.IDENTIFIER_CONFLICT: "identifier conflict",
        NoLinkReason.NAME_FREQUENCY: "name frequency",
        NoLinkReason.OTHER_GENERATION: "other generation",
        NoLinkReason.OTHER_WORDS: "other words",
        NoLinkReason.ALIAS: "alias only",
        NoLinkReason.OTHER_IDENTIFIER: "other identifier",
        NoLinkReason.BELOW_LIMIT: "below the limit",
        NoLinkReason.NO_CANDIDATE: "no candidate",
        NoLinkReason.PLACEHOLDER: "placeholder",
        NoLinkReason.UNREADABLE: "unreadable",
        NoLinkReason.NOT_REPORTED: "not reported",
        NoLinkReason.NO_ROW: "no row in the output",
    }
)

_MEANINGS: Mapping[NoLinkReason, str] = MappingProxyType(
    {
        NoLinkReason.IDENTIFIER_CONFLICT: "a recipient has the award's UEI or DUNS, but a different name",
        NoLinkReason.NAME_FREQUENCY: "a recipient has the same name, but so have others,"
        " or the place disagrees",
        NoLinkReason.OTHER_GENERATION: "the names end in different numbers: sister firms",
        NoLinkReason.OTHER_WORDS: "one name has words that the other lacks, and nothing confirms it",
        NoLinkReason.ALIAS: "an alias (a name in brackets or after DBA) is alike, and no place confirms it",
        NoLinkReason.OTHER_IDENTIFIER: "the names agree, the UEIs do not, and no place decides",
        NoLinkReason.BELOW_LIMIT: "the best candidate is below the acceptance limit",
        NoLinkReason.NO_CANDIDATE: "no recipient resembles the firm",
        NoLinkReason.PLACEHOLDER: "the name is a placeholder (n/a), and there is no identifier",
        NoLinkReason.UNREADABLE: "the award has neither a name nor an identifier that can be read",
        NoLinkReason.NOT_REPORTED: "the engine reports no candidates, so the reason is not known",
        NoLinkReason.NO_ROW: "the engine wrote no row for the award",
    }
)


def reason_text(reason: NoLinkReason) -> str:
    """Return the name of a reason with its meaning: "below the limit: the best candidate is below ..."."""
    return f"{REASONS[reason]}: {_MEANINGS[reason]}"
