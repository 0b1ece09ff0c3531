"""Staging: a batch's rows as files that nobody sees, the repeats among them, the commit that lists them."""
