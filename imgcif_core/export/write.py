"""Writing the files of an export: all of them, or none."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError, UsageError
from imgcif_core.export.expt import write_expt
from imgcif_core.export.files import LocalFiles
from imgcif_core.export.geom import write_geom
from imgcif_core.export.plan import make_plan
from imgcif_core.export.sweeps import Plan, Sweep
from imgcif_core.export.xds import write_xds
from imgcif_core.output import open_output, refuse_output, write_file
from imgcif_core.records import dataclass

TARGETS = {
    "expt": "DIALS experiment list",
    "xds": "XDS.INP, one file a scan",
    "geom": "CrystFEL geometry",
    "nxmx": "NXmx master",
}
_TEXTS: dict[str, Callable[[Plan, Sweep], tuple[str, list[str]]]] = {"xds": write_xds, "geom": write_geom}
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export: where it was written, None for text that was not; what it does not carry."""

    path: Path | None
    text: str
    scan: str
    left_out: tuple[str, ...]


def export_file(
    document: Document,
    dictionary: Dictionary,
    target: str,
    *,
    output: Path | None = None,
    local: Sequence[Path] = (),
    maps: Mapping[str, str] | None = None,
    scan: str | None = None,
    sensor: tuple[str, float | None] | None = None,
    copy_images: bool = False,
    overwrite: bool = False,
) -> list[Written]:
    """Export a document to one of `TARGETS`; without `output` the text is only given back.

    `sensor` tells material and thickness (mm) of the sensor where the file does not.

    Raises
    ------
    InputError
        If the file cannot be interpreted, or the target cannot express it.
    UsageError
        If the target needs an output file, or several scans need more than one.
    OutputError
        If a file exists and `overwrite` is not given, or cannot be written.
    """
    source = Path(document.source.path)
    base = source.parent if source.exists() else None
    with closing(LocalFiles(base, local, maps)) as files:
        plan = make_plan(document, dictionary, files, scan, sensor)
    inputs = [source] if source.exists() else []
    if target == "nxmx":
        return _masters(plan, output, copy_images=copy_images, overwrite=overwrite, inputs=inputs)
    if target == "expt":
        text, left_out = write_expt(plan)
        made = [Written(output, text, "", _with_places(plan, left_out))]
    else:
        made = _texts(plan, output, _TEXTS[target])
    _refuse_outputs([entry.path for entry in made], overwrite, inputs)
    for entry in made:
        if entry.path is not None:
            write_file(entry.path, entry.text, overwrite=overwrite, inputs=inputs)
    return made


def _with_places(plan: Plan, left_out: Sequence[str]) -> tuple[str, ...]:
    """What is left out, and a word where images were not found."""
    absent = [sweep for sweep in plan.sweeps if sweep.images is not None and not sweep.is_local]
    if absent:
        first = absent[0].images.files[0] if absent[0].images is not None else ""
        note = (
            f"paths of the images: not found on this machine, names are those of the links ({first}); use --local DIR"
        )
        return (*left_out, note)
    return tuple(left_out)


def _refuse_outputs(paths: Sequence[Path | None], overwrite: bool, inputs: Sequence[Path]) -> None:
    """Refuse all files before the first is written."""
    for path in paths:
        if path is not None:
            refuse_output(path, overwrite=overwrite, inputs=inputs)


def _texts(plan: Plan, output: Path | None, write: Callable[[Plan, Sweep], tuple[str, list[str]]]) -> list[Written]:
    """One text for each sweep; sweeps of which a target makes the same text are one file."""
    made: dict[str, tuple[Sweep, list[str]]] = {}
    for sweep in plan.sweeps:
        text, left_out = write(plan, sweep)
        made.setdefault(text.partition("\n")[2], (sweep, [text, *left_out]))
    if output is None and len(made) > 1:
        raise UsageError(f"{len(made)} scans need as many files: give -o OUT, or one scan with --scan ID")
    if len(made) > MAX_FILES:
        raise InputError(f"{plan.path}: {len(made)} scans need as many files; export them one by one with --scan ID")
    paths = _paths(output, [sweep for sweep, _ in made.values()])
    return [
        Written(path, texts[0], sweep.id, tuple(texts[1:]))
        for path, (sweep, texts) in zip(paths, made.values(), strict=True)
    ]


def _paths(output: Path | None, sweeps: Sequence[Sweep]) -> list[Path | None]:
    """The file of each sweep: OUT alone, or OUT with the scan in its name, numbered where a scan has several."""
    if output is None or len(sweeps) == 1:
        return [output] * len(sweeps)
    found: list[Path | None] = []
    used: set[str] = set()
    for index, sweep in enumerate(sweeps, 1):
        name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in sweep.id) or str(index)
        if name in used:
            name = f"{name}_{sweep.number}"
        while name in used:
            name += f"_{index}"
        used.add(name)
        found.append(output.with_name(f"{output.stem}_{name}{output.suffix}"))
    return found


def _masters(
    plan: Plan, output: Path | None, *, copy_images: bool, overwrite: bool, inputs: Sequence[Path]
) -> list[Written]:
    """One master for each sweep, made aside and put into its place when it is whole."""
    from imgcif_core.export.nxmx import write_nxmx
    from imgcif_core.export.pixels import sweep_images

    if output is None:
        raise UsageError("an NXmx master is a binary file: give -o OUT.h5")
    if len(plan.sweeps) > MAX_FILES:
        raise InputError(f"{plan.path}: {len(plan.sweeps)} scans need as many files; export them one by one")
    paths = [path for path in _paths(output, plan.sweeps) if path is not None]
    _refuse_outputs(paths, overwrite, inputs)
    made = []
    for path, sweep in zip(paths, plan.sweeps, strict=True):
        pixels: Iterator[np.ndarray] | None = sweep_images(sweep) if copy_images else None
        # Beside its place, so that a stack of many images does not fill the disk of temporary files.
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            part = Path(folder) / "part.h5"
            left_out = write_nxmx(plan, sweep, part, pixels, path.parent)
            with part.open("rb") as whole, open_output(path, overwrite=overwrite, inputs=inputs) as stream:
                shutil.copyfileobj(whole, stream, 1 << 20)
        made.append(Written(path, "", sweep.id, tuple(left_out)))
    return made
