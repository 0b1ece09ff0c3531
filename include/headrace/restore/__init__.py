"""`headrace restore`: all tables of a stream put back to one moment, the newest that each of them has."""
