"""Run an enricher in fresh processes and measure it: time, memory, work, and quality against the truth.

Ask `benchmark` for repeats of one command, `interleaving` for two in turns, `quality` and `metrics` for what
the results are worth.
"""
