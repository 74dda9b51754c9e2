"""The token for GitHub, from the environment and from nowhere else: one rule for its pages and for git."""

from __future__ import annotations

from collections.abc import Mapping

from sbir_gate.gate.storing.credentials import Token

TOKEN_VARIABLES = ("SBIR_GATE_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
NO_TOKEN_HINT = "set GITHUB_TOKEN: ${{ github.token }} in the env of the step"  # noqa: S105 -- advice, no token
SERVER_VARIABLE = "GITHUB_SERVER_URL"
DEFAULT_SERVER = "https://github.com"


def token_of(environment: Mapping[str, str]) -> Token | None:
    """Return the token of the first variable that is set; None without one, or if all are blank.

    Raises UsageError for what cannot be a token.
    """
    text = next((found for name in TOKEN_VARIABLES if (found := environment.get(name, "").strip())), "")
    return Token(text, environment.get(SERVER_VARIABLE) or DEFAULT_SERVER) if text else None
