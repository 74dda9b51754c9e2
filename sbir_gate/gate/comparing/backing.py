"""The awards behind a fall in links: those that worsened, not those that are only linked otherwise.

Where the truth knows better, fewer links are not worse: wrong ones were dropped, or another method makes the
same link. So the match rate and the links of each method are judged as if only those awards had changed that
worsened. Awards without a label count as they do without a truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sbir_gate.model.effects import WORSENED
from sbir_gate.model.run import MetricKind, Run, Stratum
from sbir_gate.model.verdict import AwardChange, Direction, MetricLimit, RecordChanges

MATCH_RATE = "match_rate"
LINKS = "links/"
WORK = "work/"


@dataclass(frozen=True, slots=True)
class Backing:
    """What the awards say of a fall: the values to judge by name, and whether any award is known to be worse.

    A metric without a value is judged by what was measured.
    """

    judged_values: Mapping[str, float] = field(default_factory=dict)
    is_nobody_worse: bool = False


NO_BACKING = Backing()


def backing_of(head: Run, reference: Run, records: RecordChanges) -> Backing:
    """Return the awards behind a fall in links from the reference to head."""
    return Backing(judged_values(head, reference, records), _is_nobody_worse(head, reference, records))


def judged_values(head: Run, reference: Run, records: RecordChanges) -> Mapping[str, float]:
    """Return, for the match rate and the links of each method, head's value less what did no harm.

    A metric that did not fall is left out. Without any label the values are those of head; so they are where
    no changed award explains the fall.
    """
    now, before = _exact_values(head), _exact_values(reference)
    awards = reference.quality.awards
    harm, harmless = _left(records)
    if awards:
        lost = sum(change.effect in WORSENED for change in records.lost)
        harm[MATCH_RATE] = lost / awards
        harmless[MATCH_RATE] = (len(records.lost) - lost) / awards
    return {
        name: max(
            now.get(name, 0.0),
            min(value - harm.get(name, 0.0), now.get(name, 0.0) + harmless.get(name, 0.0)),
        )
        for name, value in before.items()
        if (name == MATCH_RATE or name.startswith(LINKS)) and now.get(name, 0.0) < value
    }


def _is_nobody_worse(head: Run, reference: Run, records: RecordChanges) -> bool:
    """Say whether the truth knows every award, and calls none worse off."""
    is_whole = head.is_fully_labelled and reference.is_fully_labelled
    return is_whole and not records.worsened


def counts_links(limit: MetricLimit) -> bool:
    """Say whether the metric is one whose fall may do no harm."""
    return limit.name == MATCH_RATE or limit.name.startswith(LINKS) or is_proxy(limit)


def is_proxy(limit: MetricLimit) -> bool:
    """Say whether more of this work is only wanted because less of it might lose links: recipients read."""
    return (
        limit.name.startswith(WORK)
        and limit.kind is MetricKind.EXACT
        and limit.direction is Direction.HIGHER_IS_BETTER
    )


def is_emptied_for_the_worse(stratum: Stratum, records: RecordChanges) -> bool:
    """Say whether anything but wrong links was lost in a stratum that has no link any more.

    An award of which it is not known in which stratum it is may be in this one.
    """
    lost = [change for change in records.lost if _kind(change, stratum.dimension) in {"", stratum.value}]
    return not lost or any(change.effect in WORSENED for change in lost)


def _left(records: RecordChanges) -> tuple[dict[str, float], dict[str, float]]:
    """Return how many awards each method no longer links: those that worsened, and the others."""
    harm: dict[str, float] = defaultdict(float)
    harmless: dict[str, float] = defaultdict(float)
    for change in (*records.lost, *records.relinked):
        is_kept = change.after_recipient_id and change.after_method == change.before_method
        if change.before_recipient_id and not is_kept:
            counts = harm if change.effect in WORSENED else harmless
            counts[f"{LINKS}{change.before_method}"] += 1
    for move in records.moves:
        harm[f"{LINKS}{move.before_method}"] += move.unlabelled
        harmless[f"{LINKS}{move.before_method}"] += move.links - move.unlabelled
    return harm, harmless


def _exact_values(run: Run) -> Mapping[str, float]:
    return {
        metric.name: metric.values[0]
        for metric in run.metrics
        if metric.values and metric.kind is MetricKind.EXACT
    }


def _kind(change: AwardChange, dimension: str) -> str:
    kinds = {
        "phase": change.phase,
        "company_size": change.company_size,
        "identifier_type": change.identifier_type,
    }
    return kinds.get(dimension, "")
