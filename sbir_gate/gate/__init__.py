"""The gate: measure any enricher, compare with a base or baseline, judge, report and publish.

From Python, ask `run_here` for a measured verdict, `compare_runs` for one on saved Runs, and `render` for its
text; docs/python.md has examples. The modules are the use cases: `run` and `side_by_side` measure,
`saved_runs` judges again, `baseline` says what may become one, `publish` sends a saved verdict, `history` and
`trends` read older Runs, `doctor` finds what is wrong with a set-up, `live_check` what works on GitHub,
`trial` what the gate finds on a machine. The rooms below are the steps, which never import one another. It
knows nothing of the engine: they meet in files.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sbir_gate.documents import load_run, load_verdict
    from sbir_gate.gate.interface import compare_runs, run_here
    from sbir_gate.gate.rendering import Judged, render
    from sbir_gate.model.run import Run
    from sbir_gate.model.verdict import Outcome, Verdict

__all__ = [
    "Judged",
    "Outcome",
    "Run",
    "Verdict",
    "compare_runs",
    "load_run",
    "load_verdict",
    "render",
    "run_here",
]

# a command that needs one step of the gate does not load the others
_MODULES = {
    **dict.fromkeys(("load_run", "load_verdict"), "sbir_gate.documents"),
    **dict.fromkeys(("compare_runs", "run_here"), "sbir_gate.gate.interface"),
    **dict.fromkeys(("Judged", "render"), "sbir_gate.gate.rendering"),
    "Run": "sbir_gate.model.run",
    **dict.fromkeys(("Outcome", "Verdict"), "sbir_gate.model.verdict"),
}


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    return found


def __dir__() -> list[str]:
    """List the public names too."""
    return sorted({*globals(), *__all__})
