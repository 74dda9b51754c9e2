"""Turn verdicts, Runs and history into texts: the only place where a verdict gets words.

Ask `view` for all that a report shows, and `markdown`, `console`, `annotations`, `publication` and
`slack_blocks` for it in the form that a channel needs. Strings are returned; nothing is written here.
"""
