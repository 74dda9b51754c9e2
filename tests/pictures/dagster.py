"""Write the pictures of Dagster's pages: graph, checks, progress, a refused run and the launchpad.

It needs Chromium and chromium-driver on the PATH, and minutes: `dagster dev` runs the job over the fixtures,
over 300,000 recipients in small chunks, and with links that the engine no longer makes.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import yaml

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions
from sbir_gate.orchestration.names import ENRICHED, GROUP, JOB, REPORT
from tests.browser import Browser, open_browser
from tests.dagster_server import ROOT, Place, Server, dev_server, wait_until
from tests.pictures.make import PICTURES

SIZE = (1500, 900)
FIXTURES = ("awards", "recipients", "truth")
AWARDS, RECIPIENTS = 20_000, 300_000
REFUSED = ("matching.methods=[uei-exact]",)
EVENTS = """query($run: ID!) {runOrError(runId: $run) {...on Run {status
  eventConnection {events {__typename}}}}}"""

_FIND = "[...document.querySelectorAll('*')].find(e => !e.children.length && e.textContent === arguments[0])"
_CLICK = f"{_FIND}.click()"
_SCROLL = f"{_FIND}.scrollIntoView()"


def make_place(folder: Path) -> Place:
    """Return an instance whose settings name the fixtures, and more recipients beside them."""
    config = folder / "gate.yaml"
    fixtures = {name: str(folder / f"{name}.csv") for name in FIXTURES}
    for path in fixtures.values():
        shutil.copyfile(ROOT / "fixtures" / Path(path).name, path)
    settings = {
        "fixtures": fixtures,
        "gate": {"baselines_folder": str(folder / "none")},
        "orchestration": {"progress_seconds": 1, "owners": ["team:grants"]},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    place = Place(folder, config)
    place.set_up()
    return place


def run_to_end(server: Server, *assignments: str) -> str:
    """Run the job over the fixtures, and return its id when it has ended."""
    run = server.launch(JOB, assignments=list(assignments))
    wait_until(lambda: _state(server, run)["status"] in {"SUCCESS", "FAILURE"}, 120)
    return run


def _state(server: Server, run: str) -> dict[str, object]:
    return server.ask(EVENTS, run=run)["runOrError"]


def _observations(server: Server, run: str) -> int:
    events = _state(server, run)["eventConnection"]["events"]
    return sum(event["__typename"] == "ObservationEvent" for event in events)


def start_long_run(server: Server, folder: Path) -> str:
    """Launch the job over many recipients, and return its id once it has reported some progress."""
    data = folder / "data"
    synthesise(SynthesisOptions(AWARDS, RECIPIENTS, seed=7, file_format=FileFormat.PARQUET), data)
    run = server.launch(
        JOB,
        awards=str(data / "awards.parquet"),
        recipients=str(data / "recipients.parquet"),
        truth=None,
        folder=str(folder / "long"),
        chunk_size=2_000,
    )
    wait_until(lambda: _observations(server, run) >= 3, 120)
    return run


def show(browser: Browser, address: str, wanted: str, seconds: float = 3) -> None:
    """Open a page and wait until it has a text, and a moment more: it is drawn in steps."""
    browser.show(size=SIZE)
    browser.driver.get(address)
    browser.wait(f"document.body.innerText.includes({wanted!r})")
    time.sleep(seconds)


def show_plots(browser: Browser, first: str) -> None:
    """Turn the metadata of the overview that is open into plots, and scroll to the first that is wanted."""
    browser.run(_CLICK, "Plots")
    browser.wait("document.querySelector('canvas')")
    browser.run(_SCROLL, first)
    time.sleep(3)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder to write to")
    parser.add_argument(
        "--folder", type=Path, default=Path("/srv/sbir"), help="new folder to work in: pages show its name"
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.folder.mkdir(parents=True)
    try:
        with dev_server(make_place(options.folder)) as server, open_browser() as browser:
            take_pictures(server, browser, options.folder, options.output)
    finally:
        shutil.rmtree(options.folder)


def take_pictures(server: Server, browser: Browser, folder: Path, output: Path) -> None:
    """Run the job in every way that is shown, and write the pictures."""

    def picture(name: str, path: str, wanted: str) -> None:
        show(browser, f"{server.address}{path}", wanted)
        browser.picture(output / f"dagster-{name}.png", size=SIZE)

    for _ in range(2):
        sound = run_to_end(server)
    location, asset = "/locations/sbir_gate.orchestration", f"/assets/{ENRICHED}"
    picture("report", f"/runs/{sound}?logs=step%3A{REPORT}", "Show Markdown")
    picture("catalog", f"{asset}?view=overview", "Show materialization events")
    picture("launchpad", f"{location}/jobs/{JOB}/playground", "chunk_size")
    refused = run_to_end(server, *REFUSED)
    picture("assets", f"{location}/asset-groups/{GROUP}/lineage", "4 / 7")
    picture("checks", f"{asset}?view=checks&checkDetail=match_rate_regression", "Match rate fell")
    picture("refused", f"/runs/{refused}?logs=type%3ASTEP_FAILURE", "RefusalError")
    show(browser, f"{server.address}{asset}?view=overview", "Plots")
    show_plots(browser, "match_rate")
    browser.picture(output / "dagster-plots.png", size=SIZE)
    long = start_long_run(server, folder)
    picture("progress", f"/runs/{long}?logs=left", "s left")


if __name__ == "__main__":
    main()
