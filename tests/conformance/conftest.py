"""Makes the suite's runner importable: it stands beside the package, not in it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "conformance"))
