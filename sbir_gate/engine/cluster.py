"""Workers of a Dask cluster. This module alone knows Dask, and loads it when a cluster is asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from sbir_gate.engine.worker_tasks import WorkerFacts, unseen_files, worker_facts
from sbir_gate.errors import InputError, ToolError, UsageError
from sbir_gate.files import state_of
from sbir_gate.reading.database import DatabaseOptions, available_cores

if TYPE_CHECKING:
    from distributed import Client, Future

Task = TypeVar("Task")
Result = TypeVar("Result")

_CONNECT_SECONDS = 10.0
_POLL_SECONDS = 0.5
_TASKS_PER_WORKER = 2
"""One is worked on and one waits: no worker is idle while the client looks at a result."""

_LOCAL = "local:"
_INSTALL_HINT = "install the same sbir-gate there, with its extra `dask`"

_one_task = threading.Lock()
"""A worker's threads are DuckDB's: it does one task at a time, so the budget is that of a process."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where the cluster is (`local:N` or the address of a scheduler), and what each worker may use.

    `threads` 0 means those that the worker was given. A first worker is waited for `wait_seconds`.
    """

    address: str
    budget_mib: int
    threads: int
    wait_seconds: float


def work(
    function: Callable[[Task, DatabaseOptions], Result],
    task: Task,
    budget_mib: int,
    threads: int,
    expected: WorkerFacts,
) -> Result:
    """Do a task in a worker's process. Raises ToolError if its code is not the client's."""
    from distributed import get_worker  # noqa: PLC0415 -- an extra: not everybody has it

    worker = get_worker()
    _check_facts(
        str(worker.address), worker_facts(), expected
    )  # it may have joined since the others were asked
    with _one_task:
        return function(task, DatabaseOptions(budget_mib, threads or int(worker.state.nthreads)))


def _check_facts(worker: str, facts: WorkerFacts, expected: WorkerFacts) -> None:
    if facts != expected:
        raise ToolError(
            f"the worker {worker} has {facts}, and this process {expected}",
            "install the same versions on all of them, or start the workers again",
        )


class Cluster:
    """The workers behind a scheduler."""

    def __init__(self, client: Client, options: ClusterOptions) -> None:
        self._client = client
        self._options = options
        self._facts = worker_facts()
        self._is_stopped = threading.Event()

    def stop(self) -> None:
        """Let `run` end with an error; called by another thread."""
        self._is_stopped.set()

    @property
    def dashboard(self) -> str:
        """The address of Dask's dashboard."""
        return str(self._client.dashboard_link)

    def check(self, files: Sequence[Path]) -> int:
        """Return the number of workers. Raises an error unless each has this code and sees these files."""
        with self._errors():
            facts = self._client.run(worker_facts, on_error="return")
            seen = self._client.run(
                unseen_files, [(path, state_of(path).st_size) for path in files], on_error="return"
            )
        for worker, found in facts.items():
            if not isinstance(found, WorkerFacts):
                raise ToolError(
                    f"sbir-gate does not start on the worker {worker} ({found})",
                    _INSTALL_HINT,
                )
            _check_facts(worker, found, self._facts)
        for worker, unseen in seen.items():
            if isinstance(unseen, Exception):
                raise ToolError(f"the worker {worker} cannot look for files ({unseen})")
            if unseen:
                raise InputError(
                    f"the worker {worker} does not see this file as it is here",
                    "put it where all workers see it under the same path, such as a network share; "
                    "enrichment.work_folder names the folder of the parts",
                    path=unseen[0],
                )
        return len(facts)

    def run(
        self, function: Callable[[Task, DatabaseOptions], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, in the order in which they are done; a lost worker's again."""
        waiting = iter(tasks)
        running: dict[Future[Result], Task] = {}
        done: SimpleQueue[Future[Result]] = SimpleQueue()
        call = partial(
            work,
            function,
            budget_mib=self._options.budget_mib,
            threads=self._options.threads,
            expected=self._facts,
        )
        try:
            while True:
                with self._errors():
                    wanted = _TASKS_PER_WORKER * max(len(self._client.nthreads()), 1)
                    for task in islice(waiting, max(wanted - len(running), 0)):
                        future = self._client.submit(call, task, pure=False)
                        running[future] = task
                        future.add_done_callback(done.put)
                if not running:
                    return
                future = self._polled(partial(done.get, timeout=_POLL_SECONDS))
                # the worker that has it may be lost by now: then the task is done again
                result: Result = self._polled(partial(future.result, _POLL_SECONDS))
                yield running.pop(future), result
        finally:
            for future in running:
                future.cancel()

    def _polled(self, ask: Callable[[], Result]) -> Result:
        """Return what `ask` returns once it does not time out. Raises ToolError where it never will."""
        while not self._is_stopped.is_set():
            if self._client.status != "running":
                raise self._lost("is gone")
            with suppress(Empty, TimeoutError), self._errors():
                return ask()
        raise ToolError("the cluster made no progress")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise what Dask says of a lost scheduler, or of workers that die of a task, as ToolError."""
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415 -- as above
        from distributed.comm import CommClosedError  # noqa: PLC0415 -- as above

        try:
            yield
        except KilledWorker as error:
            raise ToolError(
                "a task ended every worker that took it: most often a worker had less memory than its budget",
                "lower enrichment.performance.memory_threshold_mb, or give workers more memory",
            ) from error
        except ImportError as error:
            problem = f"a worker that joined later cannot load sbir-gate ({error})"
            raise ToolError(problem, _INSTALL_HINT) from error
        except (CancelledError, CommClosedError) as error:
            raise self._lost("is gone") from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise self._lost(f"is gone ({error})") from error

    def _lost(self, problem: str) -> ToolError:
        return ToolError(f"the scheduler {self._options.address} {problem}", "start it and its workers again")


@contextmanager
def open_cluster(options: ClusterOptions) -> Iterator[Cluster]:
    """Connect to the scheduler, or start one with workers on this machine, and wait for the first worker.

    Raises UsageError if Dask is not installed, ToolError where there is no scheduler, or no worker.
    """
    if find_spec("distributed") is None:
        raise UsageError(
            f"cluster {options.address}: Dask is not installed",
            "install the extra `dask`, or: pip install distributed",
        )
    from distributed import Client, LocalCluster  # noqa: PLC0415 -- an extra: not everybody has it

    # what Dask logs of lost workers and schedulers is said by this module, in a line
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with ExitStack() as stack:
            place: object = options.address
            if options.address.startswith(_LOCAL):
                workers = int(options.address.removeprefix(_LOCAL))
                place = stack.enter_context(
                    LocalCluster(
                        n_workers=workers,
                        threads_per_worker=options.threads or max(available_cores() // workers, 1),
                        memory_limit=None,  # the budget is kept by the tasks
                        dashboard_address="localhost:0",
                        silence_logs=logging.CRITICAL,
                    )
                )
            try:
                client = stack.enter_context(
                    Client(place, timeout=_CONNECT_SECONDS, name="sbir-gate", set_as_default=False)
                )
            except OSError as error:
                raise ToolError(
                    f"no Dask scheduler answers at {options.address} within {_CONNECT_SECONDS:g} seconds",
                    "start one (`dask scheduler`), or check the address and the network",
                ) from error
            try:
                client.wait_for_workers(1, timeout=options.wait_seconds)
            except TimeoutError as error:
                raise ToolError(
                    f"the scheduler {options.address} had no worker for {options.wait_seconds:g} seconds",
                    f"start some: `dask worker {options.address}`",
                ) from error
            yield Cluster(client, options)
    finally:
        logger.setLevel(level)
