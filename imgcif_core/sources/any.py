"""The reader that fits a source: told from its first bytes, or from a prefix such as `minicbf:`."""

from collections.abc import Callable
from pathlib import Path

from imgcif_core.errors import InputError
from imgcif_core.sources.description import Experiment
from imgcif_core.sources.minicbf import header_text, read_head

KINDS = ("expt", "nxmx", "minicbf", "imgcif")


def kind_of(path: str | Path) -> str:
    """One of `KINDS`.

    Raises
    ------
    InputError
        If the file cannot be read, or is none of them.
    """
    from imgcif_core.sources.expt import is_expt
    from imgcif_core.sources.nxmx import MAGIC

    head = read_head(path)
    if head.startswith(MAGIC):
        return "nxmx"
    if is_expt(head):
        return "expt"
    if b"_axis." in head.lower():
        return "imgcif"
    if header_text(head) is not None:
        return "minicbf"
    if b"data_" in head.lower():
        return "imgcif"
    raise InputError(f"{path}: none of DIALS experiment list, HDF5 master, miniCBF and imgCIF")


def read_source(source: str | Path) -> Experiment:
    """The experiment that a source describes.

    Parameters
    ----------
    source :
        A path; `kind:path` with one of `KINDS` settles what to read from a file that holds two
        descriptions, as a full CBF with a text header does.

    Raises
    ------
    InputError
        If the source cannot be read.
    """
    prefix, colon, rest = str(source).partition(":")
    kind, path = (prefix, rest) if colon and prefix in KINDS else ("", str(source))
    readers: dict[str, Callable[[str], Experiment]] = {
        "expt": _expt,
        "nxmx": _nxmx,
        "minicbf": _minicbf,
        "imgcif": _imgcif,
    }
    return readers[kind or kind_of(path)](path)


def _expt(path: str) -> Experiment:
    from imgcif_core.sources.expt import read_expt

    return read_expt(path)


def _nxmx(path: str) -> Experiment:
    from imgcif_core.sources.nxmx import read_master

    return read_master(path)


def _minicbf(path: str) -> Experiment:
    from imgcif_core.sources.minicbf import read_minicbf

    return read_minicbf(path)


def _imgcif(path: str) -> Experiment:
    """The first block of an imgCIF that has axes."""
    from imgcif_core.cif.reader import open_source, read
    from imgcif_core.ddlm.bundled import load_bundled
    from imgcif_core.sources.imgcif import describe
    from imgcif_core.tables import Tables

    dictionary = load_bundled()
    blocks = [Tables(block, dictionary) for block in read(open_source(path, None)).blocks]
    chosen = next((tables for tables in blocks if tables.table("axis")), None)
    if chosen is None:
        raise InputError(f"{path}: no data block with axes")
    return describe(chosen, path)
