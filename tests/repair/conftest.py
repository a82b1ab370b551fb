"""The suite's own reader of cases, for tests of repairs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "conformance"))
sys.path.insert(0, str(Path(__file__).parent))
