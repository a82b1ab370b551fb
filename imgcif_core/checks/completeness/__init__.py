"""MTA: what a reader needs to know besides the geometry."""
