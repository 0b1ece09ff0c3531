"""Parse: from a record's bytes to a reading, or to the reason why it is none."""
