"""How judging time grows: `python -m tests.performance.judging_time` prints seconds and ratios.

Two Runs side by side are judged whole (`judge`): with ten times as many pairs in each of five noisy metrics,
and with ten times as many metrics, half of which have a limit. Linear growth is a ratio of 10. The exit
status is 1 if a ratio is above 20, or if 10,000 pairs in one metric take 2 s or longer.
"""

import random
import sys
import time
from dataclasses import replace

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.model.run import Metric, MetricKind
from sbir_gate.model.samples import Sample
from tests.factories import DIGEST, make_limit, make_policy, make_run

PAIRS = (1_000, 10_000)
METRICS = (10_000, 100_000)
NOISY_NAMES = ("wall_seconds", "cpu_seconds", "seconds_per_record", "peak_rss_mib", "stage_seconds/a")
LARGEST_RATIO = 20
LIMIT_SECONDS = 2.0


def sides_of(pairs, names, seed=1):
    """Return head and base with so many pairs in each of these metrics."""
    random_numbers = random.Random(seed)

    def side():
        metrics = tuple(
            Metric(
                name,
                "s",
                MetricKind.NOISY,
                tuple(random_numbers.lognormvariate(0, 0.1) for _ in range(pairs)),
            )
            for name in names
        )
        samples = tuple(Sample(1.0, 1.0, 100.0, 50.0, 0.1, DIGEST) for _ in range(pairs))
        return make_run(session="together", metrics=metrics, samples=samples)

    return side(), side()


def seconds_to_judge(head, base, policy):
    started = time.perf_counter()
    judge(head, base, policy)
    return time.perf_counter() - started


def of_pairs(pairs, names):
    head, base = sides_of(pairs, names)
    return seconds_to_judge(head, base, make_policy(limits=tuple(make_limit(name) for name in names)))


def of_metrics(count):
    names = [f"work/{number}" for number in range(count)]
    metrics = tuple(Metric(name, "count", MetricKind.EXACT, (float(len(name)),)) for name in names)
    limits = tuple(
        replace(make_limit(name), unit="count", kind=MetricKind.EXACT) for name in names[: count // 2]
    )
    run = make_run(metrics=metrics)
    return seconds_to_judge(run, run, make_policy(limits=limits))


def main():
    one = of_pairs(PAIRS[-1], NOISY_NAMES[:1])
    print(f"{PAIRS[-1]:,} pairs in one metric: {one:.2f} s")
    is_within = one < LIMIT_SECONDS
    for what, sizes, timed in (
        (f"pairs in {len(NOISY_NAMES)} metrics", PAIRS, lambda size: of_pairs(size, NOISY_NAMES)),
        ("metrics", METRICS, of_metrics),
    ):
        seconds = [timed(size) for size in sizes]
        ratio = seconds[1] / seconds[0]
        is_within = is_within and ratio <= LARGEST_RATIO
        steps = ", ".join(f"{size:,}: {spent:.2f} s" for size, spent in zip(sizes, seconds, strict=True))
        print(f"{what}: {steps}; ratio {ratio:.1f} for 10 times as many")
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
