"""Settings: every parameter, layered from base.yaml, a file, the environment and the command line."""

from sbir_gate.settings.display import ShowFormat, render_effective
from sbir_gate.settings.effective import EffectiveSettings, load_settings
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.schema import Settings

__all__ = ["EffectiveSettings", "Settings", "ShowFormat", "load_settings", "policy", "render_effective"]
