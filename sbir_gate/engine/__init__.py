"""The engine: awards and recipients in, enriched file out.

Ask it for `enrich(EnrichRequest(...))`, which returns an `EnrichSummary`; docs/engine.md has
an example. It knows nothing of the gate. The modules here join reading, the parts of the recipients and
`matching`, which decides which recipient each firm gets.
"""

from sbir_gate.engine.enrichment import EnrichRequest, EnrichSummary, enrich

__all__ = ["EnrichRequest", "EnrichSummary", "enrich"]
