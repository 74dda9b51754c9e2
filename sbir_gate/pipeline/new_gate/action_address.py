"""Where a workflow finds the action: the repository that this sbir-gate was installed or cloned from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.references import head_commit

UNKNOWN = "OWNER/sbir-gate@COMMIT"
"""What is written where the address is not known; `sbir-gate doctor` names it as an error."""

GITHUB = "github.com"
_ADDRESS = re.compile(
    r"(?:git\+)?(?:https://|ssh://git@|git@)(?:[^/@\s]+@)?(?P<host>[\w.-]+)[/:]"
    r"(?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Installation:
    """What is known of where this program is from.

    `direct_url` is that of PEP 610 (None if there is none), `sources` are the addresses in the metadata,
    `version` is the version. `remote` and `commit` are of the checkout that it runs from, `is_pushed` says
    whether the remote has that commit.
    """

    direct_url: Mapping[str, object] | None
    sources: tuple[str, ...]
    version: str
    remote: str = ""
    commit: str = ""
    is_pushed: bool = False


def action_address(found: Installation, host: str = GITHUB) -> str:
    """Return `owner/name@commit` or `owner/name@tag` of a repository on `host`, `UNKNOWN` if not known."""
    direct = found.direct_url or {}
    version_control = direct.get("vcs_info")
    if isinstance(version_control, dict):
        repository = _repository(str(direct.get("url", "")), host)
        commit = str(version_control.get("commit_id", ""))
        if repository and _COMMIT.fullmatch(commit):
            return f"{repository}@{commit}"
    repository = _repository(found.remote, host)
    if repository and found.is_pushed:
        return f"{repository}@{found.commit}"
    if not found.commit:
        for source in found.sources:
            if repository := _repository(source, host):
                return f"{repository}@v{found.version}"
    return UNKNOWN


def _repository(address: str, host: str) -> str:
    found = _ADDRESS.fullmatch(address)
    return found["path"] if found and found["host"] == host else ""


def host_of(address: str) -> str:
    """Return the host of a remote's address, that of GitHub if it has none."""
    found = _ADDRESS.fullmatch(address)
    return found["host"] if found else GITHUB


def read_installation() -> Installation:
    """Return what the installed metadata and the checkout of this program say."""
    try:
        installed = distribution("sbir-gate")
    except PackageNotFoundError:
        return Installation(None, (), "")
    direct = _direct_url(installed)
    folder = _checkout(direct)
    sources = tuple(_source_urls(installed.metadata.get_all("Project-URL") or ()))
    if folder is None:
        return Installation(direct, sources, installed.version)
    git = Git(folder)
    commit = head_commit(git)
    remote = git.ask("config", "--get", "remote.origin.url").line
    branches = git.ask("branch", "--remotes", "--contains", commit).line if commit else ""
    return Installation(direct, sources, installed.version, remote, commit, bool(branches))


def _direct_url(installed: Distribution) -> Mapping[str, object] | None:
    try:
        document = json.loads(installed.read_text("direct_url.json") or "null")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _checkout(direct: Mapping[str, object] | None) -> Path | None:
    """Return the folder that this program was installed from, if it is a repository."""
    url = urlsplit(str((direct or {}).get("url", "")))
    folder = Path(unquote(url.path))
    return folder if url.scheme == "file" and (folder / ".git").exists() else None


def _source_urls(entries: Iterable[str]) -> Iterable[str]:
    for entry in entries:
        label, _, address = entry.partition(",")
        if label.strip().casefold() in {"source", "homepage", "repository"}:
            yield address.strip()
