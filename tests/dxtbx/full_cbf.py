"""Small full CBF files of many geometries, each with images of zeros, as dxtbx wants them."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

Row = tuple[object, ...]


@dataclass(frozen=True)
class Module:
    """One detector element with its array: pixels along fast and slow, size in mm, axes, first setting."""

    name: str
    size: tuple[int, int]
    pixel: tuple[float, float]
    fast: str
    slow: str
    displacement: tuple[float, float]


@dataclass(frozen=True)
class Instrument:
    """A geometry: axes as rows of id, type, equipment, parent, vector, offset, component.

    settings : value and increment by axis, in degrees or mm.
    """

    name: str
    axes: Sequence[Row]
    modules: Sequence[Module]
    settings: dict[str, tuple[float, float]]
    wavelength: float = 0.9795
    extra: str = field(default="")


def loop(category: str, names: str, rows: Sequence[Row]) -> str:
    """The text of a loop."""
    head = "".join(f"_{category}.{name}\n" for name in names.split())
    return f"loop_\n{head}" + "".join(" ".join(map(str, row)) + "\n" for row in rows) + "\n"


def write(instrument: Instrument) -> bytes:
    """The whole file."""
    axes, modules = instrument.axes, instrument.modules
    kind = {row[0]: row[1] for row in axes}
    goniometer = [row[0] for row in axes if row[2] == "goniometer"]
    surface = {axis for module in modules for axis in (module.fast, module.slow)}
    positioners = [row[0] for row in axes if row[2] == "detector" and row[0] not in surface]
    settings = {row[0]: instrument.settings.get(str(row[0]), (0.0, 0.0)) for row in axes if row[0] not in surface}
    scan_axis, frame_axis = [], []
    for name, (value, step) in settings.items():
        numbers = (value, step, step)
        is_turn = kind[name] != "translation"
        scan_axis.append(("SCAN1", name, *(numbers if is_turn else (0, 0, 0)), *((0, 0, 0) if is_turn else numbers)))
        frame_axis.append(("FRAME1", name, value if is_turn else 0, 0 if is_turn else value))
    frame_axis += [("FRAME1", name, 0, 0) for name in sorted(surface)]
    scan_axis += [("SCAN1", name, 0, 0, 0, 0, 0, 0) for name in sorted(surface)]
    text = "###CBF: VERSION 1.5\ndata_image_1\n\n"
    text += "_diffrn.id DS1\n\n"
    text += loop("diffrn_source", "diffrn_id source type", [("DS1", "synchrotron", "'Example Light Source'")])
    text += loop("diffrn_radiation", "diffrn_id wavelength_id probe", [("DS1", "W1", "x-ray")])
    text += loop("diffrn_radiation_wavelength", "id wavelength wt", [("W1", instrument.wavelength, 1.0)])
    text += loop("diffrn_detector", "diffrn_id id type number_of_axes", [("DS1", "DET", "'Example'", len(positioners))])
    text += loop("diffrn_detector_axis", "detector_id axis_id", [("DET", name) for name in positioners])
    text += loop("diffrn_detector_element", "id detector_id", [(f"E_{module.name}", "DET") for module in modules])
    rows = [(f"E_{module.name}", "FRAME1", f"A_{module.name}", index + 1) for index, module in enumerate(modules)]
    text += loop("diffrn_data_frame", "detector_element_id id array_id binary_id", rows)
    text += loop("diffrn_measurement", "diffrn_id id number_of_axes", [("DS1", "GONIO", len(goniometer))])
    text += loop("diffrn_measurement_axis", "measurement_id axis_id", [("GONIO", name) for name in goniometer])
    text += loop("diffrn_scan", "id frame_id_start frame_id_end frames", [("SCAN1", "FRAME1", "FRAME1", 1)])
    items = "scan_id axis_id angle_start angle_range angle_increment"
    items += " displacement_start displacement_range displacement_increment"
    text += loop("diffrn_scan_axis", items, scan_axis)
    times = [("FRAME1", 1, 0.1, "SCAN1", "2026-03-01T10:00:00")]
    text += loop("diffrn_scan_frame", "frame_id frame_number integration_time scan_id date", times)
    text += loop("diffrn_scan_frame_axis", "frame_id axis_id angle displacement", frame_axis)
    names = "id type equipment depends_on vector[1] vector[2] vector[3] offset[1] offset[2] offset[3]"
    text += loop("axis", names + " equipment_component", axes)
    text += loop(
        "array_structure_list",
        "array_id index dimension precedence direction axis_set_id",
        [
            (f"A_{module.name}", index + 1, module.size[index], index + 1, "increasing", axis)
            for module in modules
            for index, axis in enumerate((module.fast, module.slow))
        ],
    )
    text += loop(
        "array_structure_list_axis",
        "axis_set_id axis_id displacement displacement_increment",
        [
            (axis, axis, module.displacement[index], module.pixel[index])
            for module in modules
            for index, axis in enumerate((module.fast, module.slow))
        ],
    )
    text += loop(
        "array_element_size",
        "array_id index size",
        [
            (f"A_{module.name}", index + 1, f"{module.pixel[index] * 1e-3:.9g}")
            for module in modules
            for index in range(2)
        ],
    )
    intensities = [
        (f"A_{module.name}", index + 1, "linear", 1.0, 0.1, 65000, 0) for index, module in enumerate(modules)
    ]
    text += loop(
        "array_intensities", "array_id binary_id linearity gain gain_esd overload undefined_value", intensities
    )
    structures = [(f"A_{module.name}", "'signed 32-bit integer'", "byte_offset", "little_endian") for module in modules]
    text += loop("array_structure", "id encoding_type compression_type byte_order", structures)
    data = (text + "loop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\n").encode()
    for index, module in enumerate(modules):
        data += f"A_{module.name} {index + 1}\n".encode() + _section(module.size, index + 1)
    return data


def _section(size: tuple[int, int], binary_id: int) -> bytes:
    """A binary section of zeros: in byte offsets each pixel is one zero byte."""
    payload = bytes(size[0] * size[1])
    digest = base64.b64encode(hashlib.md5(payload).digest()).decode()
    head = (
        ";\n--CIF-BINARY-FORMAT-SECTION--\nContent-Type: application/octet-stream;\n"
        '     conversions="x-CBF_BYTE_OFFSET"\nContent-Transfer-Encoding: BINARY\n'
        f"X-Binary-Size: {len(payload)}\nX-Binary-ID: {binary_id}\n"
        'X-Binary-Element-Type: "signed 32-bit integer"\nX-Binary-Element-Byte-Order: LITTLE_ENDIAN\n'
        f"Content-MD5: {digest}\nX-Binary-Number-of-Elements: {size[0] * size[1]}\n"
        f"X-Binary-Size-Fastest-Dimension: {size[0]}\nX-Binary-Size-Second-Dimension: {size[1]}\n"
        "X-Binary-Size-Padding: 4095\n\n"
    )
    return head.encode() + b"\x0c\x1a\x04\xd5" + payload + bytes(4095) + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n\n"


OMEGA = ("OMEGA", "rotation", "goniometer", ".", 1, 0, 0, 0, 0, 0, "gonio")
ENDS = (
    ("SOURCE", "general", "source", ".", 0, 0, 1, 0, 0, 0, "."),
    ("GRAVITY", "general", "gravity", ".", 0, -1, 0, 0, 0, 0, "."),
)
SINGLE = Instrument(
    "single",
    [
        OMEGA,
        *ENDS,
        ("DET_Z", "translation", "detector", ".", 0, 0, -1, 0, 0, 0, "arm"),
        ("SLOW", "translation", "detector", "DET_Z", 0, -1, 0, -3.1, 2.5, 0, "panel"),
        ("FAST", "translation", "detector", "SLOW", 1, 0, 0, 0, 0, 0, "panel"),
    ],
    [Module("P", (60, 50), (0.1, 0.1), "FAST", "SLOW", (0.05, 0.05))],
    {"OMEGA": (12.5, 0.5), "DET_Z": (180.0, 0.0)},
)
TWO_THETA = Instrument(
    "two-theta",
    [
        OMEGA,
        *ENDS,
        ("TTH", "rotation", "detector", ".", 1, 0, 0, 0, 0, 0, "arm"),
        ("DET_Z", "translation", "detector", "TTH", 0, 0, -1, 0, 0, 0.3, "arm"),
        ("PITCH", "rotation", "detector", "DET_Z", 0, 1, 0, 0, 0, 0, "arm"),
        ("SLOW", "translation", "detector", "PITCH", 0, 1, 0, -3.1, -2.5, 0.2, "panel"),
        ("FAST", "translation", "detector", "SLOW", 1, 0, 0, 0, 0, 0, "panel"),
    ],
    [Module("P", (60, 50), (0.1, 0.12), "FAST", "SLOW", (0.0, 0.0))],
    {"OMEGA": (-30.0, 0.25), "TTH": (28.5, 0.0), "DET_Z": (95.0, 0.0), "PITCH": (1.7, 0.0)},
)
KAPPA = Instrument(
    "kappa",
    [
        OMEGA,
        ("KAPPA", "rotation", "goniometer", "OMEGA", 0.642787609687, 0, -0.766044443119, 0, 0, 0, "gonio"),
        ("PHI", "rotation", "goniometer", "KAPPA", 1, 0, 0, 0, 0, 0, "gonio"),
        *ENDS,
        ("DET_Z", "translation", "detector", ".", 0, 0, -1, 0, 0, 0, "arm"),
        ("FAST", "translation", "detector", "DET_Z", 0, 1, 0, -2.0, -3.0, 0, "panel"),
        ("SLOW", "translation", "detector", "FAST", 1, 0, 0, 0, 0, 0, "panel"),
    ],
    [Module("P", (60, 50), (0.1, 0.1), "FAST", "SLOW", (0.05, 0.05))],
    {"OMEGA": (15.0, 0.0), "KAPPA": (-60.0, 0.0), "PHI": (40.0, 0.2), "DET_Z": (70.0, 0.0)},
)


def _modules() -> Instrument:
    """Four turned quadrants of two modules each on a common arm."""
    axes: list[Row] = [OMEGA, *ENDS, ("DET_Z", "translation", "detector", ".", 0, 0, -1, 0, 0, 0, "arm")]
    modules, settings = [], {"OMEGA": (0.0, 0.5), "DET_Z": (120.0, 0.0)}
    for quadrant in range(4):
        name = f"Q{quadrant}"
        axes.append((name, "rotation", "detector", "DET_Z", 0, 0, 1, 0.5, -0.25, 0.01 * quadrant, name))
        settings[name] = (90.0 * quadrant + 0.13 * (quadrant + 1), 0.0)
        for index in range(2):
            own = f"{name}M{index}"
            axes.append((own, "rotation", "detector", name, 0, 0, 1, 1.0 + 4.2 * index, 4.0, 0, own))
            axes.append((f"{own}S", "translation", "detector", own, 0, -1, 0, -1.9, 1.6, 0, f"{own}P"))
            axes.append((f"{own}F", "translation", "detector", f"{own}S", 1, 0, 0, 0, 0, 0, f"{own}P"))
            settings[own] = (0.2 * index - 0.1, 0.0)
            modules.append(Module(own, (38, 32), (0.1, 0.1), f"{own}F", f"{own}S", (0.05, 0.05)))
    return Instrument("modules", axes, modules, settings)


INSTRUMENTS = (SINGLE, TWO_THETA, KAPPA, _modules())
