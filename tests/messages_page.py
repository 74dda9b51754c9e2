"""Write docs/messages.md from the catalogue: `python -m tests.messages_page`."""

from pathlib import Path

from sbir_gate.gate.reporting.messages import catalogue

PAGE = Path(__file__).parents[1] / "docs" / "messages.md"

_HEAD = """\
# Messages

Every message of a verdict has an id, the rule of its finding. `reports/verdict.json` holds the id and the
figures (`findings`); the text is made when it is shown. Comment, check, annotations, Slack, Dagster and the
console take it from one catalogue, `sbir_gate/gate/reporting/messages.toml`. `make golden` writes this page.

Names in braces are filled in with the figures of the finding.
"""


def page() -> str:
    """Return the page: id, text, meaning and fix of each message."""
    entries = (
        f"## {name}\n\n> {entry.text}\n\n{entry.meaning}\n\n**Fix:** {entry.fix}\n"
        for name, entry in catalogue().items()
    )
    return "\n".join((_HEAD, *entries))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
