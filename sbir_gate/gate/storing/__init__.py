"""Baselines, the history and Run documents on disk."""
