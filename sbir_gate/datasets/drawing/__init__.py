"""A small fixture drawn from a team's own awards and recipients."""
