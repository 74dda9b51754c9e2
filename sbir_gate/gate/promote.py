"""Whether a saved Run may become the baseline: judged again by the settings and the baseline of now."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.history import drift_before_promotion, noise_of_history
from sbir_gate.gate.policy import own_judgement
from sbir_gate.gate.storing.sessions import load_companions
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import PromotionObstacle
from sbir_gate.settings.effective import EffectiveSettings


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
