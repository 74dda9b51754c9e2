"""Floor 0: the frozen dataclasses that every step shares; no input or output happens here."""
