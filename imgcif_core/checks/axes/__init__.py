"""Rules about axes: their tree, their vectors, their roles, and the axes of gravity and source."""
