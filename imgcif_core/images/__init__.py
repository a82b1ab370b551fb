"""Pixels and archives: bytes in ranges, members of archives, decoding of images."""
