"""What the team's own engine reports to Dagster while it runs: by Dagster Pipes, if it uses it."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

import dagster as dg

from sbir_gate.gate.measuring.benchmark import Launch
from sbir_gate.gate.measuring.process import ProcessRequest, ProcessResult
from sbir_gate.orchestration.facts import Metadata
from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.pipeline.own_engine import ENGINE
from sbir_gate.progress import ChunkProgress

_LOOK_SECONDS = 0.5
# what an engine reports of its progress, by report_custom_message
RECORDS, RECORDS_IN_ALL = "recipients", "recipients_in_all"


class EngineMessages:
    """The messages of one engine: its progress while it runs, its metadata and checks when it has ended."""

    def __init__(self, session: dg.PipesSession, events: ProgressEvents, log: logging.Logger) -> None:
        self._session = session
        self._events = events
        self._log = log
        self._seen = 0
        self._started = time.monotonic()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which the engine finds the way back."""
        return self._session.get_bootstrap_env_vars()

    def watching(self, launch: Launch) -> Launch:
        """Return a launch that passes progress on while the engine runs, and keeps it from a time-out."""

        def launched(request: ProcessRequest) -> ProcessResult:
            is_over = threading.Event()
            watcher = threading.Thread(target=self._watch, args=(request.progress, is_over), daemon=True)
            watcher.start()
            try:
                return launch(request)
            finally:
                is_over.set()
                watcher.join()

        return launched

    def metadata(self) -> Metadata:
        """Return the metadata that the engine reported of the asset; its checks go to the log.

        To be called when the session is closed: only then all messages are there.
        """
        self._pass_on(None)
        found: Metadata = {}
        for result in self._session.get_results(implicit_materializations=False):
            if isinstance(result, dg.MaterializeResult):
                known = (result.metadata or {}).items()
                found |= {name: value for name, value in known if isinstance(value, dg.MetadataValue)}
            else:
                name, text = result.check_name, result.description or ""
                self._log.info("the engine's check %s %s: %s", name, _answer(result), text)
        return found

    def _watch(self, progress: Path | None, is_over: threading.Event) -> None:
        while not is_over.wait(_LOOK_SECONDS):
            self._pass_on(progress)

    def _pass_on(self, progress: Path | None) -> None:
        messages = self._session.get_custom_messages()
        new, self._seen = messages[self._seen :], len(messages)
        reported = [state for state in map(self._state, new) if state is not None]
        if not reported:
            return
        self._events.chunk(reported[-1])
        if progress is not None:
            with suppress(OSError):  # the engine is ended once its time is up then
                progress.touch()

    def _state(self, message: object) -> ChunkProgress | None:
        """Return the progress that a message states, None for another message."""
        if not isinstance(message, dict):
            return None
        records, in_all = message.get(RECORDS), message.get(RECORDS_IN_ALL)
        if not _is_count(records):
            return None
        share = min(records / in_all, 1.0) if _is_count(in_all) and in_all > 0 else 0.0
        seconds = time.monotonic() - self._started
        left = seconds * (1 - share) / share if share > 0 else None
        return ChunkProgress(
            ENGINE, self._seen, records, 0, share, seconds, 0, is_resumable=False, seconds_left=left
        )


def _answer(result: dg.AssetCheckResult) -> str:
    return "passed" if result.passed else "failed"


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@contextmanager
def engine_messages(context: dg.AssetExecutionContext, events: ProgressEvents) -> Iterator[EngineMessages]:
    """Open a session of Dagster Pipes for an engine, which need not use it."""
    quiet = _WithoutPipes()
    context.log.addFilter(quiet)
    with ExitStack() as stack:
        stack.callback(context.log.removeFilter, quiet)
        with warnings.catch_warnings():
            # its own code uses what Dagster calls deprecated, and not ready yet
            warnings.simplefilter("ignore")
            session = stack.enter_context(
                dg.open_pipes_session(
                    context=context,
                    context_injector=dg.PipesEnvContextInjector(),
                    message_reader=dg.PipesTempFileMessageReader(),
                )
            )
        yield EngineMessages(session, events, context.log)


class _WithoutPipes(logging.Filter):
    """Drops the warning that an engine sent no message: it need not."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("[pipes] did not receive any messages")
