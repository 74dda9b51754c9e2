"""The command line: arguments, exit statuses, errors to one line. Nothing but translation."""

from sbir_gate.cli.application import main

__all__ = ["main"]
