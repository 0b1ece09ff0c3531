"""The crash suite: one fault per trial, then recovery, reconcile and a comparison row by row."""
