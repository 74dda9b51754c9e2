"""Why an award is linked, in words."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sbir_gate.engine.matching import candidates
from sbir_gate.engine.matching.similarity import FEATURES
from sbir_gate.gate.reporting import explanation_words
from sbir_gate.gate.reporting.explanation import NARROWEST_WIDTH, explanation_view, render_explanation
from sbir_gate.gate.reporting.plain_text import display_width
from sbir_gate.model.explanation import (
    Basis,
    Change,
    Contribution,
    DecisionShift,
    ExplainedCandidate,
    Explanation,
    NameForm,
    Party,
    SharedKey,
    Trial,
    Weighing,
)
from sbir_gate.model.matches import Decision, DecisionKind, NoLinkReason
from sbir_gate.model.verdict import LostBy

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTS = (
    Contribution("partial", 1.0, 8.5),
    Contribution("zip_conflict", 1.0, -2.5),
    *(Contribution(name, 0.5, 0.1) for name in FEATURES if name not in {"partial", "zip_conflict"}),
)
WEIGHING = Weighing("QUELLMARK OPTICS", -10.0, PARTS, 0.0911, 1)
BEST = ExplainedCandidate(
    "R7", Party("QUELLMARK OPTIX LLC", "", "", "RENO", "NV", "89501"), "name-fuzzy", 91.7, 0.0911,
    shared_keys=(SharedKey("token", "QUELLMARK"),), weighing=WEIGHING,
)  # fmt: skip
FOUND = Explanation(
    "A1",
    Party("Quellmark Optics", "CSQJZSE9KFD9", "", "BOSTON", "MA", "02110"),
    (NameForm("QUELLMARK OPTICS", "QUELLMARKOPTICS", "QUELLMARK OPT", is_alias=False),),
    Decision("A1", DecisionKind.CANDIDATE, "name-fuzzy", "R7", 91.7, 0.0911, ("R7",)),
    Basis.MODEL,
    (BEST,),
    NoLinkReason.BELOW_LIMIT,
    0.82,
    "1",
    3,
    (
        Trial(Change.SAME_ZIP, "R7", DecisionKind.LINK, "R7", 0.9999),
        Trial(Change.SAME_STATE, "R7", DecisionKind.CANDIDATE, "", 0.2),
        Trial(Change.OTHER_STATE, "R7", DecisionKind.NONE, "", 0.0),
    ),
)


def text_of(found=FOUND, shift=None, width=80):
    """Return the explanation as a terminal without colours shows it."""
    return render_explanation(explanation_view(found, shift), width, use_colour=False)


def test_the_whole_explanation(check_golden):
    check_golden("explanation.txt", text_of(shift=shift_of(link="R7", lost_by=LostBy.ACCEPTANCE)))


def test_every_feature_key_reason_and_change_has_words():
    assert {*FEATURES} <= explanation_words.FEATURES.keys()
    kinds = {piece.kind for piece in (*candidates._NAME_PIECES, *candidates._TOKEN_PIECES)}
    assert kinds == explanation_words.KEYS.keys()
    assert {*Change} == explanation_words.CHANGES.keys()
    assert {*LostBy} == explanation_words.STAGES.keys()


def test_a_frequent_name_is_counted():
    frequent = replace(BEST, weighing=replace(WEIGHING, name_frequency=3))
    view = explanation_view(replace(FOUND, candidates=(frequent,), reason=NoLinkReason.NAME_FREQUENCY))
    assert view.why.startswith("name frequency: 3 recipients of this name")


@pytest.mark.parametrize(
    ("method", "reason", "said"),
    [
        ("uei-exact", "", "The identifier decides; by name and place alone,"),
        ("name-exact", "", "The rule for equal names decides; by name and place alone,"),
        ("name-fuzzy", "other-words", "The rule other-words decides; by name and place alone,"),
    ],
)
def test_where_the_model_does_not_decide_one_line_says_what_does(method, reason, said):
    best = replace(BEST, method=method, confidence=0.998, reason=reason)
    linked = Decision("A1", DecisionKind.LINK, method, "R7", 100.0, 0.998, ("R7",))
    text = text_of(replace(FOUND, decision=linked, candidates=(best,), reason=None), width=120)
    assert f"\n{said} QUELLMARK OPTIX LLC would have 0.091, in log-odds:\n" in text
    assert "Why QUELLMARK OPTIX LLC has" not in text
    narrow = text_of(replace(FOUND, candidates=(best,)), width=60).splitlines()
    (place,) = (place for place, line in enumerate(narrow) if line.startswith("The "))
    assert max(map(display_width, narrow[place : place + 2])) <= 60


def test_the_parts_that_are_shown_add_up_to_the_total():
    (view,) = explanation_view(FOUND).candidates
    assert sum(part.log_odds for part in view.parts) == pytest.approx(view.total)
    assert view.total == pytest.approx(WEIGHING.log_odds)


def test_only_another_link_is_another_decision():
    view = explanation_view(FOUND)
    assert [trial.change for trial in view.changes] == ["the recipient at the award's ZIP code"]
    assert len(view.robust) == 2


def shift_of(link="", lost_by=None):
    """Return what a Run decided: a link to `link`, or none."""
    kind = DecisionKind.LINK if link else DecisionKind.NONE
    before = Decision("A1", kind, "name-fuzzy" if link else "none", link, 95.0, 0.91)
    return DecisionShift(WHEN, before, "QUELLMARK OPTIX LLC" if link else "", lost_by)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (LostBy.BLOCKING, "lost by the candidate search"),
        (LostBy.SCORING, "lost by scoring"),
        (LostBy.ACCEPTANCE, "lost by the acceptance limit"),
    ],
)
def test_the_stage_that_lost_the_link_is_named(stage, words):
    assert words in " ".join(explanation_view(FOUND, shift_of("R7", stage)).since)


def test_a_link_that_is_new_the_same_or_not_in_the_run_is_said():
    linked = replace(FOUND, decision=replace(FOUND.decision, kind=DecisionKind.LINK))
    assert "The link is new." in explanation_view(linked, shift_of()).since
    assert "The link is the same now." in explanation_view(linked, shift_of("R7")).since
    assert "Not linked now, either." in explanation_view(FOUND, shift_of()).since
    assert "does not have this award" in explanation_view(FOUND, DecisionShift(WHEN, None)).since[0]


def test_what_an_enriched_file_cannot_say_is_said():
    stated = Explanation("A1", Party(""), (), FOUND.decision, Basis.MODEL, (), is_stated=True)
    text = text_of(stated)
    assert "does not say how the names were compared" in text
    assert "--set enricher.command=null" in " ".join(text.split())
    assert "search" not in text.partition("The engine")[0]


@pytest.mark.parametrize("width", [-3, 40, 60, 80, 120])
def test_tables_and_bars_fit_the_width(width):
    bars = [line for line in text_of(width=width).splitlines() if re.search(r"\d\.\d\d  ", line)]
    assert len(bars) >= 5
    assert max(map(display_width, bars)) <= max(width, NARROWEST_WIDTH)


def test_hostile_text_cannot_act_on_a_terminal():
    hostile = replace(FOUND, firm=Party("\x1b[31mred\u202e\n::error::"), award_id="A\x1b]0;t\x07")
    text = text_of(hostile)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_colours_only_where_wanted():
    view = explanation_view(FOUND)
    assert "\x1b[" in render_explanation(view, 80, use_colour=True)
    assert "\x1b[" not in render_explanation(view, 80, use_colour=False)
