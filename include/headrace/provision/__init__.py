"""Topics as code: what a contract declares of its topic, held against the broker, planned, applied."""
