"""Gates: what a run waits for between two stages."""
