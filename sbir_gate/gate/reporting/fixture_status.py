"""The state of a fixture as lines for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quality_words import NOT_STATED
from sbir_gate.gate.reporting.quantities import counted, percent_text
from sbir_gate.model.fixture_status import BlindStratum, FixtureStatus, ShareComparison, ShareOf

_MOST_LISTED = 12
_NAME_CHARACTERS = 80
_NAMES: Mapping[ShareOf, str] = MappingProxyType(
    {
        ShareOf.PHASE: "phase",
        ShareOf.YEAR: "award year",
        ShareOf.IDENTIFIER_TYPE: "identifier type",
        ShareOf.METHOD: "method",
    }
)


def render_status(status: FixtureStatus) -> str:
    """Return the state as text that ends in a newline."""
    lines = [*_drawn_lines(status), *_full_lines(status), *_blind_lines(status)]
    return "\n".join(lines) + "\n"


def render_status_json(status: FixtureStatus) -> str:
    """Return the state as one JSON object, with all shares and strata."""
    draw, full = status.draw, status.full
    document = {
        "awards": status.awards,
        "labelled": status.labelled,
        "age_days": status.age_days,
        "drawn": None
        if draw is None
        else {
            "on": draw.drawn_on.isoformat(),
            "seed": draw.seed,
            "tool_version": draw.tool_version,
            "kept": len(draw.kept_ids),
            "awards": {"name": draw.awards.name, "rows": draw.awards.rows, "sha256": draw.awards.sha256},
            "recipients": {
                "name": draw.recipients.name,
                "rows": draw.recipients.rows,
                "sha256": draw.recipients.sha256,
            },
        },
        "full": None
        if full is None
        else {"name": full.name, "started_at": full.started_at.isoformat(), "awards": full.awards},
        "not_compared": [each.value for each in status.unknown],
        "shares": [
            {
                "dimension": each.dimension.value,
                "value": each.value,
                "fixture": each.fixture,
                "full": each.full,
                "p_value": each.p_value,
                "is_beyond_chance": each.is_beyond_chance,
            }
            for each in status.shares
        ],
        "loss_seen_from": status.seen_from,
        "least_awards": status.least,
        "strata": status.strata,
        "small_strata": [
            {
                "phase": each.stratum.phase,
                "identifier_type": each.stratum.identifier_type,
                "company_size": each.stratum.company_size,
                "all_awards": each.stratum.awards if draw is not None else None,
                "awards": each.stratum.drawn,
                "unseen_links": each.unseen,
            }
            for each in status.blind
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _drawn_lines(status: FixtureStatus) -> Iterator[str]:
    size = f"{counted(status.awards, 'award')}, {status.labelled:,} labelled"
    draw = status.draw
    if draw is None or status.age_days is None:
        yield f"fixture: {size}"
        yield "drawn: not known (fixtures.draw is not set): each award counts once"
        return
    kept = f", {len(draw.kept_ids):,} kept for their labels" if draw.kept_ids else ""
    yield f"fixture: {size}{kept}"
    age = counted(status.age_days, "day")
    version = plain(draw.tool_version)
    yield f"drawn: {draw.drawn_on.isoformat()}, {age} ago, with seed {draw.seed} by sbir-gate {version}"
    for name, source in (("awards", draw.awards), ("recipients", draw.recipients)):
        file = f"{plain(source.name, _NAME_CHARACTERS)}, SHA-256 {source.sha256[:12]}"
        yield f"from: {source.rows:,} {name} ({file})"


def _full_lines(status: FixtureStatus) -> Iterator[str]:
    full = status.full
    if full is None:
        yield "full run: none is known; name a Run or quality report with --full, or a history with --history"
        return
    name = plain(full.name, _NAME_CHARACTERS)
    yield f"full run: {name} of {full.started_at:%Y-%m-%d}, {counted(full.awards, 'award')}"
    beyond = [share for share in status.shares if share.is_beyond_chance]
    yield from (f"  differs: {_share_text(share)}" for share in beyond[:_MOST_LISTED])
    if len(beyond) > _MOST_LISTED:
        yield f"  and {len(beyond) - _MOST_LISTED:,} more (--format json lists them)"
    differing = {share.dimension for share in beyond}
    same = [_NAMES[each] for each in ShareOf if each not in differing and each not in status.unknown]
    if same:
        yield f"  no difference beyond chance: {', '.join(same)}"
    if status.unknown:
        unknown = ", ".join(_NAMES[each] for each in status.unknown)
        yield f"  not compared, because one of the two does not know it: {unknown}"
    if differing - {ShareOf.METHOD}:
        yield "  to do: draw it again from the data of the full run: sbir-gate fixture refresh"


def _share_text(share: ShareComparison) -> str:
    value = plain(share.value, _NAME_CHARACTERS) or NOT_STATED
    own, full = percent_text(share.fixture * 100), percent_text(share.full * 100)
    return f"{_NAMES[share.dimension]} {value}: {own} by the fixture, {full} of the full run"


def _blind_lines(status: FixtureStatus) -> Iterator[str]:
    yield (
        f"losses: the gate fails from {counted(status.seen_from, 'lost link')} in one stratum; "
        f"{len(status.blind):,} of {status.strata:,} strata have fewer than {counted(status.least, 'award')}"
    )
    if not status.blind:
        return
    unseen = sum(each.unseen for each in status.blind)
    of_all = "" if status.draw is not None else " of the fixture"
    yield f"  not seen there, each stratum by itself: up to {unseen:,} links{of_all} in all"
    yield from (f"  {_stratum_text(each, status)}" for each in status.blind[:_MOST_LISTED])
    if len(status.blind) > _MOST_LISTED:
        yield f"  and {len(status.blind) - _MOST_LISTED:,} more (--format json lists them)"


def _stratum_text(blind: BlindStratum, status: FixtureStatus) -> str:
    phase, identifiers, size = blind.stratum.key
    group = f"phase {phase}, identifiers {identifiers}, company size {size}"
    of_all = f" of {blind.stratum.awards:,}" if status.draw is not None else ""
    unseen = counted(blind.unseen, "lost link")
    return f"{group}: {blind.stratum.drawn:,}{of_all} awards; up to {unseen} not seen"
