"""Keep and find: baselines, the history, and what git knows. Nothing is judged here.

Ask `baselines` for the baseline of a gate, `history` for older Runs, `merge_base` and `revisions` for commits
and their files, `remote_branch` to commit to a branch of the remote without a checkout.
"""
