"""Checks of an asset: what a pipeline that runs in steps asks of its data before the next step may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sbir_gate.model.finding import Finding, Severity
from sbir_gate.model.verdict import Limit, Outcome

# a check does not complain of noise: the next Run may be as noisy
_PASSING = (Severity.OK, Severity.INFO, Severity.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class AssetCheck:
    """One question that is asked of an asset; a blocking one holds up what comes after it."""

    name: str
    description: str
    is_blocking: bool


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """The answer to one check.

    Only `fail` is an error, and `warn` a warning. `value` and `reference` (the baseline's
    value) are in `unit`, None where they are not known or there is no single one. `limits` are
    what was required. `facts` are counts and the like; `examples` name some of what is at fault. `findings`
    say why; without any the values are within their limits. `unjudged` is what was not judged (time,
    memory), and `outcome` that of the verdict, for the check of all of it.
    """

    name: str
    severity: Severity
    findings: tuple[Finding, ...] = ()
    metric: str = ""
    value: float | None = None
    reference: float | None = None
    unit: str = ""
    limits: tuple[Limit, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    outcome: Outcome | None = None

    @property
    def is_passed(self) -> bool:
        """Say whether nothing is to be complained of."""
        return self.severity in _PASSING

    @property
    def is_blocking(self) -> bool:
        """Say whether it is an error."""
        return self.severity is Severity.FAIL
