"""Repairs of a file, made of the edits of its findings: listed, shown as differences, applied."""

from imgcif_core.repair.apply import EditError, apply_edits
from imgcif_core.repair.differences import unified
from imgcif_core.repair.mend import Mended, mend
from imgcif_core.repair.plan import Repair, repairs_of

__all__ = ["EditError", "Mended", "Repair", "apply_edits", "mend", "repairs_of", "unified"]
