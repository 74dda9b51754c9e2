"""The use cases that join wings, and nothing else.

`action` is the GitHub Action (datasets downloads, the gate measures); `asset_run` is an enrichment
inside Dagster (the engine enriches, the gate judges).
"""
