"""One view of a verdict, in many formats."""
