"""CMP: the file against the source it was made from, in numbers."""
