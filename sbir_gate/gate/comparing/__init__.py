"""Head against reference: changes, records, and the verdict of the gate."""
