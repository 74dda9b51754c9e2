"""What growing chunks cost beside chunks of one size, and whether the output is the same byte for byte.

    python -m tests.performance.chunk_growth AWARDS RECIPIENTS [PAIRS]

A run with the default settings (chunks begin with 10,000 recipients and grow up to 250,000) is held against
one whose chunks have 250,000 from the start: in turn, in one process, on the same files. Then the SHA-256 of
the output is compared for chunks of 10,000, of 250,000, growing ones, and a growing run that resumes one of
7,000 which was interrupted. The exit status is 1 if an output differs, or if the median of the processor
time's ratios is above 1.03.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.settings import load_settings
from sbir_gate.settings.schema import Settings

CHUNK_SIZE = "enrichment.performance.chunk_size"
GROWING: dict[str, object] = {}
FIXED: dict[str, object] = {CHUNK_SIZE: 250_000}
LIMIT = 1.03
_INTERRUPTED_AFTER = 7


def settings_of(options: dict[str, object]) -> Settings:
    """Return the settings of base.yaml under the options."""
    return load_settings(None, {}, options, ["enrichment.performance.timeout_seconds=36000"]).settings


def timed(request: EnrichRequest, options: dict[str, object]) -> tuple[float, float]:
    """Return wall and processor seconds of a run."""
    settings = settings_of(options)
    started, started_cpu = time.perf_counter(), time.process_time()
    link_and_write(request, settings)
    return time.perf_counter() - started, time.process_time() - started_cpu


def interrupt(request: EnrichRequest, options: dict[str, object]) -> None:
    """Run until some chunks of recipients are finished."""
    chunks = 0

    def stop(stage: str, *_facts: object) -> None:
        nonlocal chunks
        chunks += stage == "recipients"
        if chunks == _INTERRUPTED_AFTER:
            raise KeyboardInterrupt

    try:
        link_and_write(request, settings_of(options), progress=stop)
    except KeyboardInterrupt:
        return
    raise AssertionError("there are too few recipients to interrupt the run")


def compare_time(request: EnrichRequest, pairs: int) -> float:
    """Print each pair; return the median of the ratios of processor time."""
    timed(request, FIXED)  # the files come into the cache
    ratios: list[tuple[float, float]] = []
    for number in range(pairs):
        first_fixed = number % 2 == 0
        taken = {
            is_fixed: timed(request, FIXED if is_fixed else GROWING)
            for is_fixed in (first_fixed, not first_fixed)
        }
        ratios.append((taken[False][0] / taken[True][0], taken[False][1] / taken[True][1]))
        print(
            f"fixed {taken[True][0]:.2f} s, {taken[True][1]:.2f} s CPU; growing {taken[False][0]:.2f} s,"
            f" {taken[False][1]:.2f} s CPU; ratios {ratios[-1][0]:.3f}, {ratios[-1][1]:.3f}",
            flush=True,
        )
    wall, cpu = (median(values) for values in zip(*ratios, strict=True))
    print(f"medians of the ratios, growing / fixed: wall time {wall:.3f}, processor time {cpu:.3f}")
    return cpu


def digests(request: EnrichRequest) -> dict[str, str]:
    """Return the SHA-256 of the output by the kind of chunks."""
    found = {}
    for name, options in {
        "10,000": {CHUNK_SIZE: 10_000},
        "250,000": FIXED,
        "growing": GROWING,
        "resumed": GROWING,
    }.items():
        if name == "resumed":
            interrupt(request, {CHUNK_SIZE: 7_000})
        link_and_write(request, settings_of(options))
        found[name] = hashlib.sha256(request.output.read_bytes()).hexdigest()
        request.output.unlink()
    return found


def main(awards: str, recipients: str, pairs: int = 9) -> int:
    """Compare time and output; return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        request = EnrichRequest(awards, recipients, Path(name) / "out.parquet")
        ratio = compare_time(request, pairs)
        found = digests(request)
    for kind, digest in found.items():
        print(f"{kind:>8} {digest}")
    return int(ratio > LIMIT or len(set(found.values())) > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4])))
