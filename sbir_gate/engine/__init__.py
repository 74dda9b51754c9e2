"""The engine: awards and recipients in, enriched awards out.

Ask it for `enrich(awards, recipients)`, which takes files and tables in memory and returns an `Enriched`;
docs/python.md has examples. It knows nothing of the gate. The modules here join reading, the parts of the
recipients and `matching`, which decides which recipient each firm gets.
"""

from sbir_gate.engine.enrichment import EnrichSummary
from sbir_gate.engine.tables import Enriched, enrich

__all__ = ["EnrichSummary", "Enriched", "enrich"]
