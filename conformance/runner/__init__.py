"""The runner of the suite: standard library only, works from a clone."""
