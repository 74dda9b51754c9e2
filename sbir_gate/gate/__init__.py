"""A Run in, a verdict out, for any engine: measure, compare, store, report, publish.

The modules are the use cases (run, promote, publish, doctor, ...); the rooms below are the steps.
"""
