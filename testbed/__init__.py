"""What tests, benchmarks and crash suite stand on: streams of their own, records, waiting, right answers."""
