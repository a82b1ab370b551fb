"""Text and bytes to documents and back: positions of every value, recovery after errors."""
