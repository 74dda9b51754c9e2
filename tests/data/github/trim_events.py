"""Cuts the event payloads of this folder from the npm package @octokit/webhooks-examples (see README.md).

python tests/data/github/trim_events.py package/api.github.com/index.json
"""

import json
import sys
from pathlib import Path

EVENTS = Path(__file__).parent / "events"
# event, action, which of its examples
CHOSEN = (
    ("pull_request", "opened", 1),
    ("pull_request", "synchronize", 0),
    ("merge_group", "checks_requested", 0),
    ("push", None, 4),
    ("workflow_dispatch", None, 0),
    ("workflow_run", "completed", 0),
)
# whole objects that nothing reads: they make up most of the bytes
LEFT_OUT = {
    "organization",
    "sender",
    "installation",
    "_links",
    "workflow",
    "user",
    "owner",
    "commits",
    "license",
}


def trimmed(value, depth=0):
    """Return the value without objects that nothing reads, and without the URLs of repositories."""
    if isinstance(value, dict):
        return {
            key: trimmed(part, depth + 1)
            for key, part in value.items()
            if key not in LEFT_OUT and not (depth > 0 and key.endswith("_url"))
        }
    return [trimmed(part, depth + 1) for part in value] if isinstance(value, list) else value


def main(path):
    """Write the chosen payloads."""
    examples = {entry["name"]: entry["examples"] for entry in json.loads(Path(path).read_text("utf-8"))}
    for name, action, number in CHOSEN:
        found = [each for each in examples[name] if action is None or each.get("action") == action]
        stem = f"{name}.{action}" if action else name
        text = json.dumps(trimmed(found[number]), indent=1, sort_keys=True)
        (EVENTS / f"{stem}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
