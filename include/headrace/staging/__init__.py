"""Staging: a batch's rows as files that nobody sees, the repeats among them, and the commit that lists them."""
