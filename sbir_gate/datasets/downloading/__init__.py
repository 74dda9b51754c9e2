"""Files from remote addresses, resumed after an interruption and checked before they are used."""
