"""The programs that a benchmark compares; each lands the slice of a `Job` in a process of its own."""
