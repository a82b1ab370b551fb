"""Raw data and experiment descriptions of other formats, each read to the same plain description."""
