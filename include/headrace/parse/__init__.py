"""Records to rows: what a contract makes of each record's bytes, as one pure function over Arrow batches."""
