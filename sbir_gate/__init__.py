"""sbir-gate: a CI quality gate for the SBIR to USAspending enrichment."""

__version__ = "0.1.0"
