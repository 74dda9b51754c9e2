"""A gate for a team's own repository: what `sbir-gate init` finds out, draws and writes."""
