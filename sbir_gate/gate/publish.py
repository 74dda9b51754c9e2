"""A verdict published to GitHub and Slack from the saved documents: nothing is measured, nothing judged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sbir_gate.errors import DocumentError, PublishError, SbirGateError, UsageError
from sbir_gate.gate.announcing import NO_NEWS, announce, message_of_news
from sbir_gate.gate.conclusion import REPORT_NAME, VERDICT_NAME
from sbir_gate.gate.github_token import NO_TOKEN_HINT
from sbir_gate.gate.publishing.check_run import (
    CheckPlace,
    begin_check,
    cancel_check,
    check_key,
    complete_check,
    conclusion_of,
)
from sbir_gate.gate.publishing.event import DEPENDABOT, Event
from sbir_gate.gate.publishing.github import CheckText, Conclusion, GitHub, GitHubError, SharedGateError
from sbir_gate.gate.publishing.github_api import GitHubApi
from sbir_gate.gate.publishing.github_client import Connection
from sbir_gate.gate.publishing.pull_request import State, digest_of, publish_comment
from sbir_gate.gate.publishing.slack import SlackEdges
from sbir_gate.gate.publishing.workflow import append_outputs, append_summary, render_annotations
from sbir_gate.gate.reporting.publication import build_publication
from sbir_gate.gate.reporting.slack_blocks import render_slack
from sbir_gate.gate.saved_verdict import Saved
from sbir_gate.gate.trends import trends_of
from sbir_gate.model.finding import Severity
from sbir_gate.model.publication import Links, Publication, Subjects
from sbir_gate.model.verdict import Verdict
from sbir_gate.retrying import RetryPolicy, full_pause
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings
from sbir_gate.settings.workflows import path_from_top, repository_folder

_AT_COMMIT = " at commit "
_FILE = re.compile(rf"{_AT_COMMIT}|:\d+$")
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_FORBIDDEN = 403
_TOLD = frozenset({Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE})


def unknown_subject(commit: str) -> str:  # noqa: ARG001 -- where there is no git, no commit is known
    """Return nothing: the subject of no commit is known."""
    return ""


@dataclass(frozen=True, slots=True)
class Channels:
    """Where the verdict is published."""

    has_comment: bool = True
    has_check: bool = False
    has_summary: bool = True
    has_annotations: bool = True
    has_outputs: bool = True
    has_slack: bool = False


@dataclass(frozen=True, slots=True)
class PublishEdges:
    """What publishing needs of the world; tests pass fakes.

    `github` is None without a token, the paths are None where the runner gives none. `say` writes lines to
    the step's standard output, where the runner reads commands. `new_delimiter` returns what cannot be
    guessed. `webhook` is Slack's, empty if there is none. `subject` is the first line of a commit's message.
    """

    github: GitHub | None
    summary_path: Path | None
    output_path: Path | None
    say: Callable[[str], None]
    new_delimiter: Callable[[], str]
    slack: SlackEdges
    webhook: str = field(default="", repr=False)
    subject: Callable[[str], str] = unknown_subject


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The result: pages, notes, and problems with their hints."""

    comment_url: str
    check_url: str
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def connect(event: Event, token: str, settings: Settings) -> GitHub:
    """Return the edge to the event's repository."""
    publishing = settings.publishing
    return GitHubApi(
        Connection(
            api_url=event.api_url,
            repository=event.repository,
            token=token,
            login=publishing.login or "",
            timeout_seconds=publishing.timeout_seconds,
            retrying=RetryPolicy(
                "exponential",
                retries=publishing.max_retries,
                base_seconds=publishing.retry_base_seconds,
                cap_seconds=publishing.retry_cap_seconds,
                jitter=full_pause,
            ),
        )
    )


def publication_of(
    saved: Saved,
    effective: EffectiveSettings,
    event: Event | None,
    artifact_url: str = "",
    subject: Callable[[str], str] = unknown_subject,
) -> Publication:
    """Return what GitHub is shown of the verdict; `subject` is the first line of a commit's message."""
    verdict = saved.verdict
    return build_publication(
        saved.run,
        verdict,
        origins=_in_checkout(effective.origins),
        folder=path_from_top(Path()),
        trends=trends_of(saved.run, effective.settings, verdict.changes),
        links=links_of(event, effective.settings, artifact_url, verdict),
        subjects=Subjects.of(verdict, subject),
    )


def _in_checkout(origins: Mapping[str, str]) -> Mapping[str, str]:
    """Return the origins that are lines of files here, from the top of the repository, as GitHub shows them.

    The defaults of an installed program are not. What comes from a commit has its place from the top already.
    """
    root = repository_folder(Path.cwd()) or Path.cwd()
    found = {}
    for key, origin in origins.items():
        path = _FILE.split(origin)[0]
        place = path if _AT_COMMIT in origin else path_from_top(Path(path)) or path
        if (root / place).is_file():
            found[key] = place + origin.removeprefix(path)
    return found


def links_of(
    event: Event | None, settings: Settings, artifact_url: str = "", verdict: Verdict | None = None
) -> Links:
    """Return where more is to be read; what was compared is known from the verdict."""
    dashboard = settings.publishing.dashboard_url or ""
    if event is None:
        return Links(artifact=artifact_url, dashboard=dashboard)
    base, head = (verdict.reference_commit, verdict.head_commit) if verdict else ("", event.head_sha)
    return Links(
        run=event.run_url,
        artifact=artifact_url,
        pull_request=event.pull_url,
        commit=event.commit_url,
        base_commit=event.commit_url_of(_hash_of(base)),
        compare=event.compare_url(_hash_of(base), _hash_of(head)),
        docs=event.docs_url or _own_docs(event),
        dashboard=dashboard,
    )


def _hash_of(commit: str) -> str:
    return commit if _COMMIT.fullmatch(commit) else ""


def _own_docs(event: Event) -> str:
    """Return the pages of the judged commit if this program comes from its checkout; else nothing."""
    if not Path(__file__).is_relative_to(Path.cwd()):
        return ""
    return f"{event.server_url}/{event.repository}/blob/{event.head_sha}/docs"


def begin(event: Event, settings: Settings, github: GitHub) -> str:
    """Let the commit show that the gate is at work; return the page of the check. Raises GitHubError."""
    return begin_check(github, check_place(event, settings.gate.name)).url


def check_place(event: Event, gate: str) -> CheckPlace:
    """Return where the check of a gate belongs."""
    return CheckPlace(
        gate, event.head_sha, check_key(event.run_id, event.run_attempt, event.job), event.run_url
    )


def fail_check(event: Event, gate: str, github: GitHub, error: SbirGateError) -> str:
    """End the check where there is no verdict at all, so that it does not stay in progress.

    Raises GitHubError.
    """
    title = "error: there is no verdict"
    words = "The gate ended without a verdict: the log of the workflow run says why."
    place = check_place(event, gate)
    return complete_check(github, place, Conclusion.FAILURE, title, [f"{words} ({type(error).__name__})"]).url


def cancel(event: Event, gate: str, github: GitHub) -> str:
    """End the check of a run that was cancelled; return a message on what was done. Raises GitHubError."""
    words = "The workflow run was cancelled before the gate had a verdict: run it again."
    ended = cancel_check(github, check_place(event, gate), CheckText("cancelled: there is no verdict", words))
    return f"check: {ended.url}" if ended else "no check was in progress"


def publish(
    saved: Saved,
    effective: EffectiveSettings,
    event: Event,
    channels: Channels,
    edges: PublishEdges,
    artifact_url: str = "",
    *,
    fails_on_inconclusive: bool = False,
) -> PublishResult:
    """Publish the verdict on every requested channel.

    A failure of one is listed in `problems` and does not stop the others.
    """
    publication = publication_of(saved, effective, event, artifact_url, edges.subject)
    telling = _Telling(publication, event, edges)
    if channels.has_check:
        conclusion = conclusion_of(publication.outcome, fails_on_inconclusive)
        telling.attempt(lambda: telling.check(conclusion))
    if channels.has_comment:
        telling.attempt(telling.comment)
    if channels.has_summary:
        telling.attempt(telling.summary)
    if channels.has_annotations:
        edges.say(render_annotations(publication.annotations))
    if channels.has_outputs:
        telling.attempt(lambda: telling.outputs(outputs_of(saved, telling.comment_url)))
    if channels.has_slack:
        telling.attempt(
            lambda: telling.slack(
                saved.folder,
                effective.settings,
                links_of(event, effective.settings, artifact_url, saved.verdict),
            )
        )
    return PublishResult(
        telling.comment_url, telling.check_url, tuple(telling.notes), tuple(telling.problems)
    )


def outputs_of(saved: Saved, comment_url: str) -> Mapping[str, str]:
    """Return the outputs for later steps of the job."""
    verdict = saved.verdict
    changed = [change.metric for change in verdict.changes if change.severity in _TOLD]
    rate = saved.run.quality.match_rate if saved.run else None
    return {
        "verdict": verdict.outcome.value,
        "match_rate": "" if rate is None else f"{rate:.4f}",
        "changed_metrics": json.dumps(changed),
        "report": str(saved.folder / REPORT_NAME),
        "verdict_file": str(saved.folder / VERDICT_NAME),
        "run": str(saved.run_path or ""),
        "comment_url": comment_url,
    }


class _Telling:
    """One publication in progress: what was published where, and what failed."""

    def __init__(self, publication: Publication, event: Event, edges: PublishEdges) -> None:
        self._publication = publication
        self._event = event
        self._edges = edges
        self.comment_url = ""
        self.check_url = ""
        self.notes: list[str] = []
        self.problems: list[str] = []
        self._shared = ""

    def attempt(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except (PublishError, UsageError, DocumentError) as error:
            if isinstance(error, SharedGateError):
                self._shared = f"> ⚠️ {error.message}: {error.hint}\n\n"
            is_refused = isinstance(error, GitHubError) and error.status == _FORBIDDEN
            if is_refused and self._event.is_fork:
                # nothing to fix: the workflow started by workflow_run may write
                self.notes.append(f"left to the workflow_run half, this is a fork: {error.message}")
            elif is_refused and self._event.actor == DEPENDABOT:
                self.notes.append(
                    f"left out, the token of Dependabot's run may not write it: {error.message}"
                )
            else:
                self.problems.append("; ".join(filter(None, (error.message, error.hint))))

    def comment(self) -> None:
        if not self._event.pull_number:
            self.notes.append(f"no comment: the event {self._event.name} has no pull request")
            return
        state = State(
            self._event.head_sha,
            self._event.run_id,
            self._event.run_attempt,
            digest_of(self._publication.digest),
            self._event.job,
        )
        gate, texts = self._publication.gate, self._publication.texts
        result = publish_comment(self._github(), self._event.pull_number, gate, texts, state)
        self.comment_url = result.url
        self.notes += result.notes

    def check(self, conclusion: Conclusion) -> None:
        publication = self._publication
        self.check_url = complete_check(
            self._github(),
            check_place(self._event, publication.gate),
            conclusion,
            publication.title,
            publication.texts,
            publication.annotations,
        ).url

    def summary(self) -> None:
        path = self._runner_file(self._edges.summary_path, "GITHUB_STEP_SUMMARY")
        if not append_summary(path, [f"{self._shared}{each}" for each in self._publication.texts]):
            self.notes.append("no summary: other steps left no room for it")

    def outputs(self, outputs: Mapping[str, str]) -> None:
        path = self._runner_file(self._edges.output_path, "GITHUB_OUTPUT")
        append_outputs(path, outputs, self._edges.new_delimiter)

    def slack(self, reports: Path, settings: Settings, links: Links) -> None:
        if not self._edges.webhook:
            self.notes.append("Slack was left out: there is no webhook, as always for a fork")
            return
        self.notes.append(announce(reports, settings, self._edges.webhook, links, self._edges.slack))

    def _github(self) -> GitHub:
        if self._edges.github is None:
            raise PublishError("there is no token for GitHub", NO_TOKEN_HINT)
        return self._edges.github

    def _runner_file(self, path: Path | None, variable: str) -> Path:
        if path is None:
            raise PublishError(f"${variable} is not set", "run this within a step of a workflow")
        return path


def dry_run(
    saved: Saved,
    effective: EffectiveSettings,
    event: Event | None,
    channels: Channels,
    artifact_url: str = "",
    subject: Callable[[str], str] = unknown_subject,
    *,
    fails_on_inconclusive: bool = False,
) -> str:
    """Return what each of the channels would be sent, as text for a reader; nothing is sent."""
    publication = publication_of(saved, effective, event, artifact_url, subject)
    report = publication.texts[0].rstrip("\n")
    parts: dict[str, str] = {}
    if channels.has_comment:
        parts["comment"] = report
    if channels.has_check:
        conclusion = conclusion_of(publication.outcome, fails_on_inconclusive)
        heading = f"conclusion: {conclusion.value}\ntitle: {publication.title}"
        parts["check"] = f"{heading}\n\n{'the text of the comment' if parts else report}"
    if channels.has_summary:
        parts["job summary"] = f"the text of the {next(iter(parts))}" if parts else report
    if channels.has_annotations:
        parts["annotations"] = _indented(render_annotations(publication.annotations).splitlines())
    if channels.has_outputs:
        parts["outputs"] = _indented(f"{name}={value}" for name, value in outputs_of(saved, "").items())
    if channels.has_slack:
        links = links_of(event, effective.settings, artifact_url, saved.verdict)
        message = message_of_news(saved.folder, effective.settings, links)
        parts["Slack"] = render_slack(message) if message else NO_NEWS
    return "\n\n".join(f"# {name}\n\n{text or 'nothing'}" for name, text in parts.items())


def _indented(lines: Iterable[str]) -> str:
    """Return lines that no runner takes for commands."""
    return "\n".join(f"  {line}" for line in lines)
