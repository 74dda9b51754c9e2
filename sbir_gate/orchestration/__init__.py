"""The pipeline inside Dagster: assets that gate themselves. Nothing else of sbir-gate imports Dagster."""

import os

from sbir_gate.orchestration.definitions import CONFIG_VARIABLE, build_definitions

__all__ = ["build_definitions", "definitions"]

definitions = build_definitions(os.environ.get(CONFIG_VARIABLE) or None)
