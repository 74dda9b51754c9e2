import re
from pathlib import Path

import yaml

from sbir_gate.gate.comparing.limits import limits_of
from sbir_gate.gate.reporting.messages import limit_text
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Direction, MetricLimit

ROOT = Path(__file__).parents[4]
ROW = re.compile(
    r"^\| (?:<a id=\"[^\"]+\"></a>)?`(?P<name>[^`]+)` \| [^|]+"
    r" \| (?P<rest>[^|]+ \| [^|]+ \| [^|]+ \| [^|]+) \|$",
    re.MULTILINE,
)


def configured():
    """Return what the page should say of each metric in config/base.yaml."""
    settings = yaml.safe_load((ROOT / "config" / "base.yaml").read_text())
    metrics = settings["gate"]["metrics"]
    metrics["match_rate"]["minimum"] = settings["enrichment"]["performance"]["match_rate_threshold"]
    rows = {}
    for name, options in metrics.items():
        limit = MetricLimit(
            name=name,
            **options
            | {
                "direction": Direction(options["direction"]),
                "kind": MetricKind(options["kind"]),
                "absolute_severity": Severity(options.get("absolute_severity", "fail")),
            },
        )
        limits = ", ".join(map(limit_text, limits_of(limit)))
        dead_zone = f", from {limit.smallest_change:g}" if limit.smallest_change else ""
        rows[name] = f"{limit.unit} | {limit.direction} | {limit.kind} | {limits}{dead_zone}"
    return rows


def test_the_page_gives_every_limit_as_it_is_configured():
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert {match["name"]: match["rest"] for match in ROW.finditer(page)} == configured()
