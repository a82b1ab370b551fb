"""DDLm dictionaries: what an item is, how its values are judged, and the bundled facts."""
