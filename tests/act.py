"""Workflows run for real, by act instead of GitHub: a team's repository, and a fake GitHub that it is on.

act runs the steps of a job on this machine. Actions of others are replaced by small ones of the same inputs
and outputs: checkout clones the team's repository, the cache stays empty, artifacts lie in a folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.factories_git import ENVIRONMENT, Repository, make_repository
from tests.fakes_github import REPOSITORY, TOKEN, FakeGitHub

ROOT = Path(__file__).parents[1]
# how a machine reaches its package index: the action's environment is made of it
INDEX_PREFIXES = ("PIP_", "UV_", "SSL_CERT_", "HTTPS_PROXY", "https_proxy")
ACT = Path(sys.executable).parent / "act"
WORKFLOWS = ROOT / ".github" / "workflows"

STAND_INS = {
    "actions/checkout": """
name: checkout
description: fetches all branches as origin's and checks out what is asked for, as the real one does
inputs: {ref: {description: r, default: ""}, fetch-depth: {description: d, default: "1"},
  persist-credentials: {description: p, default: "true"}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {REF: "${{ inputs.ref }}"}
      run: |
        git init --quiet --initial-branch=master .
        git remote add origin "$TEAM_ORIGIN"
        git fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
        if git show-ref --quiet --verify "refs/remotes/origin/$REF"; then
          git checkout --quiet -B "$REF" "refs/remotes/origin/$REF"
        else
          git checkout --quiet --detach "${REF:-$GITHUB_SHA}"
        fi
""",
    "actions/setup-python": """
name: python
description: the Python that is here, by the name that the real one gives it
inputs: {python-version: {description: p, default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        mkdir -p "$RUNNER_TEMP/python"
        ln -sf "$(command -v python3)" "$RUNNER_TEMP/python/python"
        echo "$RUNNER_TEMP/python" >> "$GITHUB_PATH"
""",
    "actions/cache": """
name: cache
description: holds nothing
inputs: {path: {description: p, default: ""}, key: {description: k, default: ""}}
runs:
  using: composite
  steps:
    - {shell: bash, run: echo no cache}
""",
    "actions/upload-artifact": """
name: upload
description: keeps a folder
inputs: {name: {description: n, default: ""}, path: {description: p, default: ""},
  if-no-files-found: {description: i, default: ""}}
outputs: {artifact-url: {description: u, value: "${{ steps.keep.outputs.url }}"}}
runs:
  using: composite
  steps:
    - id: keep
      shell: bash
      env: {NAME: "${{ inputs.name }}", PATHS: "${{ inputs.path }}"}
      run: |
        mkdir -p "$TEAM_ARTIFACTS/$NAME"
        cp -r "${PATHS%%$'\\n'*}/." "$TEAM_ARTIFACTS/$NAME"
        rm -rf "$TEAM_ARTIFACTS/$NAME/history"
        echo "url=https://github.example/artifacts/$NAME" >> "$GITHUB_OUTPUT"
""",
    "actions/download-artifact": """
name: download
description: gives a folder back
inputs: {pattern: {description: n, default: ""}, path: {description: p, default: ""},
  merge-multiple: {description: m, default: ""}, run-id: {description: r, default: ""},
  github-token: {description: t, default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {TARGET: "${{ inputs.path }}"}
      run: |
        mkdir -p "$TARGET"
        for artifact in "$TEAM_ARTIFACTS"/sbir-gate-*; do cp -r "$artifact/." "$TARGET"; done
""",
}


@dataclass(frozen=True)
class Job:
    """How a workflow ended: all that was printed, the job summary, and whether it succeeded."""

    log: str
    summary: str
    is_success: bool


@dataclass
class Team:
    """A team's repository with the gate's workflows, on a GitHub of its own."""

    folder: Path
    github: FakeGitHub
    origin: Repository
    tool_cache: Path
    environment: dict[str, str] = field(default_factory=dict)
    own_action: str = ""
    runs: int = 0

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def commit(self, files: Mapping[str, str], branch: str = "main", message: str = "a change") -> str:
        """Commit files on a branch that starts at main, or goes on where it was."""
        known = self.origin.git("branch", "--list", branch)
        self.origin.git("switch", "--quiet", *([branch] if known else ["--create", branch, "main"]))
        sha = self.origin.commit(files)
        self.origin.git("commit", "--quiet", "--amend", "--message", message)
        sha = self.origin.git("rev-parse", "HEAD")
        self.origin.git("switch", "--quiet", "main")
        return sha

    def run(self, event: str, payload: object, workflow: Path, sha: str, **variables: str) -> Job:
        """Run a workflow on an event, as GitHub would."""
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        place.mkdir()
        (place / "event.json").write_text(json.dumps(payload))
        facts = {
            "GITHUB_API_URL": self.github.url,
            "GITHUB_GRAPHQL_URL": f"{self.github.url}/graphql",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(100 + self.runs),
            "GITHUB_SHA": sha,
            "TEAM_ORIGIN": str(self.origin.folder),
            "TEAM_ARTIFACTS": str(self.artifacts),
            **{name: value for name, value in os.environ.items() if name.startswith(INDEX_PREFIXES)},
            **self.environment,
            **variables,
        }
        command = [
            ACT,
            event,
            "--workflows",
            workflow,
            "--eventpath",
            place / "event.json",
            "--no-cache-server",
        ]
        command += [
            "-P",
            "ubuntu-latest=-self-hosted",
            "--secret",
            f"GITHUB_TOKEN={TOKEN}",
            "--pull=false",
            "--no-skip-checkout",
        ]
        for name, folder in self._actions().items():
            command += ["--local-repository", f"{name}={folder}"]
        for name, value in facts.items():
            command += ["--env", f"{name}={value}"]
        home = self.folder / "home"
        (home / ".config" / "act").mkdir(parents=True, exist_ok=True)
        (home / ".config" / "act" / "actrc").touch()
        # what act calls the tool cache is shared by all teams, as on a runner that was used before
        (home / "cache" / "act").mkdir(parents=True, exist_ok=True)
        if not (home / "cache" / "act" / "tool_cache").exists():
            (home / "cache" / "act" / "tool_cache").symlink_to(self.tool_cache)
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.origin.folder,
            env=ENVIRONMENT | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        log = done.stdout + done.stderr
        return Job(log, "\n".join(_SUMMARY.findall(log)), done.returncode == 0)

    def _actions(self) -> dict[str, Path]:
        """Return the folders of the actions by their names; this one without what act need not copy."""
        found = self._stand_ins()
        if self.own_action:
            found[self.own_action] = own = self.folder / "actions" / "own"
            if not own.exists():
                copy_parts(make_repository(own))
        return found

    def _stand_ins(self) -> dict[str, Path]:
        own = self.origin.folder.glob(".github/workflows/*.yml")
        text = "".join(path.read_text() for path in (*own, *WORKFLOWS.glob("*.yml"), ROOT / "action.yml"))
        found = {}
        for name, sha in set(re.findall(r"uses: (actions/[\w-]+)@([0-9a-f]{40})", text)):
            if name in STAND_INS:
                folder = self.folder / "actions" / name.replace("/", "-")
                if not folder.exists():
                    make_repository(folder).commit({"action.yml": STAND_INS[name]})
                found[f"{name}@{sha}"] = folder
        return found


def copy_parts(target: Repository) -> None:
    """Copy what the action consists of, as it is here, into a repository."""
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z", "--", *PARTS],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (target.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target.folder / name)


def make_team(folder: Path, github: FakeGitHub, tool_cache: Path) -> Team:
    """Make the repository: a small fixture, settings, and this very action with its workflows in it."""
    origin = make_repository(folder / "origin")
    copy_parts(origin)
    write_fixture(origin.folder)
    settings = (origin.folder / "config" / "base.yaml").read_text(encoding="utf-8")
    # what is shown here is no matter of time: a busy machine must not decide it
    settings = settings.replace("warn_percent: 10, fail_percent: 25", "warn_percent: 400, fail_percent: 500")
    for key, count in (
        ("max_pairs: 40", "max_pairs: 5"),
        ("repeats: 5", "repeats: 2"),
        ("warm_ups: 1", "warm_ups: 0"),
    ):
        settings = settings.replace(key, count)
    origin.git("config", "receive.denyCurrentBranch", "ignore")  # pushed to like one that is bare
    origin.commit({".gitignore": "reports/\n__pycache__/\n", "config/base.yaml": settings})
    return Team(folder, github, origin, tool_cache)


def make_team_with_own_engine(
    folder: Path, github: FakeGitHub, tool_cache: Path, files: Mapping[str, str]
) -> Team:
    """Make the repository of a team that uses the action as octo-org/sbir-gate@v1, with a small fixture."""
    origin = make_repository(folder / "origin")
    write_fixture(origin.folder)
    origin.commit(files)
    return Team(folder, github, origin, tool_cache, own_action="octo-org/sbir-gate@v1")


def write_fixture(folder: Path) -> None:
    size = ["--awards", "200", "--recipients", "3000", "--seed", "1", "--sample", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "sbir_gate", "data", "synthesise", "--output", "fixtures", *size],
        cwd=folder,
        check=True,
        env=ENVIRONMENT | {"HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT)},
    )


# act prints each summary after this word, up to the next line of its own
_SUMMARY = re.compile(r"  Summary - (.*?)(?=^\[)", re.DOTALL | re.MULTILINE)
PARTS = ("action.yml", "sbir_gate", "config", ".github", "requirements.lock", "pyproject.toml")
