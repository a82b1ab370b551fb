"""Values that the methods of a dictionary give for a block, and what they say of the values that stand there."""
