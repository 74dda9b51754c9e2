"""A message as the payload of a Slack webhook, in Block Kit and within its limits.

Source of the limits and of what must be escaped: Slack's reference of blocks and of formatting text. What
comes from data is plain_text, in which nothing mentions, links or emphasises; only our own links are mrkdwn.
In the fallback text `&`, `<` and `>` are escaped: without them nothing there mentions or links either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sbir_gate.gate.reporting.message import Message, row_text

_HEADER_CHARACTERS = 150
_TEXT_CHARACTERS = 3000
_FALLBACK_CHARACTERS = 3000
_CUT = "..."

Block = Mapping[str, object]
"""One block of Slack's Block Kit."""


def render_slack(message: Message) -> str:
    """Return the JSON payload. `text` is what notifications and screen readers get."""
    title = f"{message.symbol} {message.title}"
    payload = {
        "text": _cut(_escaped(f"{title}. {message.text}".strip()), _FALLBACK_CHARACTERS),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": list(_blocks(message, title)),
    }
    return json.dumps(payload, ensure_ascii=False)


def _blocks(message: Message, title: str) -> Iterator[Block]:
    # a header takes plain text alone, in which nothing is escaped nor read
    yield {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER_CHARACTERS)}}
    if message.text:
        yield _section(message.text)
    if message.reasons:
        yield _section("\n".join(f"• {reason}" for reason in message.reasons))
    if message.rows:
        yield _section("\n".join(row_text(row) for row in message.rows))
    yield {"type": "context", "elements": [_plain_text(message.place)]}
    if message.links:
        links = " · ".join(f"<{_escaped(address)}|{name}>" for name, address in message.links)
        yield {"type": "section", "text": {"type": "mrkdwn", "text": links}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _plain_text(text)}


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": _cut(text, _TEXT_CHARACTERS), "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_CUT)] + _CUT
