"""Baselines and Run documents on disk."""
