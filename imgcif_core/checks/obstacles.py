"""What keeps the images of a block from being interpreted, as its model has it."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import numpy as np

from imgcif_core.checks.axes.roles import USING, roles_of
from imgcif_core.checks.image_headers.texts import only_header
from imgcif_core.checks.instrument import REPORTED_BY, unknown_settings
from imgcif_core.checks.joined import JoinedTables, is_part_of_another, which_of_several
from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.radiation.texts import is_broad
from imgcif_core.checks.registry import NotApplicable, provider
from imgcif_core.checks.scans.common import distinct_drives, varies
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Document
from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import FLAT, SHAPES, Detector, Fault, Panel, Posture
from imgcif_core.model.scans import Scan, Scans
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

IMAGE_TABLES = ("diffrn_scan", "diffrn_scan_frame", "diffrn_data_frame", "array_data")
# Tables without which pixels have no place.
_LAYOUT = ("axis", "array_structure_list", "array_structure_list_axis")
_SETTINGS = ("diffrn_scan_axis", "diffrn_scan_frame_axis")
# Millimetres: a panel whose plane comes this close to the sample is one whose distance is not told.
AT_SAMPLE_MM = 1e-6
# Distinct settings of the detector that are tried; of more, evenly chosen ones.
MAX_SETTINGS = 1000
# Arrays of a block are gone through one by one; a detector has one for each panel at most.
MAX_ARRAYS = 20_000
# Frames of a scan whose settings are looked at: 16 MB for each axis.
MAX_FRAMES = 2_000_000
# Places of panels that are computed at once: panels times frames.
_AT_ONCE = 1_000_000
_UNFLAT = tuple(shape for shape in SHAPES if shape != FLAT)


class Kind(StrEnum):
    """What is missing, in the order in which it is told."""

    WAVELENGTH = "wavelength"
    AXES = "axes"
    ARRAY = "array"
    SIZE = "number of pixels"
    ORDER = "order in storage"
    STEP = "pixel size"
    PLACE = "place"
    SAMPLE = "detector in the sample"
    SETTINGS = "settings"
    STILL = "still"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps images from being interpreted.

    `words` says it to a reader and `code` is the rule that tells more; `subjects` are the arrays, panels or
    scans that it is about, `names` the items that are missing. `is_fault` is false where the file may be right
    and only this program cannot tell.
    """

    kind: Kind
    words: str
    code: str
    subjects: tuple[str | Panel | Scan, ...] = ()
    names: tuple[str, ...] = ()
    is_fault: bool = True


@provider("obstacles")
def obstacles_of(
    document: Document,
    joined: Tables,
    joined_axes: Axes,
    joined_scans: Scans,
    joined_panels: Detector,
    tolerances: Tolerances,
) -> list[Obstacle]:
    """All obstacles of a block with images; `NotApplicable` where it has none, or another block takes them."""
    tables, axes, scans, detector = joined, joined_axes, joined_scans, joined_panels
    if not any(tables.table(name) for name in IMAGE_TABLES):
        raise NotApplicable("no scans, frames or array data")
    if is_part_of_another(joined):
        raise NotApplicable("the scans of these images stand in another block")
    found = [*_wavelength(tables), *_tables(tables, axes)]
    if any(entry.kind is Kind.AXES for entry in found):
        return found
    found += _arrays(tables, detector)
    found += _dimensions(tables, detector, _sized_by_header(document, tables))
    found += _faults(detector, tables)
    found += _unreadable(tables, axes)
    settled = [scan for scan in scans if _has_settings(scan)]
    others = [scan for scan in scans if not _has_settings(scan)]
    kinds = _kinds_of_scans(tables)
    is_lost = [scan.count > 1 and not _is_of_stills(kinds, scan) for scan in others]
    lost = [scan for scan, gone in zip(others, is_lost, strict=True) if gone]
    if lost:
        found.append(Obstacle(Kind.SETTINGS, f"no setting of any axis in {_scans(lost)}", "MTA023", tuple(lost)))
    # What is nowhere set stands at zero, and so does the detector: one finding says so.
    placed = settled or [scan for scan, gone in zip(others, is_lost, strict=True) if not gone]
    if len(detector.flat) and (placed or not lost):
        found += _in_sample(detector, placed, _why_at_zero(tables, axes, scans, found))
    return [*found, *_still(kinds, axes, settled, tolerances)]


def _wavelength(tables: Tables) -> Iterator[Obstacle]:
    """A wavelength that neither the block nor another one of its data set gives; white beams have none."""
    values = [tables.table("diffrn_radiation_wavelength").numbers("value")]
    if (values[0] > 0).any():
        return
    values += [entry.table("diffrn_radiation_wavelength").numbers("value") for entry in same_data_set(tables)]
    header = only_header(tables)
    if header is not None and (header.wavelength or 0.0) > 0:
        return
    if not any((numbers > 0).any() for numbers in values) and not is_broad(tables):
        is_number = any(numbers.size and np.isfinite(numbers).any() for numbers in values)
        is_written = tables.table("diffrn_radiation_wavelength").explicit("value").any()
        words = f"wavelength not {'positive' if is_number else 'readable' if is_written else 'given'}"
        code = "DIC008" if is_written and not is_number else "SRC001"
        yield Obstacle(Kind.WAVELENGTH, words, code, names=("_diffrn_radiation_wavelength.value",))


def _tables(tables: Tables, axes: Axes) -> Iterator[Obstacle]:
    """Axes or layouts that stand nowhere in the block."""
    undecided = tables.undecided if isinstance(tables, JoinedTables) else {}
    several = [name for name in undecided if name in (*_LAYOUT, *_SETTINGS)]
    if several:
        words = which_of_several(undecided, several)
        yield Obstacle(Kind.AXES, words, "", is_fault=False)
    elif spread := _axes_elsewhere(tables, axes):
        words = f"axes {_listed(spread)} in another data block than the others"
        yield Obstacle(Kind.AXES, words, "", is_fault=False)
    elif not len(axes):
        header = tables.table("array_data").has("header_contents")
        words = "only a text header, no axes" if header else "axes not given"
        yield Obstacle(Kind.AXES, words, "REL002" if _names_axes(tables) else "MTA022")


def _axes_elsewhere(tables: Tables, axes: Axes) -> list[str]:
    """Axes that settings name and that only another block of the data set defines."""
    if not len(axes) or not same_data_set(tables):
        return []
    columns = [column for name in _SETTINGS if (column := tables.table(name).column("axis_id")) is not None]
    named = [column.text(row) for column in columns for row in column.distinct()[0].tolist() if not column.is_null[row]]
    unknown = [name for name in dict.fromkeys(named) if not axes.rows_named(name)]
    if not unknown:
        return []
    others = {name.casefold() for entry in same_data_set(tables) for name in entry.table("axis").texts("id") if name}
    return [name for name in unknown if name.casefold() in others]


def _names_axes(tables: Tables) -> bool:
    """True if any table names an axis, so that the absent table has a rule that tells of it."""
    return any(tables.table(name).explicit("axis_id").any() for name in USING)


def used_arrays(tables: Tables) -> list[str]:
    """The arrays that frames show, or else that hold data; the default where none is named."""
    for category in ("diffrn_data_frame", "array_data"):
        table = tables.table(category)
        column = table.column("array_id")
        if column is not None:
            rows = column.distinct()[0][:MAX_ARRAYS]
            named = zip(column.texts_at(rows), column.is_null[rows].tolist(), strict=True)
            return list(dict.fromkeys(DEFAULT_ARRAY if is_null else text for text, is_null in named))
        if table:
            return [DEFAULT_ARRAY]
    return []


def _arrays(tables: Tables, detector: Detector) -> Iterator[Obstacle]:
    """Arrays of the images that have no layout, or one without pixel directions."""
    listed = tables.table("array_structure_list")
    described = {(name or DEFAULT_ARRAY).casefold() for name in listed.texts("array_id", DEFAULT_ARRAY)}
    structures = {(name or DEFAULT_ARRAY).casefold() for name in tables.table("array_structure").texts("id")}
    used = used_arrays(tables)
    # Where one layout serves the only array under its default name, it is understood.
    alone = len(described) == 1 and used == [DEFAULT_ARRAY]
    bare = [name for name in used if name.casefold() not in described and not alone]
    foreign = [name for name in bare if (described or structures) and name.casefold() not in structures]
    elsewhere = set(foreign)
    for names, code in (([name for name in bare if name not in elsewhere], "MTA020"), (foreign, "REL003")):
        if names:
            yield Obstacle(Kind.ARRAY, f"array {_listed(names)} of the images not described", code, tuple(names))
    placed = {array.casefold() for array in detector.layouts.array_ids}
    lost = described - placed
    flat = [name for name in used if name.casefold() in lost]
    if flat:
        words = f"directions of array {_listed(flat)} not given"
        yield Obstacle(Kind.PLACE, words, "MTA020", tuple(flat), ("axis_set_id",))


def _dimensions(tables: Tables, detector: Detector, sized: set[str]) -> Iterator[Obstacle]:
    """Numbers of pixels and their order in storage that are not given, by array."""
    table = tables.table("array_structure_list")
    sizes: dict[str, None] = {}
    orders: dict[str, dict[str, None]] = {}
    given = {name: table.explicit(name) for name in ("dimension", "precedence", "direction")}
    # A number that cannot be read is stated all the same: what is wrong with it is said by its type.
    unread = given["dimension"] & np.isnan(table.numbers("dimension"))
    layouts = detector.layouts
    whole = np.flatnonzero((layouts.face >= 0).all(axis=1))
    face = layouts.face[whole]
    rows = layouts.dimensions.row[face]
    unsized = (layouts.dimensions.size[face].min(axis=1) == 0) & ~unread[rows].any(axis=1)
    for array in (layouts.array_ids[number] for number in whole[unsized].tolist()):
        if array.casefold() not in sized:
            sizes[array] = None
    lacking = {name: ~given[name][rows].all(axis=1) for name in ("precedence", "direction")}
    for position in np.flatnonzero(lacking["precedence"] | lacking["direction"]).tolist():
        for name in (name for name, marks in lacking.items() if marks[position]):
            orders.setdefault(layouts.array_ids[int(whole[position])], {})[name] = None
    if sizes:
        words = f"number of pixels of array {_listed(list(sizes))} not given"
        yield Obstacle(Kind.SIZE, words, "MTA020", tuple(sizes), ("dimension",))
    if orders:
        names = tuple(dict.fromkeys(name for entry in orders.values() for name in entry))
        words = f"order of array {_listed(list(orders))} in storage not given"
        yield Obstacle(Kind.ORDER, words, "MTA020", tuple(orders), names)


def _sized_by_header(document: Document, tables: Tables) -> set[str]:
    """The arrays whose embedded images state their numbers of pixels themselves."""
    data = tables.table("array_data")
    fields = ("x-binary-size-fastest-dimension", "x-binary-size-second-dimension")
    sections = document.sections[:MAX_ARRAYS]
    if not sections or not data.explicit("data").any():
        return set()
    if not all(all(field in section.headers for field in fields) for section in sections):
        return set()
    return {(data.text("array_id", row) or DEFAULT_ARRAY).casefold() for row in range(min(data.rows, MAX_ARRAYS))}


def _faults(detector: Detector, tables: Tables) -> Iterator[Obstacle]:
    """Panels without a place, by what keeps them from it."""
    elsewhere = any(other.table("axis") for other in same_data_set(tables))
    for fault in detector.faults(*_UNFLAT):
        panels = list(detector.with_fault(fault, *_UNFLAT))
        named = f"{_panels(panels)}"
        if fault is Fault.NO_STEP:
            yield Obstacle(Kind.STEP, f"pixel size of {named} not given", "MTA021", tuple(panels))
        elif fault is Fault.NO_AXIS:
            yield Obstacle(Kind.PLACE, f"{named} without axes: {fault}", _no_axis(detector), tuple(panels))
        elif fault is Fault.NO_SET:
            yield Obstacle(Kind.PLACE, f"{named} not placed: {fault}", "MTA020", tuple(panels), ("axis_set_id",))
        elif fault in (Fault.AXIS_UNDEFINED, Fault.PARENT_UNDEFINED) and elsewhere:
            words = f"{named} not placed: a part of its axes may stand in another data block"
            yield Obstacle(Kind.PLACE, words, "", tuple(panels), is_fault=False)
        elif fault in REPORTED_BY:
            yield Obstacle(Kind.PLACE, f"{named} not placed: {fault}", REPORTED_BY[fault], tuple(panels))
        else:
            words = f"{named} not placed by this program: {panels[0].shape}, {fault}"
            yield Obstacle(Kind.SHAPE, words, "", tuple(panels), is_fault=False)


def _no_axis(detector: Detector) -> str:
    """Which rule tells of axis sets without axes: that of the absent table, or that of the dangling id."""
    return "REL018" if detector.layouts.dimensions.count.any() else "REL002"


def _unreadable(tables: Tables, axes: Axes) -> Iterator[Obstacle]:
    """Settings that cannot be read, or act on axes without a direction."""
    for code in unknown_settings(tables, axes, roles_of(tables, axes)):
        yield Obstacle(Kind.PLACE, "settings of axes not known", code)


def _has_settings(scan: Scan) -> bool:
    """True if the scan or its frames say anything of any axis."""
    stated = (drive.start == drive.start or drive.moves or drive.unread for drive in scan.drives.values())
    return any(stated) or any(len(scan.frame_settings.rows_of(axis)) for axis in scan.frame_settings.axes)


def _still(
    kinds: Mapping[str | None, tuple[int, str]], axes: Axes, scans: Sequence[Scan], tolerances: Tolerances
) -> Iterator[Obstacle]:
    """Scans of several frames in which nothing moves, though they are not said to be of stills."""
    still = [scan for scan in scans if scan.count > 1 and not _moves(scan, tolerances)]
    still = [scan for scan in still if not _is_of_stills(kinds, scan)]
    ranged = [scan for scan in still if any(drive.moves for drive in scan.drives.values())]
    bare = [scan for scan in still if not any(drive.moves for drive in scan.drives.values())]
    if ranged:
        names = [axes.id[drive.axis] for drive in ranged[0].drives.values() if drive.moves]
        yield Obstacle(Kind.STILL, f"increment of {_listed(names)} in {_scans(ranged)} not given", "SCN011")
    if bare:
        yield Obstacle(Kind.STILL, f"nothing moves in {_scans(bare)}", "MTA023", tuple(bare))


def _moves(scan: Scan, tolerances: Tolerances) -> bool:
    """True if any axis is stepped in a scan, or stands elsewhere in another frame."""
    if any(drive.step for drive in distinct_drives(scan)):
        return True
    frame_settings = scan.frame_settings
    return any(
        varies(scan, axis, tolerances.setting)
        or np.nan_to_num(frame_settings.of(axis, scan.frame_rows, "increment")).any()
        for axis in frame_settings.axes
    )


def _kinds_of_scans(tables: Tables) -> dict[str | None, tuple[int, str]]:
    """The first row of a collection for each scan, and its type; that without a scan, which holds for all, by None."""
    table = tables.table("diffrn_scan_collection")
    found: dict[str | None, tuple[int, str]] = {}
    for row, (scan, kind) in enumerate(zip(table.texts("scan_id"), table.texts("type"), strict=True)):
        found.setdefault(scan, (row, (kind or "rotation").strip().casefold()))
    return found


def _is_of_stills(kinds: Mapping[str | None, tuple[int, str]], scan: Scan) -> bool:
    """True if the collection of a scan is said to be of stills, or of another kind than rotation."""
    told = [kinds[name] for name in (None, scan.id) if name in kinds]
    return bool(told) and min(told)[1] != "rotation"


def _why_at_zero(tables: Tables, axes: Axes, scans: Scans, found: Sequence[Obstacle]) -> str:
    """The rule that tells why settings act on nothing, so that a distance of zero is only what follows."""
    unread = [entry.code for entry in found if entry.code in ("AXI004", "DIC008")]
    if unread:
        return unread[0]
    for name in USING:
        column = tables.table(name).column("axis_id")
        if column is None:
            continue
        first = column.distinct()[0]
        if not all(axes.rows_named(name) for name in column.texts_at(first[~column.is_null[first]])):
            return "AXI001"
    table = tables.table("diffrn_scan_axis")
    taken = {drive.row for scan in scans for drive in scan.drives.values()}
    return "REL001" if table.has("scan_id") and len(taken) < table.rows else ""


def _in_sample(detector: Detector, scans: Sequence[Scan], cause: str) -> Iterator[Obstacle]:
    """Panels whose plane holds the sample in any frame of some scans, or at zero where there are none."""
    rows = detector.moving_axes
    settings = [_distinct_settings(detector, scan) for scan in scans] or [np.zeros((1, len(rows)))]
    owners = np.repeat(np.arange(len(settings)), [len(values) for values in settings])
    first = _first_rows(np.concatenate(settings)) if rows else np.zeros(1, dtype=np.int64)
    if len(first) > MAX_SETTINGS:
        first = first[np.linspace(0, len(first) - 1, MAX_SETTINGS).astype(np.int64)]
    chosen = np.concatenate(settings)[np.sort(first)]
    parts = []
    step = max(1, _AT_ONCE // len(detector.flat))
    for begin in range(0, len(chosen), step):
        part = chosen[begin : begin + step]
        posture = Posture(detector.axes, {row: part[:, index] for index, row in enumerate(rows)}, len(part))
        parts.append(detector.faces.place(posture).normal_distance <= AT_SAMPLE_MM)
    inside = np.concatenate(parts, axis=1)
    panels = [detector.flat[index] for index in np.flatnonzero(inside.sum(axis=1)).tolist()]
    if panels:
        owner = int(owners[np.sort(first)][inside.any(axis=0).argmax()])
        where = f" in {_scans([scans[owner]])}" if scans and len(scans) > 1 else ""
        words = f"{_panels(panels)} in the sample, at distance 0{where}"
        loose = _loose_axis(detector, panels, scans[owner]) if scans else ()
        yield Obstacle(Kind.SAMPLE, words, cause or "MTA022", (*panels, *scans[owner : owner + 1]), loose)


def _loose_axis(detector: Detector, panels: Sequence[Panel], scan: Scan) -> tuple[str, ...]:
    """A translation of the detector that a scan sets and on which some panels do not depend: id and setting."""
    axes = detector.axes
    held = {row for panel in panels for row in panel.axis_rows(axes)}
    for row, drive in scan.drives.items():
        is_loose = row not in held and axes.kind[row] == "translation" and axes.equipment[row] in ("detector", "")
        if is_loose and drive.start == drive.start and drive.start:
            return axes.id[row], f"{drive.start:.6g}"
    return ()


def _distinct_settings(detector: Detector, scan: Scan) -> np.ndarray:
    """The different settings of the axes that carry panels, over the frames of a scan: (n, axes)."""
    by_axis = detector.settings(scan, np.arange(min(scan.count, MAX_FRAMES)))
    rows = max((len(values) for values in by_axis.values()), default=1)
    table = np.stack([np.broadcast_to(values, rows) for values in by_axis.values()], axis=1) if by_axis else None
    if table is None:
        return np.zeros((1, len(detector.moving_axes)))
    return table[_first_rows(table)] if rows > 1 else table


def _first_rows(table: np.ndarray) -> np.ndarray:
    """The first row of each kind: (kinds,) rows."""
    packed = np.ascontiguousarray(table + 0.0).view(np.dtype((np.void, table.shape[1] * table.itemsize)))
    return np.asarray(np.unique(packed.ravel(), return_index=True)[1])


def _panels(panels: list[Panel]) -> str:
    """One panel by its id, several by their number."""
    return f"panel {panels[0].id}" if len(panels) == 1 else f"{len(panels)} panels (first {panels[0].id})"


def _scans(scans: list[Scan]) -> str:
    """One scan by its id, several by their number."""
    first = scans[0].id or "(unnamed)"
    return f"scan {first}" if len(scans) == 1 else f"{len(scans)} scans (first {first})"


def _listed(names: list[str]) -> str:
    """A few names."""
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
