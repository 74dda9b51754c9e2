"""Where data comes from: download it, look into a dump, synthesise it."""
