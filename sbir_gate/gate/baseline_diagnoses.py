"""Whether a baseline is still that of this set-up: sound, fresh, of these fixtures, enricher and settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sbir_gate import __version__
from sbir_gate.gate.enricher_plan import enricher_name, settings_digest
from sbir_gate.gate.storing.baselines import baseline_path, verify
from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.model.run import Run
from sbir_gate.settings.effective import EffectiveSettings

AGAIN = "measure with 'sbir-gate run' and promote that Run"


def baseline_diagnoses(
    effective: EffectiveSettings, baseline: Run, fingerprint: str, today: date
) -> Iterator[Diagnosis]:
    """Yield what keeps the baseline from being a fair reference for Runs of these settings.

    `fingerprint` is that of the fixtures here, empty if it is not known.
    """
    gate = effective.settings.gate
    place = str(baseline_path(gate.baselines_folder, gate.name))
    for problem in verify(baseline):
        yield Diagnosis(Gravity.ERROR, place, problem, AGAIN)
    if fingerprint and fingerprint != baseline.fixture.fingerprint:
        yield Diagnosis(
            Gravity.ERROR, place, "it was measured on different fixtures, so every Run is incomparable", AGAIN
        )
    for problem in _drifted(effective, baseline, today):
        yield Diagnosis(Gravity.WARNING, place, problem, AGAIN)


def _drifted(effective: EffectiveSettings, baseline: Run, today: date) -> Iterator[str]:
    settings = effective.settings
    most = settings.doctor.baseline_max_days
    age = (today - baseline.started_at.date()).days
    if age > most:
        yield f"it is {age} days old, more than {most} (doctor.baseline_max_days)"
    command = enricher_name(settings.enricher.command)
    if command != baseline.enricher:
        yield f"it is of another enricher: {baseline.enricher!r}, not {command!r}"
    if settings_digest(effective) != baseline.settings_digest:
        yield "it was measured with other settings of matching or reading"
    if baseline.tool_version != __version__:
        yield f"it was measured by sbir-gate {baseline.tool_version}, and this is {__version__}"
    if baseline.source.is_dirty:
        yield "it measured code that was not committed"
    if not any(award.phase for award in baseline.awards):
        yield "it does not say of what kind its awards are, so lost links are not counted by kind"
