"""Awards and recipients in, enriched file out.

Ask `enrich` for a whole enrichment; `matching` decides which recipient each firm gets.
"""
