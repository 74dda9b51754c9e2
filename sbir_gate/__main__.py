"""`python -m sbir_gate` is `sbir-gate`."""

from sbir_gate.cli import main

if __name__ == "__main__":
    main()
