"""Tables in: files of awards, recipients and dumps, to batches of clean records and rejects."""
