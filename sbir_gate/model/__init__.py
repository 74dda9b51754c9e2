"""Frozen dataclasses that every wing shares, and the JSON codec of saved documents; no input or output here.

Start at `run` (what a benchmark learned) and `verdict` (what the gate says of it); `document` encodes both.
"""
