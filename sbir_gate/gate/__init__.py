"""The gate: measure any enricher, compare with a base or baseline, judge, report and publish.

Its modules are the use cases. Ask `run` and `side_by_side` for a measured verdict, `saved_runs` for one
on saved Runs, `baseline` for what may become one, `publish` to send a saved verdict, `history` and `trends`
for older Runs, `doctor` for what is wrong with a set-up, `live_check` for what works on GitHub, `trial` for
what the gate finds on a machine. The rooms below are the steps, which never import one another. It knows
nothing of the engine: they meet in files.
"""
