"""Identities: which are landed already, and on which day; an index whose cost follows what is new."""
