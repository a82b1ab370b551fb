"""BIN: embedded binaries and their headers."""
