"""Which reader takes an input, told from its first bytes; a name decides only where these are silent."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.sources.any import KINDS, read_source
from imgcif_core.sources.any import kind_of as described_kind
from imgcif_core.sources.description import Experiment, ImageFiles
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.minicbf import read_head

IMAGE_SUFFIXES = (".cbf", ".img", ".osc", ".tif", ".tiff", ".mccd", ".sfrm")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
EXTRA_KINDS = ("smv", "tiff", "geom", "extra-geom", "dxtbx")


def kind_of(path: str | Path) -> str:
    """The kind of an input: one of `KINDS` or `EXTRA_KINDS`.

    Raises
    ------
    InputError
        If the file cannot be read, or no reader knows it.
    """
    head = read_head(path)
    if not head:
        raise InputError(f"{path}: is empty")
    if head.startswith(_TIFF):
        return "tiff"
    if head.startswith(b"{") and b"HEADER_BYTES" in head[:64]:
        return "smv"
    if Path(path).suffix.lower() == ".geom" or _looks_like_geom(head):
        return "geom"
    try:
        kind = described_kind(path)
    except InputError:
        return "dxtbx"
    if kind == "nxmx":
        from imgcif_core.sources.extrageom import is_quadrant_file

        return "extra-geom" if is_quadrant_file(path) else kind
    return kind


def _looks_like_geom(head: bytes) -> bool:
    """True for text in which panels get min_fs, as CrystFEL has them."""
    return b"/min_fs" in head and b"data_" not in head and b"\0" not in head[:4096]


def is_single_image(path: str | Path) -> bool:
    """True for a file of one image, of which many make a scan."""
    kind = kind_of(path)
    if kind in ("smv", "tiff", "minicbf"):
        return True
    return kind == "imgcif" and is_image_cbf(path)


def is_image_cbf(path: str | Path) -> bool:
    """True for a CBF that holds an image."""
    return b"--CIF-BINARY-FORMAT-SECTION--" in read_head(path)


def read_described(path: str) -> Experiment | Incomplete:
    """What one input describes; `kind:path` settles the kind.

    Raises
    ------
    InputError
        If the input cannot be read.
    """
    prefix, colon, rest = path.partition(":")
    if colon and prefix in (*KINDS, *EXTRA_KINDS):
        kind, path = prefix, rest
    else:
        kind = kind_of(path)
    if kind == "smv":
        from imgcif_core.sources.smv import read_smv

        return read_smv(path)
    if kind == "tiff":
        from imgcif_core.sources.tiff import read_tiff

        return read_tiff(path)
    if kind == "geom":
        from imgcif_core.sources.geom import read_geom

        return read_geom(path)
    if kind == "extra-geom":
        from imgcif_core.sources.extrageom import QuadrantDraft

        return QuadrantDraft(path)
    if kind == "dxtbx":
        from imgcif_core.sources.dxtbx import read_dxtbx

        return read_dxtbx(path)
    experiment = read_source(f"{kind}:{path}")
    if kind == "imgcif" and is_image_cbf(path):
        return _with_own_image(experiment, path)
    return experiment


def _with_own_image(experiment: Experiment, path: str) -> Experiment:
    """The experiment of a CBF whose image lies in the file itself."""
    if len(experiment.scans) != 1 or experiment.scans[0].frames > 1:
        return experiment
    images = ImageFiles((path,), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), None, "CBF")
    return replace(experiment, scans=(replace(experiment.scans[0], frames=1, images=images),))
