"""From firms and recipients to decisions."""
