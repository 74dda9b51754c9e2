"""The Runs of one session: those that were measured beside the Run that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sbir_gate.model.run import Run


@dataclass(frozen=True, slots=True)
class OnBaseFixture:
    """Head's Run on the base's fixture, and the base's own there; None if only a baseline can be."""

    head: Run
    base: Run | None = None


@dataclass(frozen=True, slots=True)
class Companions:
    """What was measured beside head: the base on head's fixture, and both on the base's."""

    base: Run | None = None
    on_base: OnBaseFixture | None = None

    def compared(self, head: Run) -> Run:
        """Return the Run that a baseline is compared with: it was measured on the base's fixture."""
        return self.on_base.head if self.on_base is not None and self.base is None else head

    def with_reference(self, head: Run, reference: Run) -> tuple[Run, Companions]:
        """Return head, and its companions with another reference than the base beside it.

        A Run of the very files of head leaves nothing that is edited between the two.
        """
        if self.base == reference:
            return head, self
        if head.fixture.fingerprint == reference.fixture.fingerprint:
            return replace(head, fixture_edits=None), Companions(reference)
        return head, Companions(reference, self.on_base)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The Runs in the order in which they are saved."""
        found = (self.on_base.base, self.on_base.head) if self.on_base else ()
        return tuple(run for run in (*found, self.base) if run is not None)


def companions_of(head: Run, earlier: Sequence[Run]) -> Companions:
    """Return head's companions among Runs that were saved before it, the newest first."""
    session = [run for run in earlier if _is_of_session(run, head)]
    own = [run for run in session if not run.fixture.commit]
    others = [run for run in session if run.fixture.commit]
    return Companions(
        base=own[0] if own else None,
        on_base=OnBaseFixture(others[0], others[1] if len(others) > 1 else None) if others else None,
    )


def _is_of_session(run: Run, head: Run) -> bool:
    """Say whether both were measured in one session; Runs that name different machines contradict that."""
    return (
        run.session == head.session != ""
        and run.gate == head.gate
        and run.machine.fingerprint == head.machine.fingerprint
    )
