"""Triggers: what waits for a gate without holding a worker."""
