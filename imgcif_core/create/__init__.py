"""From raw data and experiment descriptions to imgCIF files in which the checker finds no error."""
