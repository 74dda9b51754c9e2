"""The use cases that join the wings: the enrichment as assets that the gate checks."""
