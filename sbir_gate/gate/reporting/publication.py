"""What GitHub shows of a verdict: the report in several lengths, remarks, and a digest of what is news."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sbir_gate.gate.reporting.annotations import build_annotations
from sbir_gate.gate.reporting.awards_view import AwardsView
from sbir_gate.gate.reporting.markdown import Surroundings, render_markdown
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.policy_view import fixture_text
from sbir_gate.gate.reporting.trend_charts import trend_charts
from sbir_gate.gate.reporting.view import View, build_view, few
from sbir_gate.model.finding import Severity
from sbir_gate.model.publication import Links, Publication, Subjects, TrendSeries
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Verdict

# rows and reasons of the barest report: with the longest names it is well below a comment's limit
_FEW_ROWS = 40
_FEW_REASONS = 10
_AWARDS_BY_RUNG = (50, 20, 5, 0)


def build_publication(
    run: Run | None,
    verdict: Verdict,
    *,
    origins: Mapping[str, str],
    folder: str = "",
    trends: Sequence[TrendSeries],
    links: Links,
    subjects: Subjects | None = None,
) -> Publication:
    """Return what is published of a verdict; without its Run, without quality and machine.

    `origins` says where each setting stands, and `folder` where the gate was run, for the remarks
    (`build_annotations`); `trends` are the courses
    that are drawn, none if there is no history.
    """
    view = build_view(run, verdict, links, subjects)
    charts = trend_charts(trends)
    return Publication(
        gate=verdict.gate,
        outcome=verdict.outcome,
        title=view.headline,
        digest=_digest(verdict),
        texts=tuple(
            dict.fromkeys(
                render_markdown(rung.view, Surroundings(links, rung.charts)) for rung in _rungs(view, charts)
            )
        ),
        annotations=build_annotations(verdict, origins, folder),
    )


@dataclass(frozen=True, slots=True)
class _Rung:
    view: View
    charts: tuple[str, ...] = ()


def _rungs(view: View, charts: tuple[str, ...]) -> Sequence[_Rung]:
    """Return the report from the fullest to the barest; what fails is on every one of them.

    Details go first, then the folded awards (all are in a file of their own), then what is
    within limits, then what is undecided. Only the last one has not all that fails, and says so.
    """
    plainer = replace(view, info_rows=(), quality=(), strata=(), links=(), reliability=(), environment=())
    with_awards = [replace(plainer, awards=view.awards.first(most)) for most in _AWARDS_BY_RUNG]
    short = replace(
        with_awards[-1],
        rows=view.open_rows,
        has_all=False,
        more_rows=_more_rows(len(view.rows) - len(view.open_rows), "metrics"),
        reasons=few(view.reasons, _FEW_REASONS),
        notes=few(view.notes, _FEW_REASONS),
        slices=(),
        own_rows=(),
        kept=(),
        log=(),
        next=replace(view.next, waivers=""),
    )
    failing = tuple(row for row in view.rows if row.severity is Severity.FAIL)
    bare = replace(
        short,
        rows=failing,
        more_rows=_more_rows(len(view.rows) - len(failing), "metrics"),
        awards=AwardsView(),
        reasons=few(view.reasons, 3),
        notes=(),
        waivers=(),
        # that the policy was edited is said on every rung, or long values could hide it
        banner=replace(view.banner, rows=(), more="") if view.banner else None,
    )
    barest = replace(
        bare,
        rows=failing[:_FEW_ROWS],
        more_rows=_more_rows(len(failing) - _FEW_ROWS, "failing metrics") or bare.more_rows,
    )
    return [_Rung(view, charts), _Rung(view), *map(_Rung, [*with_awards, short, bare, barest])]


def _more_rows(count: int, what: str) -> str:
    return f"{count:,} more {what} are in the reports" if count > 0 else ""


def _digest(verdict: Verdict) -> str:
    """Return a digest over what a reader would call news: all but figures that differ by noise alone."""
    records = verdict.records
    facts = [
        verdict.gate,
        verdict.timing,
        verdict.outcome,
        texts(verdict.findings),
        verdict.head_commit,
        verdict.reference_commit,
        verdict.policy_commit,
        [[edit.what, edit.before, edit.after] for edit in verdict.policy_edits],
        fixture_text(verdict.fixture_edits) if verdict.fixture_edits else "",
        [
            [each.metric, each.limit, each.expires.isoformat(), each.owner, each.reason, each.pr]
            for each in verdict.waivers
        ],
        [
            [change.metric, change.severity, change.is_sound, *_exact_values(change.kind, change.head)]
            for change in verdict.changes
        ],
        [
            [each.award_id, each.before_recipient_id, each.after_recipient_id]
            for each in (*records.lost, *records.gained, *records.relinked)
        ],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _exact_values(kind: MetricKind, value: float | None) -> list[float | None]:
    return [value] if kind is MetricKind.EXACT else []
