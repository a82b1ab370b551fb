"""The images of one sweep at random, for a program that processes them in its own process."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.export.files import LocalFiles
from imgcif_core.export.pixels import cut, open_stack
from imgcif_core.export.plan import make_plan
from imgcif_core.export.sweeps import Sweep
from imgcif_core.formats import plain_ending
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.inprocess import OwnProcess
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import Address, LocalData
from imgcif_core.images.pixels import ImageStack
from imgcif_core.model.external import build_external
from imgcif_core.tables import Tables

_COPIED = 1 << 20
# Files that are kept open: a sweep runs through them in order.
_KEPT = 4


def choose_sweep(sweeps: Sequence[Sweep], path: str, wanted: str | None) -> Sweep:
    """The one sweep of a file, or that of a scan.

    Raises
    ------
    InputError
        If there are several, or none of that scan.
    """
    found = [sweep for sweep in sweeps if wanted is None or sweep.id == wanted]
    names = ", ".join(dict.fromkeys(sweep.id for sweep in sweeps))
    if not found:
        raise InputError(f"{path}: no scan {wanted}; it has {names}")
    if len(found) > 1:
        raise InputError(
            f"{path}: has {len(found)} sweeps ({names}) and one is read at a time: name its scan in IMGCIF_SCAN, "
            "or make an experiment list of all with imgcif export --to expt"
        )
    return found[0]


class SweepReader:
    """Reads the images of a sweep whose files are on this machine, those in archives too.

    Files are looked for in `local` folders and beside the document. Packed archives are unpacked into a
    temporary folder with the first image, only the members of the sweep.
    """

    def __init__(self, document: Document, dictionary: Dictionary, local: Sequence[Path], scan: str | None) -> None:
        base = Path(document.source.path).absolute().parent
        with closing(LocalFiles(base, local)) as files:
            self.plan = make_plan(document, dictionary, files)
            self.sweep = choose_sweep(self.plan.sweeps, document.source.path, scan)
        self._operations = OwnProcess()
        self._stacks: dict[str, ImageStack] = {}
        self._size = tuple(max(p.raw_offset[k] + p.size[k] for p in self.sweep.panels) for k in (1, 0))
        self._folder: str | None = None
        if self.sweep.images is None:
            raise InputError(f"{document.source.path}: the images of scan {self.sweep.id or 1} are not one array each")
        if not self.sweep.is_local:
            self._unpack(document, dictionary, base, local)

    def __len__(self) -> int:
        return self.sweep.frames

    def panels(self, index: int) -> list[np.ndarray]:
        """The pixels of each panel of an image, counted from 0: (slow, fast).

        Raises
        ------
        InputError
            If the image cannot be read, or the panels do not fit into it.
        """
        images = self.sweep.images
        if images is None or not 0 <= index < len(images):
            raise InputError(f"{self.plan.path}: has {len(self)} images, no number {index + 1}")
        name = images.files[int(images.file[index])]
        try:
            if name not in self._stacks:
                if len(self._stacks) >= _KEPT:
                    del self._stacks[next(iter(self._stacks))]
                self._stacks[name] = open_stack(Path(name), self._operations, images.path, self._size)
            image = self._stacks[name].read(int(images.frame[index]) - 1)
        except BytesError as error:
            raise InputError(f"{Path(name).name}: {error}") from None
        return cut(image, self.sweep.panels, Path(name).name)

    def _unpack(self, document: Document, dictionary: Dictionary, base: Path, local: Sequence[Path]) -> None:
        """Put the members of archives that the sweep needs into a temporary folder."""
        addresses = _addresses(document, dictionary, self.sweep)
        for folder in (*local, base):
            with closing(LocalData(base=base, local=folder)) as data:
                if data.stand_in(addresses[0].uri) is not None:
                    self._copy(addresses, data)
                    return
        raise InputError(
            f"{self.plan.path}: its images are not on this machine ({addresses[0].uri}): "
            "name the folder that holds them in IMGCIF_LOCAL"
        )

    def _copy(self, addresses: Sequence[Address], data: LocalData) -> None:
        """Write each distinct member to a file, and point the sweep to these."""
        self._folder = tempfile.mkdtemp(prefix="imgcif-")
        weakref.finalize(self, shutil.rmtree, self._folder, True)
        images = self.sweep.images
        assert images is not None
        order = {address: index for index, address in enumerate(dict.fromkeys(addresses))}
        names = [""] * len(order)
        for address, source in data.open_all(order):
            if isinstance(source, BytesError):
                raise InputError(f"{address.archive_path or address.uri}: {source}")
            names[order[address]] = str(_keep(source, Path(self._folder), order[address], address))
        file = np.array([order[address] for address in addresses], dtype=np.int64)
        self.sweep = replace(self.sweep, images=replace(images, files=tuple(names), file=file), is_local=True)


def _keep(source: ByteSource, folder: Path, number: int, address: Address) -> Path:
    """A copy of a source under a name of ours with the ending of its own."""
    ending = plain_ending(address.archive_path or address.uri)
    target = folder / f"{number:06d}{ending if ending[1:].isalnum() else ''}"
    with target.open("xb") as stream:
        for start in range(0, source.size, _COPIED):
            stream.write(source.read(start, min(_COPIED, source.size - start)))
    return target


def _addresses(document: Document, dictionary: Dictionary, sweep: Sweep) -> list[Address]:
    """The links of the images of a sweep, by the names that they bear in the plan."""
    known: dict[str, Address] = {}
    for block in document.blocks:
        if block.name == sweep.block:
            external = build_external(Tables(block, dictionary))
            for row in range(len(external)):
                image = external.image(row)
                name = image.archive_path or image.uri or ""
                known.setdefault(name, Address(image.uri or "", image.archive_format, image.archive_path))
    images = sweep.images
    assert images is not None
    return [known[images.files[index]] for index in images.file.tolist()]


def local_folders(environment: Mapping[str, str]) -> list[Path]:
    """The folders that the variable IMGCIF_LOCAL names, separated as in PATH."""
    import os

    return [Path(name) for name in environment.get("IMGCIF_LOCAL", "").split(os.pathsep) if name]
