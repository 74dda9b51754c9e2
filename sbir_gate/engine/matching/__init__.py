"""Decide which recipient each firm gets: blocking keys, features, a calibrated model, and the decision.

Ask `cascade.match_firms`. `parts` and `ledger` keep the recipients that were read, `enriched` writes the
result.
"""
