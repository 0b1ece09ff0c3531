"""The crash suite: one fault a trial, then recovery, reconcile and a comparison row by row."""
