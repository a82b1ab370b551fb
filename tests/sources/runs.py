"""Small runs of the European XFEL, written as its documentation has the files, and geometries beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

ROWS, COLUMNS = 8, 4


def module_file(
    path: Path,
    source: str,
    counts: Mapping[int, int],
    *,
    planes: int = 0,
    pulses: Sequence[int] = (),
    group: str = "image",
    name: str = "data",
    **index: object,
) -> Path:
    """One file of a module: so many images in each train; `planes` beside each other, `index` replaces values."""
    trains, many = np.array(list(counts)), np.array(list(counts.values()))
    total = int(many.sum())
    shape = (total, *((planes,) if planes else ()), ROWS, COLUMNS)
    with h5py.File(path, "w") as file:
        file["METADATA/dataSources/dataSourceId"] = [f"INSTRUMENT/{source}/{group}".encode()]
        file["METADATA/runNumber"], file["METADATA/proposalNumber"] = [7], [1234]
        file["INDEX/trainId"] = index.get("train_ids", trains.astype("u8"))
        if "flag" in index:
            file["INDEX/flag"] = index["flag"]
        first = np.concatenate([[0], np.cumsum(many)[:-1]]).astype("u8")
        file[f"INDEX/{source}/{group}/first"] = index.get("first", first)
        file[f"INDEX/{source}/{group}/count"] = index.get("count", many.astype("u8"))
        own = pulses or [number for count in many for number in range(count)]
        file[f"INSTRUMENT/{source}/{group}/trainId"] = np.repeat(trains, many).astype("u8")
        if group == "image":
            file[f"INSTRUMENT/{source}/{group}/pulseId"] = np.array(own, "u8")
        file.create_dataset(f"INSTRUMENT/{source}/{group}/{name}", shape, "u2", chunks=(1, *shape[1:]))
    return path


def run(folder: Path, modules: int = 2, counts: Mapping[int, int] | None = None, **more: object) -> Path:
    """A run of a burst detector: 3 pulses in each of two trains."""
    folder.mkdir(exist_ok=True)
    for number in range(modules):
        source = f"SPB_DET_AGIPD1M-1/DET/{number}CH0:xtdf"
        path = folder / f"RAW-R0007-AGIPD{number:02d}-S00000.h5"
        module_file(path, source, counts or {100: 3, 101: 3}, **more)  # type: ignore[arg-type]
    return folder


def geometry(path: Path, modules: int = 2, clen: str = "0.2 m", energy: str = "9000") -> Path:
    """Two panels of each module, one above the other, as EXtra-geom writes them."""
    lines = [f"clen = {clen}", "res = 5000", f"photon_energy = {energy}", "data = /entry/data", "dim0 = %"]
    for number in range(modules):
        for part in (0, 1):
            panel = f"p{number}a{part}"
            lines += [f"{panel}/dim1 = {number}", f"{panel}/dim2 = ss", f"{panel}/dim3 = fs"]
            lines += [f"{panel}/min_fs = 0", f"{panel}/max_fs = 3"]
            lines += [f"{panel}/min_ss = {4 * part}", f"{panel}/max_ss = {4 * part + 3}"]
            lines += [f"{panel}/corner_x = {-2 + 6 * number}", f"{panel}/corner_y = {6 * part}"]
            lines += [f"{panel}/fs = +1.0x +0.0y", f"{panel}/ss = +0.0x +1.0y"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
