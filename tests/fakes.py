"""Fakes of the edges of the main job: an engine, a machine at rest, and a fixture that both know."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from sbir_gate.gate.edges import Edges
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.publishing.event import Event
from sbir_gate.model.run import Machine, Source
from sbir_gate.model.samples import Calibration

AWARDS = 12
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
WELL = ProcessResult(exit_status=0, is_timed_out=False, wall_seconds=2.0, cpu_seconds=1.5, peak_rss_mib=100.0)


class FakeEngine:
    """Plays the enricher: links award i to recipient i and `more` to nobody, tells counters, ends as told."""

    def __init__(self, ends=WELL, links=AWARDS, more=(), error=None):
        self.ends = ends
        self.error = error
        self.more = more
        self.links = links
        self.commands = []
        self.config_texts = []

    def __call__(self, request):
        arguments = list(request.arguments)
        self.commands.append(arguments)
        if "--config" in arguments:
            self.config_texts.append(Path(arguments[arguments.index("--config") + 1]).read_text())
        metrics = next((Path(text) for text in arguments if text.endswith("metrics.json")), None)
        if self.error is not None:
            metrics.write_text(json.dumps({"error": self.error.facts_of(self.error.fault)}))
        if self.ends.exit_status == 0:
            output = next(Path(text) for text in arguments if text.endswith("enriched.parquet"))
            with output.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
                for number in range(AWARDS):
                    found = number < self.links
                    writer.writerow(
                        [f"A{number}", *((f"R{number}", "uei-exact", 100) if found else ("", "none", 0))]
                    )
                writer.writerows([award, "", "none", 0] for award in self.more)
            counters = dict.fromkeys(("recipients_scanned", "candidates_generated", "pairs_scored"), 10)
            metrics.write_text(json.dumps({"counters": counters, "notes": {"model": "7"}}))
        return self.ends


def write_fixture(folder):
    """Write a fixture whose right recipient of award Ai is Ri."""
    (folder / "awards.csv").write_text(
        "award_id,Company,Phase,Number Employees,UEI\n"
        + "".join(f"A{n},Firm {n} Inc,Phase I,{n},\n" for n in range(AWARDS))
    )
    (folder / "recipients.csv").write_text(
        "recipient_id,legal_business_name,uei\n" + "".join(f"R{n},FIRM {n} INC,\n" for n in range(AWARDS))
    )
    (folder / "truth.csv").write_text(
        "award_id,recipient_ids\n" + "".join(f"A{n},R{n}\n" for n in range(AWARDS))
    )


def fake_edges(engine, now=NOW):
    return Edges(
        now=lambda: now,
        launch=engine,
        calibrate=lambda: Calibration(0.05, 0.05),
        machine=lambda: Machine("m" * 16, "Example CPU", 4, 16_384, "Linux x86_64", "3.11.7"),
        source=lambda: Source("c" * 40, "main", is_dirty=False),
        tags=lambda: ("v1.0",),
    )


def make_event(name="pull_request", **changes):
    """Return an event of a workflow: a pull request against main, unless told otherwise."""
    usual = {
        "name": name,
        "repository": "octo-org/octo-repo",
        "api_url": "https://api.github.example",
        "server_url": "https://github.example",
        "head_sha": "a" * 40,
        "pull_number": 7,
        "base_ref": "main",
        "is_fork": False,
        "run_id": 11,
        "run_attempt": 1,
        "workflow": "gate",
        "actor": "ana",
    }
    branch = "change" if name == "pull_request" else changes.get("base_ref") or "main"
    return Event(**{**usual, "branch": branch, "default_branch": "main", **changes})


def unknown_subject(_commit: str) -> str:
    """Know no commit: return no first line of a message."""
    return ""
