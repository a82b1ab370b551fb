"""REL: keys, links between tables, and tables that speak of the same things."""
