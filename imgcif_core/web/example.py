"""The file that a newcomer checks: complete but for a few faults, some of which can be mended safely."""

from pathlib import Path

EXAMPLE_NAME = "example.cif"


def example_text() -> str:
    """The text of the example."""
    return (Path(__file__).parent / "data" / EXAMPLE_NAME).read_text(encoding="utf-8")
