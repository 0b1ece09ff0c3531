"""Sources: how a file is opened and read, a module a kind, and what the contract asks of it."""
