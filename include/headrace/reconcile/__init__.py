"""Reconcile: count source, topic and tables again, and keep the account."""
