"""The comparison on files that are there: their quality, and what is linked when no recipient is right.

Each way runs twice, against the recipients and against those that the truth does not name. Thresholds are
chosen on one half of the firms and reported on the other, as in evaluation.py; beside that stands what the
way itself accepts, where it says so: a peer's default threshold, the engine's own decision.
"""

from dataclasses import asdict

from tests.performance.peers.data import Folder, Given, load_questions, prepare
from tests.performance.peers.evaluation import REPORTED_ON, evaluate, outcome_of, rates_at
from tests.performance.peers.measuring import measured_runs
from tests.performance.peers.table import page, rate, seconds
from tests.performance.peers.ways import our_answers, peer_answers

COLUMNS = (
    "way",
    "wall s",
    "CPU s",
    "peak MiB",
    "best F1",
    "precision",
    "recall",
    "linked when hidden",
    "by its own limit: F1",
    "precision",
    "recall",
    "linked when hidden",
)


def prepare_both(folder, source, say):
    """Prepare the files with and without the right recipients; return (folder, questions) of both."""
    both = []
    for name, is_hidden in (("whole", False), ("hidden", True)):
        place = Folder(folder.path / name)
        place.path.mkdir(parents=True, exist_ok=True)
        prepare(place, Given(str(source), is_hidden), say)
        both.append((place, load_questions(place)))
    return both


def counts(both):
    """Return how many firms are asked about, and how many of them have a right recipient."""
    (_, questions), (_, hidden) = both
    return {
        "firms": len(questions.queries),
        "findable_firms": sum(bool(query.right) for query in questions.queries.values()),
        "hidden_firms": len(hidden.queries),
    }


def measure_both(way, both, repeats):
    """Run a way on the files with and without the right recipients, and judge its answers."""
    (whole, questions), (hidden, hidden_questions) = both
    output = whole.path / f"{way.name}.parquet"
    measured = measured_runs(way.command(whole, output), output, repeats)
    if "error" in measured:
        return measured
    answers, accepted = answers_of(way, output, questions)
    found = evaluate(answers, questions)
    output = hidden.path / f"{way.name}.parquet"
    without = measured_runs(way.command(hidden, output), output, 1)
    if "error" in without:
        return without
    wrong, wrong_accepted = answers_of(way, output, hidden_questions)
    firms = len(hidden_questions.queries)
    limit = found.best_threshold
    return {
        **measured,
        "threshold": limit,
        "best": found.fuzzy and rates_document(found.fuzzy),
        "hidden": None if limit is None else sum(score >= limit for _, score in wrong.values()) / firms,
        "own": None if accepted is None else rates_document(reported_rates(accepted, questions)),
        "own_hidden": None if wrong_accepted is None else len(wrong_accepted) / firms,
    }


def answers_of(way, output, questions):
    """Return a way's answers, and those among them that it accepts itself: None if it does not say."""
    if way.is_ours:
        answers, links = our_answers(output, questions.award_queries)
        linked = {questions.award_queries[award] for award in links if award in questions.award_queries}
        return answers, {query: answer for query, answer in answers.items() if query in linked}
    answers, _ = peer_answers(output)
    limit = way.default_threshold
    if limit is None:
        return answers, None
    return answers, {query: answer for query, answer in answers.items() if answer[1] >= limit}


def reported_rates(answers, questions):
    """Return the rates of all these answers, of the half that no threshold was chosen on."""
    return rates_at(
        (
            outcome_of(query.right, answers.get(number))
            for number, query in questions.queries.items()
            if query.half == REPORTED_ON
        ),
        float("-inf"),
    )


def rates_document(rates):
    return {**asdict(rates), "precision": rates.precision, "recall": rates.recall, "f1": rates.f1}


def render(results):
    """Return the table with what it was measured on, from the document that `--output` saved."""
    work = (
        f"The files in {results['files']}: {results['firms']:,} firms that no identifier links,"
        f" {results['findable_firms']:,} of them with a right recipient; {results['hidden_firms']:,} when"
        " every right recipient is taken out."
    )
    return page(results, work, table(results["ways"]))


def table(ways):
    """Return the lines of the table."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|" + "--:|" * (len(COLUMNS) - 1)]
    return lines + [row(way) for way in ways]


def row(way):
    if way.get("error"):
        return f"| {way['title']} | failed: {way['error']} |" + " |" * (len(COLUMNS) - 2)
    cells = [
        way["title"],
        *(seconds(way[name]) for name in ("wall_seconds", "cpu_seconds")),
        f"{way['peak_rss_mib']:,.0f}",
    ]
    for found, hidden in (("best", "hidden"), ("own", "own_hidden")):
        rates = way[found] or {}
        cells += [rate(rates.get(name)) for name in ("f1", "precision", "recall")]
        cells.append("-" if way[hidden] is None else f"{way[hidden]:.1%}")
    return f"| {' | '.join(cells)} |"
