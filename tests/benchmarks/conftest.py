"""Lets benchmarks import the makers of large files beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
