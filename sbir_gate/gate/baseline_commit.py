"""A baseline of another machine: its commit is measured beside head, where the repository has it.

Times of two machines are compared with the help of a calibration workload, which is coarse. A plain
`sbir-gate run` on a machine other than the baseline's can do better: the baseline's own commit is at hand.
"""

from __future__ import annotations

from sbir_gate.errors import SbirGateError
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import is_ancestor
from sbir_gate.gate.storing.references import HASH, find_reference
from sbir_gate.model.run import Machine
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.layers import VARIABLE_PREFIX

_MAX_SECONDS = 60.0
# options that change neither what is measured nor what it is compared with
_NEUTRAL_OPTIONS = frozenset({"reports.folder"})


def commit_to_measure(effective: EffectiveSettings, given: Given, machine: Machine, git: Git) -> str:
    """Return the baseline's commit if it should be measured beside head, else an empty string.

    That is so for a plain run on another machine or Python than the baseline's, in a repository where HEAD
    descends from the baseline's commit. Whatever is set from outside holds for both sides, so with such an
    option or variable the stored baseline is what is compared with.
    """
    if not _is_plain(given):
        return ""
    gate = effective.settings.gate
    try:
        baseline = load_baseline(gate.baselines_folder, gate.name)
        if baseline is None or baseline.source.is_dirty or not HASH.fullmatch(baseline.source.commit):
            return ""
        there = baseline.machine
        if (there.fingerprint, there.python_version) == (machine.fingerprint, machine.python_version):
            return ""
        commit = baseline.source.commit
        is_known = find_reference(git, commit) is not None and is_ancestor(git, commit, "HEAD")
    except SbirGateError:  # the run itself reports what is wrong with baseline or repository
        return ""
    return commit if is_known else ""


def quick_look(effective: EffectiveSettings) -> dict[str, object]:
    """Return the option that bounds such a run: whoever started it did not ask for pairs."""
    return {"benchmark.max_seconds": min(effective.settings.benchmark.max_seconds, _MAX_SECONDS)}


def _is_plain(given: Given) -> bool:
    is_set = any(value is not None and key not in _NEUTRAL_OPTIONS for key, value in given.options.items())
    has_variable = any(name.startswith(VARIABLE_PREFIX) for name in given.environment)
    return not (is_set or has_variable or given.assignments)
