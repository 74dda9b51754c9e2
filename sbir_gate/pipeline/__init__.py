"""The use cases that join wings, and nothing else.

`action` is the GitHub Action (datasets downloads, the gate measures). The assets of Dagster are `validation`
(reading), `asset_run` (the engine enriches, the gate measures) and `asset_verdict` (the gate judges).
`explanation` is `sbir-gate explain` (the engine explains a link, the gate reads a saved Run).
"""
