"""The baseline in use: whether a Run may replace it, whether it still fits the set-up, and its own commit.

Times of two machines are compared with the help of a calibration workload, which is coarse. A plain
`sbir-gate run` on a machine other than the baseline's can do better: it measures the baseline's commit again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from sbir_gate import __version__
from sbir_gate.errors import SbirGateError
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.enricher_plan import settings_digest
from sbir_gate.gate.history import drift_before_promotion, noise_of_history
from sbir_gate.gate.policy import own_judgement
from sbir_gate.gate.storing.baselines import baseline_path, load_baseline, verify
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import is_ancestor
from sbir_gate.gate.storing.references import HASH, find_reference
from sbir_gate.gate.storing.sessions import load_companions
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.model.run import Machine, Run, enricher_name
from sbir_gate.model.verdict import PromotionObstacle
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


def baseline_diagnoses(
    effective: EffectiveSettings, baseline: Run, fingerprint: str, today: date
) -> Iterator[Diagnosis]:
    """Yield what keeps the baseline from being a fair reference for Runs of these settings.

    `fingerprint` is that of the fixtures here, empty if it is not known.
    """
    gate = effective.settings.gate
    place = str(baseline_path(gate.baselines_folder, gate.name))
    for problem in verify(baseline):
        yield Diagnosis(Gravity.ERROR, Flaw.BASELINE_UNSOUND, place, {"text": problem})
    if fingerprint and fingerprint != baseline.fixture.fingerprint:
        yield Diagnosis(Gravity.ERROR, Flaw.BASELINE_OF_OTHER_FIXTURE, place)
    for flaw, facts in _drifted(effective, baseline, today):
        yield Diagnosis(Gravity.WARNING, flaw, place, facts)


def _drifted(
    effective: EffectiveSettings, baseline: Run, today: date
) -> Iterator[tuple[Flaw, Mapping[str, Fact]]]:
    settings = effective.settings
    most = settings.doctor.baseline_max_days
    age = (today - baseline.started_at.date()).days
    if age > most:
        yield Flaw.BASELINE_OLD, {"days": age, "most": most}
    command = enricher_name(settings.enricher.command)
    if command != baseline.enricher:
        yield Flaw.BASELINE_OF_OTHER_ENRICHER, {"before": baseline.enricher, "now": command}
    if settings_digest(effective) != baseline.settings_digest:
        yield Flaw.BASELINE_OF_OTHER_SETTINGS, {}
    if baseline.tool_version != __version__:
        yield Flaw.BASELINE_OF_OTHER_VERSION, {"before": baseline.tool_version, "now": __version__}
    if baseline.source.is_dirty:
        yield Flaw.BASELINE_UNCOMMITTED, {}
    if not any(award.phase for award in baseline.awards):
        yield Flaw.BASELINE_WITHOUT_SEGMENTS, {}


def promotion_obstacle(
    run: Run, path: Path, effective: EffectiveSettings, today: date
) -> PromotionObstacle | None:
    """Return why the Run in the file may not become the baseline; None if it may.

    It is held against the baseline that it would replace and, if it was measured side by side, against its
    base too. Raises what reading waivers, baseline, base and history raises.
    """
    settings = effective.settings
    judgement = own_judgement(effective, is_merged=True)
    rules = judgement.rules
    companions = load_companions(path, run)
    if companions.runs and (obstacle := baseline_obstacle(judgement.verdict(run, today, companions))):
        return obstacle
    spread = noise_of_history(run, rules.baseline, rules.policy, settings)
    verdict = judgement.verdict(run, today, spread=spread)
    return baseline_obstacle(verdict) or baseline_obstacle(verdict, drift_before_promotion(run, settings))
