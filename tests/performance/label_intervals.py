"""Do the intervals of `sbir-gate label --estimate` hold the true values? On the fixtures, over many seeds.

Run: python -m tests.performance.label_intervals [--seeds 200] [--count 200]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from sbir_gate.datasets.labelling.figures import estimate_quality
from sbir_gate.datasets.labelling.sampling import SampledFrom, draw_sample
from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.gate.fixture import read_profiles
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"


def main() -> None:
    """Print, per rate, the true value, how often the interval held it, and its mean width."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    effective = load_settings(None, {})
    awards, truth = FIXTURES / "awards.csv", read_truth(FIXTURES / "truth.csv")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "enriched.parquet"
        link_and_write(
            EnrichRequest(str(awards), str(FIXTURES / "recipients.csv"), output), effective.settings
        )
        decisions = read_decisions(output)
    profiles = {profile.award_id: profile for profile in read_profiles(effective)}
    decided = [
        SampledFrom(decision, profiles[decision.award_id].phase, profiles[decision.award_id].identifier_type)
        for decision in decisions
    ]
    linked = [decision for decision in decisions if decision.link]
    correct = sum(decision.link in truth[decision.award_id] for decision in linked)
    true = {
        "precision": correct / len(linked),
        "recall": correct / sum(bool(truth[decision.award_id]) for decision in decisions),
    }
    samples = [draw_sample(decided, arguments.count, seed) for seed in range(arguments.seeds)]
    print(f"{len(decisions):,} awards, about {len(samples[0].drawn)} drawn, {len(samples)} seeds")
    for name, value in true.items():
        found = [getattr(estimate_quality(sample, truth), name) for sample in samples]
        held = sum(one.low <= value <= one.high for one in found)
        width = sum(one.high - one.low for one in found) / len(found)
        print(f"{name:9} {value:.4f}  held {held} of {len(found)}  mean width {width:.4f}")


if __name__ == "__main__":
    main()
