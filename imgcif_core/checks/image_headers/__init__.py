"""CON: what the headers of images say, against the tables."""
