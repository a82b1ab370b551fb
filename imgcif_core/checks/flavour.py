"""What kind of file this is, and the profile that fits it."""

from collections.abc import Sequence

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.ddlm.recognise import dictionary_kind
from imgcif_core.tables import Tables

# Why `choose_profile` takes each profile, to be read after "because".
WHY = {
    "maps": "the file holds maps",
    "minicbf": "the image has a text header, and no axis is described",
    "xfel-stills": "its frames are stills: no axis moves during any of them",
    "full-cbf": "the file is a CBF with axes and images of its own",
    "geometry-template": "the file has axes, but neither scans nor data",
    "core": "the file is no template, CBF with axes, set of stills or text header of an image",
}


def flavour(document: Document, all_tables: Sequence[Tables]) -> str:
    """One of metadata, full-cbf, minicbf and template."""
    if _is_minicbf(all_tables):
        return "minicbf"
    if document.sections:
        return "full-cbf"
    return "template" if _is_template(all_tables) else "metadata"


def judges_frames(document: Document, dictionary: Dictionary) -> bool:
    """True if the save frames are judged: as data, or as the definitions of a dictionary by a dictionary of those.

    A dictionary that is given for data is not taken apart; what to do with it is said once.
    """
    return dictionary.is_of_attributes or not dictionary_kind(document)


def choose_profile(document: Document, all_tables: Sequence[Tables]) -> str:
    """The name of the profile for `--profile auto`."""
    if any(tables.table(name) for tables in all_tables for name in ("map", "map_segment")):
        return "maps"
    if _is_minicbf(all_tables):
        return "minicbf"
    if any(_is_stills(tables) for tables in all_tables):
        return "xfel-stills"
    if document.is_cbf and document.sections and any(tables.table("axis") for tables in all_tables):
        return "full-cbf"
    if _is_template(all_tables):
        return "geometry-template"
    return "core"


def _is_minicbf(all_tables: Sequence[Tables]) -> bool:
    """A text header and no axis anywhere."""
    has_header = any(tables.table("array_data").has("header_contents") for tables in all_tables)
    return has_header and not any(tables.table("axis") for tables in all_tables)


def _is_template(all_tables: Sequence[Tables]) -> bool:
    """Axes, but neither scans nor data."""
    data = ("diffrn_scan", "diffrn_scan_axis", "diffrn_scan_frame", "array_data", "array_data_external_data")
    return any(tables.table("axis") for tables in all_tables) and not any(
        tables.table(name) for tables in all_tables for name in data
    )


def _is_stills(tables: Tables) -> bool:
    """Frames without any moving axis, of many elements or of one frame a scan."""
    frames = tables.table("diffrn_data_frame")
    if not frames or not tables.table("axis") or tables.table("diffrn_measurement_axis"):
        return False
    if _moves(tables):
        return False
    elements = tables.table("diffrn_detector_element").rows
    return elements > 1 or bool((tables.table("diffrn_scan").numbers("frames") == 1).any())


def _moves(tables: Tables) -> bool:
    """True if any axis is stepped during a scan."""
    for category in ("diffrn_scan_axis", "diffrn_scan_frame_axis"):
        table = tables.table(category)
        for name in ("angle_increment", "displacement_increment", "angle_range", "displacement_range"):
            if np.any(table.numbers(name, 0.0) != 0):
                return True
    return False
