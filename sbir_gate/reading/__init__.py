"""From files to batches of clean records and rejects."""
