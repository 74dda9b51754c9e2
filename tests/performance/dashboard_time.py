"""Size and speed of the dashboard: `python -m tests.performance.dashboard_time` prints them for 1,000 Runs.

The page is made from a synthetic history of some 40 metrics and opened in a headless Chromium; the time to
the first chart is from the start of the navigation to the frame that shows it, as the page itself measured
it. The exit status is 1 if the page is 5 MB or larger, or its first chart took 2 s or longer (the median of
three).
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from sbir_gate.gate.dashboard import dashboard_of
from sbir_gate.gate.reporting.dashboard import dashboard_page
from sbir_gate.gate.storing.history import open_entries
from sbir_gate.pages.page import render_page
from sbir_gate.settings.effective import load_settings
from tests.browser import open_browser
from tests.factories_dashboard import long_history

LARGEST_BYTES = 5_000_000
LIMIT_MILLISECONDS = 2000
FIRST_CHART = "return performance.getEntriesByName('first-chart')[0].startTime"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--output", type=Path, help="where to keep the page")
    options = parser.parse_args()
    entries = {
        f"{number:06}.json": entry
        for number, entry in enumerate(long_history(options.runs, step_at=600, ramp_at=300))
    }
    settings = load_settings(None, {}, {}, ()).settings
    started = time.perf_counter()
    with open_entries(entries) as history:
        gates = dashboard_of(history, settings, None, has_changes=True)
    text = render_page(dashboard_page(gates, "https://code.example/agency/pipeline"))
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        page = options.output or Path(folder) / "dashboard.html"
        page.write_text(text, encoding="utf-8")
        times = []
        for _ in range(3):
            browser.open(page)
            times.append(browser.run(FIRST_CHART))
    size = len(text.encode())
    shown = sum(len(gate.rows) for gate in gates)
    print(f"{options.runs:,} Runs, {shown:,} shown, {len(gates[0].points)} metrics: made in {seconds:.1f} s")
    print(f"size of the page: {size / 1e6:.2f} MB")
    print(f"time to the first chart: {median(times):.0f} ms")
    return int(size >= LARGEST_BYTES or median(times) >= LIMIT_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
