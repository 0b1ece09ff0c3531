"""The report of a run: one self-contained page with the ledger in words, the figures and the pictures."""
