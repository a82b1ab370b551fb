"""What was confirmed of the data behind a file, kept to be compared later, and packed as an RO-Crate."""
