"""What an HDF5 file describes, told by what it holds: a master, a file of a run, or the places of modules."""

from imgcif_core.sources.hdf5 import Master


def kind_of_hdf5(path: str) -> str:
    """The kind of an HDF5 file, a key of `any.KINDS`.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with Master(path) as master:
        # Quadrants of modules, each with its position, as EXtra-geom has them of LPD.
        if master.is_dataset(master.get(master.root, "Q1/M1/Position")):
            return "extra-geom"
        if master.is_dataset(master.get(master.root, "INDEX/trainId")) and master.names("METADATA"):
            return "euxfel"
    return "nxmx"
