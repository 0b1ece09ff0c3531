"""`headrace try`: what landing would make of a sample, without Kafka and tables."""
