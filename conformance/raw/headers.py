"""Write the HDF5 files of cases about headers: datasets of a shape and type, without any stored element.

Run as `python -m raw.headers` in the folder `conformance`; needs h5py.
"""

from pathlib import Path

DATASETS = Path(__file__).resolve().parents[1] / "datasets" / "ext"
# Folder: shape, slowest first, and type; None for a file whose dataset is a link.
HEADERS = {
    "EXT012-hdf5-header": {
        "six": ((6, 1900, 1600), "<i4"),
        "three": ((3, 1900, 1600), "<i4"),
        "other": ((6, 1901, 1600), "<i4"),
        "exchanged": ((6, 1600, 1900), "<i4"),
        "real": ((6, 1900, 1600), "<f4"),
        "elsewhere": ((6, 1900, 1600), "<i4"),
    },
    "EXT013-hdf5-filter-or-link": {
        "plain": ((6, 1900, 1600), "<i4"),
        "outside": "../../secret.h5",
        "absolute": "/data/secret.h5",
        "forgotten": "quartz_01_data_000001.h5",
        "private": ((6, 1900, 1600), "<i4"),
    },
}
# A number that no filter is registered for: 256 to 511 are for tests.
PRIVATE_FILTER = 300


def main() -> None:
    """Write all files."""
    import h5py

    for name, folders in HEADERS.items():
        for folder, content in folders.items():
            path = DATASETS / name / folder / "quartz_01.h5"
            path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(path, "w", track_order=False) as file:
                if isinstance(content, str):
                    file["data"] = h5py.ExternalLink(content, "/data")
                    continue
                shape, kind = content
                place = "images" if folder == "elsewhere" else "data"
                options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                options.set_chunk((1, *shape[1:]))
                options.set_obj_track_times(False)
                if folder == "private":
                    options.set_filter(PRIVATE_FILTER, h5py.h5z.FLAG_OPTIONAL)
                else:
                    options.set_deflate(4)
                space = h5py.h5s.create_simple(shape)
                h5py.h5d.create(file.id, place.encode(), h5py.h5t.py_create(kind, logical=True), space, options)


if __name__ == "__main__":
    main()
