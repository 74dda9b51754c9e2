"""Does the stated precision hold in every stratum, in worlds that are easy and hard to link?

    python -m tests.performance.worlds [--worlds NAME ... --seeds 21 22 23 --awards N --recipients N]

Synthesises each world (`sbir-gate data synthesise --world`) with each seed, links it, and prints for each
stratum (the method, and what the place says) the links, their mean stated confidence, how many of them are
correct, and the links of firms without a recipient per such firm. A firm counts once, however many awards it
has. At the end one joint test over all strata of at least `--least` links in all worlds: is any significantly
below the required precision (exact binomial test, Holm's correction, 5%)?
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions
from sbir_gate.datasets.synthesising.worlds import WORLDS
from sbir_gate.engine.linking import LinkRequest, link_files
from sbir_gate.model.matches import DecisionKind
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Outcome:
    """The links of one world and seed: per (method, place) those that are correct, and what was stated."""

    world: str
    stated: dict[tuple[str, str], list[float]]
    correct: Counter[tuple[str, str]]
    firms: int
    with_recipient: int
    found: int
    false_of_absent: int
    notes: dict[str, str]


def main(arguments: list[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    settings = load_settings(None, {}).settings
    limit = settings.matching.min_precision
    outcomes = []
    for world in given.worlds:
        for seed in given.seeds:
            outcomes.append(measured(world, seed, given.awards, given.recipients))
            write(table(f"{world}, seed {seed}", [outcomes[-1]]))
    write(table("all worlds", outcomes))
    write(joint_test(outcomes, given.least, limit))


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    found.add_argument("--worlds", nargs="*", default=[*WORLDS], choices=[*WORLDS])
    found.add_argument("--seeds", nargs="*", type=int, default=[21, 22, 23])
    found.add_argument("--awards", type=int, default=30_000)
    found.add_argument("--recipients", type=int, default=100_000)
    found.add_argument("--least", type=int, default=200, help="links of a stratum that is tested")
    return found


def measured(world: str, seed: int, awards: int, recipients: int) -> Outcome:
    """Link one world, and hold the decision on each firm against the truth of its awards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = SynthesisOptions(awards, recipients, seed, FileFormat.CSV, world=WORLDS[world])
        made = synthesise(options, folder)
        truth = read_truth(made.truth_path)
        request = LinkRequest(str(made.awards_path), str(made.recipients_path))
        with link_files(request, load_settings(None, {}).settings, PerformanceMonitor()) as linked:
            pairs = linked.connection.execute("SELECT firm_id, award_id FROM award_firms").fetchall()
            decisions, notes = linked.matched.decisions, dict(linked.matched.notes)
    right: dict[int, frozenset[str]] = defaultdict(frozenset)
    for firm, award in pairs:
        right[firm] |= truth.get(award, frozenset())
    stated: dict[tuple[str, str], list[float]] = defaultdict(list)
    correct: Counter[tuple[str, str]] = Counter()
    found = false_of_absent = 0
    for decision in decisions:
        if decision.kind is DecisionKind.LINK and decision.best is not None:
            key = (decision.method.value, decision.best.place.value)
            is_correct = decision.best.recipient_id in right[decision.firm_id]
            stated[key].append(decision.best.confidence)
            correct[key] += is_correct
            found += is_correct
            false_of_absent += not right[decision.firm_id]
    with_recipient = sum(bool(right[decision.firm_id]) for decision in decisions)
    return Outcome(world, stated, correct, len(decisions), with_recipient, found, false_of_absent, notes)


def table(title: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    stated: dict[tuple[str, str], list[float]] = defaultdict(list)
    correct: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        correct += outcome.correct
        for key, values in outcome.stated.items():
            stated[key] += values
    yield f"\n{title}\n"
    yield "| method | place | links | stated | measured |"
    yield "|---|---|--:|--:|--:|"
    for (method, place), values in sorted(stated.items()):
        count = len(values)
        shares = f"{math.fsum(values) / count:.4f} | {correct[method, place] / count:.4f}"
        yield f"| {method} | {place} | {count:,} | {shares} |"
    links = sum(map(len, stated.values()))
    firms, known = sum(each.firms for each in outcomes), sum(each.with_recipient for each in outcomes)
    false, found = sum(each.false_of_absent for each in outcomes), sum(each.found for each in outcomes)
    yield f"\nprecision {sum(correct.values()) / max(links, 1):.4f}, recall {found / max(known, 1):.4f}"
    absent = firms - known
    yield f"false links per firm without a recipient: {false / max(absent, 1):.4f} of {absent:,}"
    if len(outcomes) == 1:
        yield ", ".join(f"{name} {value}" for name, value in outcomes[0].notes.items())


def joint_test(outcomes: Sequence[Outcome], least: int, required: float) -> Iterator[str]:
    """Test all strata of enough links in all worlds together (Holm 1979)."""
    tests = sorted(
        (below(len(values), outcome.correct[key], required), outcome.world, *key, len(values))
        for outcome in outcomes
        for key, values in outcome.stated.items()
        if len(values) >= least
    )
    yield f"\n{len(tests)} strata of {least} links or more; significantly below {required:g}:"
    rejected = 0
    for rank, (chance, *stratum, links) in enumerate(tests):
        if chance > SIGNIFICANCE / (len(tests) - rank):
            break
        rejected += 1
        yield f"- {', '.join(stratum)}: {links:,} links, p = {chance:.2g}"
    if not rejected:
        yield f"none (smallest p = {tests[0][0]:.2g})" if tests else "none"


def below(links: int, correct: int, share: float) -> float:
    """Return the chance of at most `correct` of `links` where each is correct with the chance `share`."""

    def logarithm(count: int) -> float:
        ways = math.lgamma(links + 1) - math.lgamma(count + 1) - math.lgamma(links - count + 1)
        return ways + count * math.log(share) + (links - count) * math.log1p(-share)

    return min(1.0, math.fsum(math.exp(logarithm(count)) for count in range(correct + 1)))


def write(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
