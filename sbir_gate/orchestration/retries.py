"""Further attempts of a step, after the waits of the settings; what cannot change is not tried again."""

# no postponed annotations here: Dagster reads those of the policy

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import dagster as dg

from sbir_gate.errors import EnricherError, SbirGateError
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.schema import Settings


class RefusalError(dg.Failure):
    """Ends a step whose blocking checks did not pass, with the reason; no further attempt changes it."""


class StepRetries(dg.RetryPolicy):
    """Dagster's policy with our waits: its own exponential ones have no cap, and grow by other factors."""

    pauses: RetryPolicy

    def __new__(cls, pauses: RetryPolicy) -> Self:
        """Take over how often, and after which pauses."""
        self: Self = super().__new__(cls, max_retries=pauses.retries)
        self.pauses = pauses
        return self

    def calculate_delay(self, attempt_num: int) -> float:
        """Return the pause before a further attempt, of which the first has the number 1."""
        return self.pauses.pause_seconds(attempt_num - 1)


def step_retries(settings: Settings) -> StepRetries:
    """Return the policy of `enrichment.performance`, over which `orchestration` may set its own."""
    performance, orchestration = settings.enrichment.performance, settings.orchestration
    retries = performance.max_retries if orchestration.max_retries is None else orchestration.max_retries
    base_seconds = (
        performance.retry_base_seconds if orchestration.retry_seconds is None else orchestration.retry_seconds
    )
    return StepRetries(
        RetryPolicy(
            performance.retry_backoff,
            0 if performance.retry_backoff == "none" else retries,
            base_seconds,
            max(base_seconds, performance.retry_cap_seconds),
        )
    )


@contextmanager
def as_failures() -> Iterator[None]:
    """Let an error with a name end the step in its own words.

    Wrong input stays wrong, and a limit of the settings too small: only other faults are left to the retries.
    """
    try:
        yield
    except SbirGateError as error:
        words = [error.message, error.hint, *getattr(error, "__notes__", [])]
        messages = "\n".join(error.log_tail) if isinstance(error, EnricherError) else ""
        raise dg.Failure(
            description="; ".join(filter(None, words)),
            metadata={
                "status": error.exit_status.name,
                **({"engine_messages": messages} if messages else {}),
            },
            allow_retries=error.may_pass,
        ) from error
