"""Rules about the headers of external HDF5 files: dimensions, types, filters and links, without any pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.external.inputs import address_of, no_copy
from imgcif_core.checks.images.shapes import described, type_name
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import Address, LocalData
from imgcif_core.images.mime import element_type
from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.model.external import ExternalData
from imgcif_core.model.joins import leaders
from imgcif_core.model.storage import StoredArray, StoredArrays
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.images.isolated import Helper

# Datasets of one series are alike, so that some of them tell what all are; --images all opens every one.
MAX_DATASETS = 50
# Filters that the HDF Group has registered and that readers of diffraction images are given by hdf5plugin,
# besides those of the library itself (below 256).
REGISTERED = {
    305: "LZO",
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32013: "ZFP",
    32014: "fpzip",
    32015: "Zstandard",
    32017: "SZ",
    32019: "JPEG",
    32024: "SZ3",
    32026: "Blosc2",
}
_ORDER = {"header": MAX_DATASETS, "sample": MAX_DATASETS, "all": 100_000}


@dataclass(frozen=True, slots=True)
class Hdf5Header:
    """The header of one dataset: rows of the external table that lead to it, and what it says.

    shape : in the order of storage, slowest first; fault : why there is none; is_open : False if the file
    itself could not be had; is_deposited : True if it was read on its server, where its neighbours are, too.
    """

    rows: np.ndarray
    label: str
    array: StoredArray
    shape: tuple[int, ...] = ()
    dtype: np.dtype | None = None
    filters: tuple[tuple[int, str], ...] = ()
    fault: BytesError | None = None
    is_open: bool = True
    is_deposited: bool = False


@provider("hdf5_headers")
def hdf5_headers(
    external: ExternalData,
    stored_arrays: StoredArrays,
    local_data: LocalData,
    decoders: Helper,
    options: CheckOptions,
) -> list[Hdf5Header]:
    """The headers of external HDF5 datasets on this machine."""
    if options.images == "none":
        raise NotChecked("images and archives were not opened, as asked")
    rows = np.flatnonzero(external.where("format", frozenset({"HDF5"})))
    if not len(rows):
        raise NotApplicable("no HDF5 files")
    keys = external.dataset_keys[rows]
    first = np.flatnonzero(leaders(keys) == np.arange(len(keys)))[: _ORDER[options.images]]
    if options.online is not None and options.images != "all":
        # Each file costs requests: the first, one in the middle and the last.
        first = np.unique(first[[0, len(first) // 2, -1]])
    groups: dict[Address, list[int]] = {}
    for index in first:
        address = address_of(external, int(rows[index]))
        if address is not None and local_data.stand_in(address.uri) is not None:
            groups.setdefault(address, []).append(int(index))
    if not groups:
        raise no_copy(local_data)
    from imgcif_core.images.pixels import named

    found = []
    for address, source in local_data.open_all(groups):
        for index in groups[address]:
            own = rows[keys == keys[index]]
            array = stored_arrays[_array_of(external, int(own[0]))]
            label = source.label if not isinstance(source, BytesError) else address.archive_path or address.uri
            label = label.rsplit("/", 1)[-1]
            try:
                if isinstance(source, BytesError):
                    raise source
                with named(label, str(source.path)):
                    told = _layout(external.image(int(own[0])).path, str(source.path), address, local_data, decoders)
            except BytesError as fault:
                is_open, is_remote = not isinstance(source, BytesError), local_data.is_remote(address.uri)
                found.append(Hdf5Header(own, label, array, fault=fault, is_open=is_open, is_deposited=is_remote))
                continue
            filters = tuple((int(code), str(name)) for code, name in told["filters"])
            found.append(Hdf5Header(own, label, array, tuple(told["shape"]), np.dtype(told["dtype"]), filters))
    return found


def _array_of(external: ExternalData, row: int) -> str:
    """The array whose data a row holds."""
    users = np.flatnonzero(external.of_data == row)
    if not len(users):
        return DEFAULT_ARRAY
    return external.data.text("array_id", int(users[0]), DEFAULT_ARRAY) or DEFAULT_ARRAY


def _layout(path: str | None, place: str, address: Address, local: LocalData, helper: Helper) -> dict[str, Any]:
    """What the header of a dataset says; links lead to neighbours of the file."""
    from imgcif_core.images.pixels import with_stand_ins

    request = local.reach.request(place)

    def beside(name: str) -> str | None:
        neighbour = address.beside(name)
        if neighbour is None:
            return None
        try:
            found = local.open(neighbour)
        except BytesError as fault:
            # A server that has no such file tells as much as a folder.
            if fault.kind in ("missing", "gone"):
                return None
            raise
        return str(found.path) if found.path is not None else None

    def ask() -> dict[str, Any]:
        return helper.facts("hdf5_layout", {"request": request, "dataset": path})

    result: dict[str, Any] = with_stand_ins(ask, request["stand_ins"], beside)
    return result


@rule(
    "EXT012",
    "hdf5-header",
    severity="error",
    source="_array_data_external_data.frame",
    message="frame is {frame}, but {path} of {file} has {frames}",
    messages={
        "shape": "{path} of {file} has {found} elements, but array {array} is described as {listed} (fastest first)",
        "transposed": "{path} of {file} has {found} elements, the dimensions of array {array} exchanged: {listed}",
        "type": "{path} of {file} holds elements of type {found}, but encoding_type is {listed}",
        "unreadable": "{file}: {reason}",
    },
    helps={
        "": "count the frames of a dataset from 1, and name the file that holds this one",
        "shape": "look whether path names the dataset of the images; if so, give its dimensions in "
        "_array_structure_list.dimension",
        "transposed": "give the dimension with precedence 1 the first of these numbers",
        "type": "write the type of the dataset in _array_structure.encoding_type",
        "unreadable": "fetch the file again, and compare path with the datasets that it holds",
    },
)
def hdf5_header(external: ExternalData, hdf5_headers: list[Hdf5Header], options: CheckOptions) -> Iterator[Problem]:
    """What: The dataset in an HDF5 file has fewer frames, other dimensions or another type than the tables say.
    Why: Frames beyond the end do not exist; other dimensions mean another detector or another file.
    How to fix: Compare the shape of the dataset with ARRAY_STRUCTURE_LIST, and count frames from 1.
    Source: Dictionary imgCIF, _array_data_external_data.frame, _array_structure_list.dimension.
    """
    judged = False
    for header in hdf5_headers:
        if header.fault is not None:
            # With pixels at hand, the rules about images say what cannot be read.
            severity = _severity_of(header, is_alone=options.images == "header")
            if severity is not None:
                judged = True
                yield problem_at(
                    external.table,
                    header.rows,
                    "path",
                    severity=severity,
                    variant="unreadable",
                    file=header.label,
                    reason=str(header.fault),
                )
            continue
        judged = True
        yield from _beyond_the_end(external, header)
        # With pixels at hand, the rules about images own shape and type.
        if options.images == "header":
            yield from _other_shape(external, header)
            yield from _other_type(external, header)
    if not judged:
        raise NotChecked(f"no header was read: {hdf5_headers[0].fault}" if hdf5_headers else "no header was read")


def _severity_of(header: Hdf5Header, *, is_alone: bool) -> str | None:
    """How grave it is that a header was not read; None where other rules say it, or nobody is to blame."""
    if header.fault is None or not header.is_open or is_dangling(header.fault) or header.fault.is_of_server:
        return None
    if header.fault.kind == "missing":
        return "error"
    return "warning" if is_alone and header.fault.kind in ("damaged", "crashed", "limit") else None


def is_dangling(fault: BytesError) -> bool:
    """True if a link leads to a file that is not there."""
    return fault.kind == "missing" and str(fault).endswith("is not there")


def _beyond_the_end(external: ExternalData, header: Hdf5Header) -> Iterator[Problem]:
    """Frames that a dataset does not have."""
    from imgcif_core.images.pixels import frame_axis

    axis = frame_axis(header.shape, header.array.dimensions) if len(header.shape) >= 2 else -1
    frames = header.shape[axis] if axis >= 0 else 1
    beyond = header.rows[external.frame_numbers[header.rows] > frames]
    if len(beyond) and len(header.shape) <= max(3, len(header.array.dimensions) + 1):
        text = "1 frame" if frames == 1 else f"{frames} frames"
        frame = external.image(int(beyond[0])).frame
        path = external.image(int(beyond[0])).path or "the dataset"
        yield problem_at(external.table, beyond, "frame", frame=frame, path=path, file=header.label, frames=text)


def _other_shape(external: ExternalData, header: Hdf5Header) -> Iterator[Problem]:
    """Dimensions that match those of the array in neither order."""
    from imgcif_core.images.pixels import frame_axis

    listed = header.array.dimensions
    if len(listed) < 2 or _is_section(external, header):
        return
    axis = frame_axis(header.shape, listed)
    image = tuple(size for position, size in enumerate(header.shape) if position != axis)[::-1]
    found, wanted = (tuple(size for size in sizes if size != 1) or (1,) for sizes in (image, listed))
    if _is_within(wanted, found):
        return
    is_transposed = _is_within(wanted[::-1], found)
    yield problem_at(
        external.table,
        header.rows,
        "path",
        severity="warning" if is_transposed else None,
        variant="transposed" if is_transposed else "shape",
        path=external.image(int(header.rows[0])).path or "the dataset",
        file=header.label,
        found=described(image),
        listed=described(listed),
        array=header.array.array_id,
    )


def _is_within(wanted: tuple[int, ...], found: tuple[int, ...]) -> bool:
    """True if sizes stand in this order among others, such as those of modules."""
    rest = iter(found)
    return all(size in rest for size in wanted)


def _is_section(external: ExternalData, header: Hdf5Header) -> bool:
    """True if rows name parts of frames, whose dimensions are those of the section."""
    return bool(np.isnan(external.frame_numbers[header.rows]).any())


def _other_type(external: ExternalData, header: Hdf5Header) -> Iterator[Problem]:
    """Elements of another type than the tables say."""
    listed = element_type(header.array.encoding_type)
    if listed is None or header.dtype is None or listed.bits == 1:
        return
    if header.dtype.newbyteorder("=") != listed.dtype().newbyteorder("="):
        yield problem_at(
            external.table,
            header.rows,
            "path",
            severity="warning",
            variant="type",
            path=external.image(int(header.rows[0])).path or "the dataset",
            file=header.label,
            found=type_name(header.dtype),
            listed=listed.text,
        )


@rule(
    "EXT013",
    "hdf5-filter-or-link",
    severity="warning",
    source="_array_data_external_data.path",
    message="{path} of {file} is packed by the HDF5 filter number {code}{filter}, which is not registered",
    messages={
        "link": "{file}: {reason}",
    },
    helps={
        "": "pack the data with a registered filter such as bitshuffle with LZ4",
        "link": "deposit the files that are linked beside this one, and link to them by relative names",
    },
)
def hdf5_filter_or_link(external: ExternalData, hdf5_headers: list[Hdf5Header]) -> Iterator[Problem]:
    """What: A dataset is packed by a filter that nobody else has, or leads to a file that is not deposited with it.
    Why: Readers without the filter or the file cannot decode the images.
    How to fix: Pack with a registered filter such as bitshuffle with LZ4, and deposit all linked files together.
    Source: List of registered HDF5 filters of the HDF Group; dictionary imgCIF, _array_data_external_data.path.
    """
    for header in hdf5_headers:
        for code, name in header.filters:
            if code >= 256 and code not in REGISTERED:
                path = external.image(int(header.rows[0])).path or "the dataset"
                yield problem_at(
                    external.table,
                    header.rows,
                    "path",
                    path=path,
                    file=header.label,
                    filter=f" ({name})" if name else "",
                    code=code,
                )
        if header.fault is None:
            continue
        if header.is_open and (header.fault.kind == "unsafe" or is_dangling(header.fault)):
            # Outside of archives the file may only be absent from this machine.
            is_whole = header.is_deposited or external.table.explicit("archive_path")[header.rows].any()
            is_partial = is_dangling(header.fault) and not is_whole
            yield problem_at(
                external.table,
                header.rows,
                "path",
                severity="info" if is_partial else None,
                variant="link",
                file=header.label,
                reason=str(header.fault),
            )
