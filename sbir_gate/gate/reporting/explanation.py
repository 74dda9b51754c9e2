"""Why an award is linked, or is not, as text: one view for the terminal, JSON and the page."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from sbir_gate.gate.reporting.explanation_words import BASES, CHANGES, FEATURES, KEYS, RULES, STAGES
from sbir_gate.gate.reporting.no_link import reason_text
from sbir_gate.gate.reporting.plain_text import cut, plain
from sbir_gate.gate.reporting.quantities import ARROW, NOTHING, counted, rate, signed_number
from sbir_gate.gate.reporting.table_text import TableLayout, table_lines
from sbir_gate.model.explanation import (
    Basis,
    DecisionShift,
    ExplainedCandidate,
    Explanation,
    NameForm,
    Party,
    Trial,
)
from sbir_gate.model.matches import DecisionKind, NoLinkReason
from sbir_gate.model.moments import moment_text

_MOST_PARTS = 12
_LEAST_LOG_ODDS = 0.005
_BAR = 24
NARROWEST_WIDTH = 40

_UNKNOWN = (
    "The engine's output does not say how the names were compared, which recipients were searched, or what"
    " would change the decision. For the built-in engine's reasons add --set enricher.command=null."
)
_CANDIDATES = TableLayout(
    ("candidate", "name", "place", "method", "score", "confidence"),
    left=frozenset({0, 1, 2, 3}),
    droppable=(2,),
    whole=frozenset({0, 5}),
)


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of the log-odds; `value` is the feature's own, empty for what has none."""

    name: str
    value: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class TrialView:
    """A difference that was tried, and the decision that it leads to."""

    change: str
    result: str


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate as text; `parts` add up to `total`, the log-odds of `model_confidence`.

    `heading` says what decided: the parts, or something that the model does not weigh.
    """

    recipient_id: str
    name: str
    identifiers: str
    place: str
    method: str
    score: str
    score_value: float | None
    confidence: str
    confidence_value: float | None
    reason: str
    keys: tuple[str, ...]
    compared_as: str
    parts: tuple[PartRow, ...]
    total: float
    model_confidence: str
    heading: str

    @property
    def is_by_parts(self) -> bool:
        """Say whether the stated confidence is that of the parts."""
        return self.confidence == self.model_confidence


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """An explanation as text. `changes` would lead to another decision, `robust` would not."""

    award_id: str
    firm: str
    firm_facts: str
    is_linked: bool
    title: str
    why: str
    names: tuple[str, ...]
    searched: str
    candidates: tuple[CandidateView, ...]
    changes: tuple[TrialView, ...]
    robust: tuple[TrialView, ...]
    since: tuple[str, ...]
    unknown: str


def explanation_view(found: Explanation, shift: DecisionShift | None = None) -> ExplanationView:
    """Return the explanation as text; all text from data is plain."""
    return ExplanationView(
        award_id=plain(found.award_id),
        firm=plain(found.firm.name),
        firm_facts=" · ".join(filter(None, (_place(found.firm), _identifiers(found.firm)))),
        is_linked=found.decision.kind is DecisionKind.LINK,
        title=_title(found),
        why=_why(found),
        names=tuple(map(_name, found.names)),
        searched=_searched_text(found),
        candidates=tuple(map(_candidate, found.candidates)),
        changes=tuple(_trial(trial) for trial in found.trials if _is_other(trial, found)),
        robust=tuple(_trial(trial) for trial in found.trials if not _is_other(trial, found)),
        since=() if shift is None else _since(shift, found),
        unknown=_UNKNOWN if found.is_stated else "",
    )


def _name(name: NameForm) -> str:
    folded = f" (words folded: {plain(name.canonical)})" if name.canonical != name.normal else ""
    return f"{plain(name.normal)}{folded}"


def _searched_text(found: Explanation) -> str:
    if found.is_stated:
        return ""
    if not found.considered and found.basis is Basis.IDENTIFIER:
        return "the identifier decided; no names were compared"
    compared = f"{counted(found.considered, 'recipient')} compared"
    return f"{compared}; model {plain(found.model)}, acceptance limit {rate(found.acceptance_limit)}"


def _title(found: Explanation) -> str:
    decision = found.decision
    if decision.kind is DecisionKind.NONE:
        return "not linked, and no candidate" if found.names_candidates else "not linked"
    best = next((one for one in found.candidates if one.recipient_id == decision.recipient_id), None)
    recipient = _recipient(best.party.name if best else "", decision.recipient_id)
    certainty = "" if decision.confidence is None else f", confidence {_confidence(decision.confidence)}"
    if decision.kind is DecisionKind.LINK:
        return f"linked to {recipient} by {plain(decision.method)}{certainty}"
    return f"not linked; best candidate {recipient} by {plain(decision.method)}{certainty}"


def _why(found: Explanation) -> str:
    best = next((one.weighing for one in found.candidates if one.weighing), None)
    if found.reason is NoLinkReason.NAME_FREQUENCY and best is not None:
        have = counted(best.name_frequency, "recipient")
        return f"name frequency: {have} of this name, and no place decides between them"
    if found.reason is not None:
        return reason_text(found.reason)
    return "" if found.is_stated else BASES.get(found.basis, "")


def _place(party: Party) -> str:
    city = ", ".join(filter(None, (plain(party.city), plain(party.state))))
    return " ".join(filter(None, (city, plain(party.zip5))))


def _identifiers(party: Party) -> str:
    return " · ".join(
        f"{label} {plain(value)}" for label, value in (("UEI", party.uei), ("DUNS", party.duns)) if value
    )


def _confidence(value: float | None) -> str:
    """Return a confidence with three decimals, never as 1.000 or 0.000 unless it is that exactly."""
    if value is None:
        return NOTHING
    text = rate(value)
    if text == "1.000" and value < 1:
        return ">0.999"
    return "<0.001" if text == "0.000" and value > 0 else text


def _candidate(found: ExplainedCandidate) -> CandidateView:
    weighing = found.weighing
    return CandidateView(
        recipient_id=plain(found.recipient_id),
        name=plain(found.party.name),
        identifiers=_identifiers(found.party),
        place=_place(found.party),
        method=plain(found.method),
        score=NOTHING if found.score is None else f"{found.score:.1f}",
        score_value=found.score,
        confidence=_confidence(found.confidence),
        confidence_value=found.confidence,
        reason=plain(found.reason),
        keys=tuple(f"{KEYS[key.kind]} {plain(key.text)}" for key in found.shared_keys),
        compared_as=plain(weighing.query) if weighing else "",
        parts=tuple(_parts(found)),
        total=weighing.log_odds if weighing else 0.0,
        model_confidence=_confidence(weighing.confidence) if weighing else "",
        heading=_heading(found),
    )


def _heading(found: ExplainedCandidate) -> str:
    """Return why the candidate has its confidence; the one of the model where another is stated, too."""
    weighing = found.weighing
    if weighing is None:
        return ""
    name = plain(found.party.name) or plain(found.recipient_id)
    stated, alone = _confidence(found.confidence), _confidence(weighing.confidence)
    if stated == alone:
        return f"Why {name} has {stated}"
    rule = f"rule {plain(found.reason)}" if found.reason else RULES.get(found.method, "rule")
    return f"The {rule} decides; by name and place alone, {name} would have {alone}"


def _parts(found: ExplainedCandidate) -> Iterator[PartRow]:
    """Give the parts of the log-odds, the largest first; those too small to see are one row."""
    weighing = found.weighing
    if weighing is None:
        return
    parts = sorted(weighing.contributions, key=lambda part: (-abs(part.log_odds), part.feature))
    shown = [part for part in parts[:_MOST_PARTS] if abs(part.log_odds) >= _LEAST_LOG_ODDS]
    rest = [part for part in parts[len(shown) :] if part.log_odds]
    yield PartRow("start of every pair", "", weighing.intercept)
    for part in shown:
        yield PartRow(FEATURES[part.feature], f"{part.value:.2f}", part.log_odds)
    if rest:
        yield PartRow(counted(len(rest), "smaller part"), "", sum(part.log_odds for part in rest))


def _is_other(trial: Trial, found: Explanation) -> bool:
    return trial.linked_id != found.decision.link


def _trial(trial: Trial) -> TrialView:
    confidence = f"confidence {_confidence(trial.confidence)}"
    result = {
        DecisionKind.LINK: f"linked to {plain(trial.linked_id)}, {confidence}",
        DecisionKind.CANDIDATE: f"not linked, {confidence}",
        DecisionKind.NONE: "no candidate",
    }
    return TrialView(CHANGES[trial.change], result[trial.kind])


def _since(shift: DecisionShift, found: Explanation) -> tuple[str, ...]:
    run = f"Run of {moment_text(shift.run_started_at)}"
    before = shift.before
    if before is None:
        return (f"{run}: it does not have this award",)
    linked = f"linked to {_recipient(shift.recipient_name, before.link)} by {plain(before.method)}"
    was = f"{run}: {linked if before.link else 'not linked'}, confidence {_confidence(before.confidence)}"
    if before.link == found.decision.link:
        return (was, "The link is the same now." if before.link else "Not linked now, either.")
    if shift.lost_by is not None:
        return (was, f"That link was lost by {STAGES[shift.lost_by]}.")
    if before.link and not found.names_candidates:
        return (was, "That link is lost. The engine reports no candidates, so the stage is not known.")
    return (was, "The link is new.")


def _recipient(name: str, recipient_id: str) -> str:
    return f"{plain(name)} ({plain(recipient_id)})" if name else plain(recipient_id)


def render_explanation(view: ExplanationView, width: int, use_colour: bool) -> str:
    """Return the explanation for a terminal, in at most `width` columns (NARROWEST_WIDTH at least)."""
    width = max(width, NARROWEST_WIDTH)
    colour = "green" if view.is_linked else "yellow"
    title = click.style(view.title, fg=colour, bold=True) if use_colour else view.title
    parts = (
        [" · ".join(filter(None, (view.award_id, view.firm))), *filter(None, (view.firm_facts,))],
        [title, *([f"  {view.why}"] if view.why else [])],
        list(view.since),
        _searched(view, width),
        _candidate_lines(view, width),
        _weighed(view, width),
        _labelled(
            "What would change the decision:", [f"{one.change} {ARROW} {one.result}" for one in view.changes]
        ),
        _labelled("What would not change it:", [one.change for one in view.robust]),
        textwrap.wrap(view.unknown, width),
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _searched(view: ExplanationView, width: int) -> list[str]:
    if not view.names:
        return []
    best = view.candidates[0] if view.candidates else None
    keys = " · ".join(best.keys) if best else ""
    facts = [*(("compared as", name) for name in view.names), ("search", view.searched), ("found by", keys)]
    return [
        line
        for label, text in facts
        for line in textwrap.wrap(
            text, width, initial_indent=f"{label:13}", subsequent_indent=" " * 13, break_on_hyphens=False
        )
    ]


def _candidate_lines(view: ExplanationView, width: int) -> list[str]:
    if not view.candidates:
        return []
    body = [
        (one.recipient_id, one.name, one.place, one.reason or one.method, one.score, one.confidence)
        for one in view.candidates
    ]
    return table_lines(_CANDIDATES, body, width)


def _weighed(view: ExplanationView, width: int) -> list[str]:
    """Return the waterfall of the best candidate whose name was compared, as text."""
    best = next((one for one in view.candidates if one.parts), None)
    if best is None:
        return []
    bars = min(_BAR, width // 4)
    room = min(max(len(part.name) for part in best.parts), width - bars - 18)
    reached = [0.0, *itertools.accumulate(part.log_odds for part in best.parts)]
    low, high = min(reached), max(reached)
    scale = (bars - 1) / ((high - low) or 1.0)
    compared = f" as {best.compared_as}" if len(view.names) > 1 else ""
    lines = textwrap.wrap(f"{best.heading}{compared}, in log-odds:", width)
    for part, start, end in zip(best.parts, reached, reached[1:], strict=False):
        left, right = (round((edge - low) * scale) for edge in sorted((start, end)))
        mark = ("+" if part.log_odds >= 0 else "-") * max(right - left, 1)
        name = cut(part.name, room)
        lines.append(f"  {name:{room}} {part.value:>5} {signed_number(part.log_odds):>7}  {' ' * left}{mark}")
    lines.append(
        f"  {'together':{room}} {'':>5} {signed_number(best.total):>7}  {ARROW} {best.model_confidence}"
    )
    return lines


def _labelled(label: str, lines: Sequence[str]) -> list[str]:
    return [label, *(f"  {line}" for line in lines)] if lines else []
