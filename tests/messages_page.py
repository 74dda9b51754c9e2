"""Write docs/messages.md from the catalogue: `python -m tests.messages_page`."""

from pathlib import Path

from sbir_gate.gate.reporting.messages import Message, catalogue

PAGE = Path(__file__).parents[1] / "docs" / "messages.md"

_HEAD = """\
# Messages

Every message of a verdict has an id, the rule of its finding. `reports/verdict.json` holds the id and the
figures (`findings`); the text is made when it is shown. Comment, check, annotations, Slack, Dagster and the
console take it from one catalogue, `sbir_gate/gate/reporting/messages.toml`. `make golden` writes this page.

Names in braces are filled in with the figures of the finding.
"""
_DOCTOR = """\
## Diagnoses

What `sbir-gate doctor` finds, `sbir-gate check-engine` of an engine (`engine-...`), and `sbir-gate enrich`
of the rows that it reads (`reading-...`). `--format json` gives the id, the place and the figures (`facts`)
of each.

| id | text | fix |
| --- | --- | --- |"""


def page() -> str:
    """Return the page: id, text, headline, meaning and fix of each message."""
    flaws = catalogue("diagnosis")
    rows = map(_row, flaws, flaws.values())
    findings = map(_section, catalogue(), catalogue().values())
    return "\n".join((_HEAD, *findings, _DOCTOR, *rows, ""))


def _row(name: str, entry: Message) -> str:
    fix = entry.fix.replace("{{}}", "{}")
    return f"| `{name}` | {entry.text} | {fix} |"


def _section(name: str, entry: Message) -> str:
    headline = [f"In a headline: {entry.headline}"] if entry.headline else []
    paragraphs = (f"## {name}", f"> {entry.text}", *headline, entry.meaning, f"**Fix:** {entry.fix}")
    return "\n\n".join(paragraphs) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
