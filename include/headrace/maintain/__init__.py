"""Tables kept small: files brought together, unneeded ones and old log removed; copies and pages let go."""
