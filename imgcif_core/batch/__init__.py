"""Many files: a line of JSON for each, runs that go on where they stopped, one report of all."""
