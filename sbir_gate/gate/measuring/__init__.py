"""How long, how much memory, how much work, how good."""
