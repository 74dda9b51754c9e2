"""What watching costs: `python tests/performance/monitor_overhead.py` prints time with / without the monitor.

Blocks of 0.1 to 50 ms of string work like the enrichment's are run plain, timed, and monitored, one by one
in random order, so a drift of the machine meets all three alike. A ratio is fastest with / fastest without:
what other programs take away from a block only ever makes it slower. On a busy machine the ratios of long
blocks still differ by some percent from call to call, in both directions. So the cost of one block is also
measured by itself, from many empty ones, and is given as a share of the block: that figure is steady, and
it decides. The exit status is 1 if the share is 5 % or above for a block of 5 ms or more, which is what
stages are.
"""

import random
import sys
import time
from contextlib import nullcontext

from sbir_gate.monitor import PerformanceMonitor

LIMIT_SHARE = 0.05
STAGE_SECONDS = 0.005
NAME = "ADVANCED PHOTONICS & MATERIALS RESEARCH, L.L.C."
# names to work on in a block, how many blocks of each kind
SIZES = ((150, 3000), (1_500, 600), (15_000, 100), (90_000, 30))
EMPTY_BLOCKS = 3000


def work(names):
    for _ in range(names):
        sorted(NAME.casefold().replace(".", "").replace(",", " ").split())


def seconds_of(block, names):
    started = time.perf_counter()
    with block("work"):
        work(names)
    return time.perf_counter() - started


def measure(blocks, names, times):
    """Return kind of block -> seconds of the fastest."""
    turns = [kind for kind in blocks for _ in range(times)]
    random.Random(7).shuffle(turns)
    seconds = {kind: [] for kind in blocks}
    for kind in turns:
        seconds[kind].append(seconds_of(blocks[kind], names))
    return {kind: min(values) for kind, values in seconds.items()}


def main():
    monitor = PerformanceMonitor()
    blocks = {"plain": nullcontext, "time_block": monitor.time_block, "monitor_block": monitor.monitor_block}
    watched = ("time_block", "monitor_block")
    empty = measure(blocks, 0, EMPTY_BLOCKS)
    cost = {kind: empty[kind] - empty["plain"] for kind in watched}
    is_within = True
    sys.stdout.write("     plain   time_block              monitor_block\n")
    for names, times in SIZES:
        seconds = measure(blocks, names, times)
        plain = seconds["plain"]
        sys.stdout.write(f"{plain * 1000:7.2f} ms")
        for kind in watched:
            share = cost[kind] / plain
            sys.stdout.write(f"   {seconds[kind] / plain:6.4f}x (cost {share:6.2%})")
            is_within = is_within and (plain < STAGE_SECONDS or share < LIMIT_SHARE)
        sys.stdout.write("\n")
    costs = ", ".join(f"{kind} {cost[kind] * 1e6:.0f} us" for kind in watched)
    sys.stdout.write(f"cost of one block: {costs}\n")
    return 0 if is_within else 1


if __name__ == "__main__":
    raise SystemExit(main())
