"""From an imgCIF back to processing programs: DIALS, XDS, CrystFEL and readers of NXmx."""

from imgcif_core.export.plan import make_plan
from imgcif_core.export.sweeps import Circle, Plan, Sweep
from imgcif_core.export.write import TARGETS, Written, export_file

__all__ = ["TARGETS", "Circle", "Plan", "Sweep", "Written", "export_file", "make_plan"]
