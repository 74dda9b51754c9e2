"""A history that somebody wrote to do harm: one line says what is wrong, and the page and the rest work."""

import json
import os
from dataclasses import replace

import pytest
from click.testing import CliRunner

from sbir_gate.cli.application import application
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.model.document import HISTORY, encode
from sbir_gate.model.run import Metric, Source
from tests.factories import EXACT, NOISY
from tests.factories_history import make_entry

pytestmark = pytest.mark.slow

MARKUP = "</script><script>acted=1</script><img src=x onerror=acted=1>&\"'`\u2028\u202e=cmd|' /C calc'!A0"
SOUND = 9
DAMAGED = 16


def with_markup(entry):
    """Return the entry with markup in every text."""
    return replace(
        entry,
        source=Source(MARKUP, MARKUP, is_dirty=True, pull_request=7),
        tags=(f"v{MARKUP}",),
        enricher=MARKUP,
        tool_version=MARKUP,
        machine=replace(entry.machine, fingerprint=MARKUP, cpu_model=MARKUP),
        fixture=replace(entry.fixture, fingerprint=MARKUP, awards_path=MARKUP),
        metrics=(
            *entry.metrics,
            Metric(MARKUP, MARKUP, EXACT, (1.0,)),
            Metric(f"links/{MARKUP}", "count", EXACT, (3.0,)),
            Metric(f"stage_seconds/{MARKUP}", "s", NOISY, (1.0, 2.0)),
        ),
    )


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "history"
    for number in range(SOUND - 2):
        keep_entry(folder, make_entry(number))
    keep_entry(folder, with_markup(make_entry(20)))
    keep_entry(folder, replace(with_markup(make_entry(21)), gate=MARKUP))
    sound = json.loads(encode(HISTORY, make_entry(30)))

    def damaged(name, number=None, **changes):
        entry = {**sound["history"], **changes}
        if number is not None:
            first, *others = entry["metrics"]
            entry["metrics"] = [{**first, "values": [number]}, *others]
        (folder / name).write_text(json.dumps({**sound, "history": entry}))

    for name, number in (("nan", float("nan")), ("infinite", float("inf")), ("huge", 1e308), ("below", -1.0)):
        damaged(f"{name}.json", number)
    damaged("integer.json", definitions=10**40)
    for year in ("0001-01-01", "9999-12-31", "10000-01-01"):
        damaged(f"{year}.json", started_at=f"{year}T23:59:59.999999Z")
    damaged("future.json", started_at="2126-01-01T00:00:00Z")
    (folder / "broken.json").write_text("{")
    (folder / "empty.json").write_text("")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "device.json").symlink_to("/dev/zero")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    with (folder / "large.json").open("wb") as file:
        file.truncate(50_000_000)
    return folder


def run(*arguments):
    done = CliRunner().invoke(application, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    skipped, future = done.stderr.splitlines()[:2]
    assert skipped.startswith(f"warning: skipped {DAMAGED} of the files of the history: ")
    assert future.startswith("warning: left out: 1 Run starts in the future (the first: future.json, 2126-")
    return done


@pytest.mark.parametrize("name", ["list", "query", "trend"])
def test_the_history_answers_and_one_line_names_what_was_skipped(folder, name):
    metric = () if name == "list" else ("--metric", "wall_seconds")
    assert run("history", name, *metric, "--set", f"history.folder={folder}").stdout


def test_no_script_of_it_runs_in_the_dashboard(folder, tmp_path, browser):
    page = tmp_path / "page.html"
    done = run("dashboard", "--history", folder, "--html", page, "--set", "drift.branch=main")
    assert f"{SOUND} Runs of 2 gates" in done.stdout
    assert page.stat().st_size < 5_000_000
    browser.open(page, "metric=wall_seconds&branch=*")
    browser.run(
        "for (const field of document.querySelectorAll('#filters select')) {"
        " for (let place = 0; place < field.options.length; place += 1) {"
        "  field.selectedIndex = place; field.dispatchEvent(new Event('change', {bubbles: true})); } }"
    )
    assert browser.run("return window.acted === undefined")
    assert browser.problems() == []
