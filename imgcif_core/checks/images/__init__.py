"""IMG: what the pixels say, against what the tables say."""
