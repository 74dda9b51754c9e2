"""Realistic, seeded benchmark data of any size, with its truth."""

from sbir_gate.synthesising.dataset import synthesise
from sbir_gate.synthesising.options import FileFormat, SynthesisOptions, SynthesisSummary

__all__ = ["FileFormat", "SynthesisOptions", "SynthesisSummary", "synthesise"]
