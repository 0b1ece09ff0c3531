"""Migrate: tables of an older layout brought to this version's, with every row, at whatever point killed."""
