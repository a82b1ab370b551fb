"""The one dispatcher of sources: each kind with its reader, and the way from a path to what it describes."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from imgcif_core.errors import InputError
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.records import dataclass
from imgcif_core.sources.description import Experiment
from imgcif_core.sources.detect import detect
from imgcif_core.sources.draft import Incomplete

Described = Experiment | Incomplete


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source: its name in words, and the function `module:name` that reads a path of it."""

    title: str
    reader: str

    def read(self, path: str, reach: Reach = OWN_FOLDER) -> Described:
        """What a file of this kind describes; its reader is imported only now, and told where links may lead."""
        module, _, name = self.reader.partition(":")
        function: Callable[..., Described] = getattr(import_module(f"imgcif_core.sources.{module}"), name)
        if self is KINDS["nxmx"]:
            return function(path, folders=reach.folders, links_lead_out=reach.is_following)
        return function(path)


KINDS = {
    "expt": Kind("DIALS experiment list", "expt:read_expt"),
    "nxmx": Kind("HDF5 master", "isolated:read_described_master"),
    "minicbf": Kind("miniCBF image", "minicbf:read_minicbf_draft"),
    "imgcif": Kind("imgCIF or full CBF", "imgcif:read_imgcif"),
    "smv": Kind("SMV image", "smv:read_smv"),
    "tiff": Kind("TIFF image", "tiff:read_tiff"),
    "geom": Kind("CrystFEL geometry", "geom:read_geom"),
    "xds": Kind("parameters or results of XDS", "xds:read_xds"),
    "detector": Kind("detector of DIALS alone", "detector:read_detector"),
    "euxfel": Kind("run of the European XFEL", "rundraft:refuse_lone_run"),
    "psana": Kind("geometry of psana", "psana:read_psana"),
    "extra-geom": Kind("geometry file of EXtra-geom", "extrageom:QuadrantDraft"),
    "dxtbx": Kind("anything that dxtbx reads", "dxtbx:read_dxtbx"),
}


def split_kind(source: str | Path) -> tuple[str, str]:
    """The kind that a prefix such as `minicbf:` settles, empty without one, and the path."""
    prefix, colon, rest = str(source).partition(":")
    if colon and prefix in KINDS and not Path(source).exists():
        return prefix, rest
    return "", str(source)


def read_described(source: str | Path, *, dxtbx: bool = False, reach: Reach = OWN_FOLDER) -> Described:
    """What one input describes, as far as it does.

    Parameters
    ----------
    source :
        A path; `kind:path` with a key of `KINDS` settles what to read from a file that holds two
        descriptions, as a full CBF with a text header does.
    dxtbx :
        True to let dxtbx read what no reader here knows; its readers may run code of a file.
    reach :
        Where links of HDF5 files may lead.

    Raises
    ------
    InputError
        If the input cannot be read.
    """
    kind, path = split_kind(source)
    if not kind:
        try:
            kind = detect(path).kind
        except InputError:
            if not dxtbx or not Path(path).is_file():
                raise
            kind = "dxtbx"
    return KINDS[kind].read(path, reach)


def read_source(source: str | Path) -> Experiment:
    """The experiment that a source describes, to compare with; directions that it does not give are defaults.

    Raises
    ------
    InputError
        If it cannot be read, or leaves the place of the detector open.
    """
    described = read_described(source)
    return described.guessed() if isinstance(described, Incomplete) else described
