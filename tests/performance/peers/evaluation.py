"""How good the answers are: pure functions of scores and truth.

A **query** has at most one answer, the best recipient with a score, and a set of right recipients, empty
where none exists. At a threshold, the answers that score at least that much are accepted:

- precision = right accepted answers / accepted answers;
- recall = right accepted answers / queries that have a right recipient in the table;
- F1 = their harmonic mean.

Both thresholds, that of the best F1 and the lowest that keeps the wanted precision, are chosen on one half
of the queries and reported on the other. Answers of equal score are accepted together or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WANTED_PRECISION = 0.97
CHOSEN_ON, REPORTED_ON = 0, 1


@dataclass(frozen=True)
class Query:
    """One question: whether it is of the fuzzy stage, in which half, and the right answers (maybe none)."""

    is_fuzzy: bool
    half: int
    right: frozenset[str]


@dataclass(frozen=True)
class Questions:
    """Queries by number, the query of each award that has one, links by the rules, and the truth by award."""

    queries: Mapping[int, Query]
    award_queries: Mapping[str, int]
    rule_links: Mapping[str, str]
    truth: Mapping[str, frozenset[str]]


Answers = Mapping[int, tuple[str, float]]
"""Query -> its best recipient and the score."""


@dataclass(frozen=True)
class Outcome:
    """One query: the score of its answer (None without), whether it is right, whether any could be."""

    score: float | None
    is_right: bool
    has_right: bool


@dataclass(frozen=True)
class Rates:
    """Counts at one threshold, and the rates that follow; a rate without a denominator is None."""

    accepted: int
    right: int
    findable: int

    @property
    def precision(self) -> float | None:
        return self.right / self.accepted if self.accepted else None

    @property
    def recall(self) -> float | None:
        return self.right / self.findable if self.findable else None

    @property
    def f1(self) -> float | None:
        return 2 * self.right / (self.accepted + self.findable) if self.accepted + self.findable else None


def rates_at(outcomes: Iterable[Outcome], threshold: float) -> Rates:
    """Return the rates when answers with at least this score are accepted."""
    listed = list(outcomes)
    accepted = [outcome for outcome in listed if outcome.score is not None and outcome.score >= threshold]
    return Rates(
        len(accepted),
        sum(outcome.is_right for outcome in accepted),
        sum(outcome.has_right for outcome in listed),
    )


def curve(outcomes: Iterable[Outcome]) -> list[tuple[float, Rates]]:
    """Return (threshold, rates) for each distinct score, the highest first."""
    listed = list(outcomes)
    findable = sum(outcome.has_right for outcome in listed)
    answered = sorted(
        (outcome for outcome in listed if outcome.score is not None), key=lambda outcome: -outcome.score
    )
    points: list[tuple[float, Rates]] = []
    right = 0
    for accepted, outcome in enumerate(answered, 1):
        right += outcome.is_right
        if accepted == len(answered) or answered[accepted].score != outcome.score:
            points.append((outcome.score, Rates(accepted, right, findable)))
    return points


def best_f1_threshold(outcomes: Iterable[Outcome]) -> float | None:
    """Return the threshold of the highest F1, the highest of several; None where nothing is right."""
    points = [(rates.f1 or 0.0, threshold) for threshold, rates in curve(outcomes) if rates.right]
    return max(points)[1] if points else None


def precise_threshold(outcomes: Iterable[Outcome], wanted: float = WANTED_PRECISION) -> float | None:
    """Return the lowest threshold that keeps the wanted precision; None where no threshold does."""
    kept = [threshold for threshold, rates in curve(outcomes) if (rates.precision or 0.0) >= wanted]
    return min(kept) if kept else None


@dataclass(frozen=True)
class Evaluation:
    """What the table says of one way; rates are None where no threshold was found."""

    best_threshold: float | None
    fuzzy: Rates | None
    precise_threshold: float | None
    precise: Rates | None
    top1_right: int
    findable: int
    awards: Rates | None


def evaluate(answers: Answers, questions: Questions) -> Evaluation:
    """Judge the answers of one way.

    The fuzzy stage is judged on the half that no threshold was chosen on. The award level takes all
    awards: links by the rules, and elsewhere the way's answers at its best threshold.
    """
    queries = questions.queries
    outcomes = {
        number: outcome_of(query.right, answers.get(number))
        for number, query in queries.items()
        if query.is_fuzzy
    }
    chosen_on = [outcome for number, outcome in outcomes.items() if queries[number].half == CHOSEN_ON]
    reported = [outcome for number, outcome in outcomes.items() if queries[number].half == REPORTED_ON]
    best, precise = best_f1_threshold(chosen_on), precise_threshold(chosen_on)
    return Evaluation(
        best_threshold=best,
        fuzzy=None if best is None else rates_at(reported, best),
        precise_threshold=precise,
        precise=None if precise is None else rates_at(reported, precise),
        top1_right=sum(outcome.is_right for outcome in outcomes.values()),
        findable=sum(outcome.has_right for outcome in outcomes.values()),
        awards=None if best is None else award_rates(answers, best, questions),
    )


def outcome_of(right: frozenset[str], answer: tuple[str, float] | None) -> Outcome:
    recipient, score = answer if answer is not None else (None, None)
    return Outcome(score, recipient in right, bool(right))


def award_rates(answers: Answers, threshold: float, questions: Questions) -> Rates:
    """Return the rates over awards of the whole cascade."""
    links = dict(questions.rule_links)
    for award, query in questions.award_queries.items():
        answer = answers.get(query)
        if award not in links and answer is not None and answer[1] >= threshold:
            links[award] = answer[0]
    return link_rates(links, questions.truth)


def link_rates(links: Mapping[str, str], truth: Mapping[str, frozenset[str]]) -> Rates:
    """Return the rates of links (award -> recipient)."""
    right = sum(recipient in truth[award] for award, recipient in links.items())
    return Rates(len(links), right, sum(bool(right_ones) for right_ones in truth.values()))
