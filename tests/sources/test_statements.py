"""Every value of a source is used, asked about, or named as left out, and each of these is true.

A value that is called used changes what is created when it changes; one that is called left out does not.
"""

import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError
from imgcif_core.sources.any import read_described
from imgcif_core.sources.statements import NO_ITEM, NOT_KNOWN, Fate, Statement

# With these every source is complete, and none of them stands in for what a header says.
ANSWERS = {
    "principal_axis": 3.0,
    "rotation_sense": "clockwise",
    "two_theta_axis": 3.0,
    "two_theta_sense": "clockwise",
    "kappa_axis": (0.6, 0.8, 0.0),
    "chi_axis": (0.0, 0.0, 1.0),
    "phi_axis": (1.0, 0.0, 0.0),
    "images_per_file": 5,
}
FACING = {"beam_centre": (2.0, 1.5), "first_pixel": "top left", "fast_direction": "horizontal"}

MINI = {
    "Detector:": "Some detector, S/N 1",
    "Pixel_size": "172e-6 m x 172e-6 m",
    "Exposure_time": "0.099 s",
    "Exposure_period": "0.1 s",
    "Tau": "= 124.0e-09 s",
    "Count_cutoff": "1048500 counts",
    "Threshold_setting": "6000 eV",
    "Gain_setting": "mid gain",
    "N_excluded_pixels": "= 321",
    "Wavelength": "0.9795 A",
    "Detector_distance": "0.25 m",
    "Detector_Voffset": "0.01 m",
    "Beam_xy": "(10.0, 12.0) pixels",
    "Flux": "2.0e11 ph/s",
    "Filter_transmission": "0.5",
    "Start_angle": "10.0 deg.",
    "Angle_increment": "0.1 deg.",
    "Detector_2theta": "20.0 deg.",
    "Polarization": "0.99",
    "Kappa": "40.0 deg.",
    "Phi": "30.0 deg.",
    "Weather": "rainy 7",
    "Oscillation_axis": "OMEGA",
}
SMV = {
    "DIM": "2",
    "BYTE_ORDER": "little_endian",
    "TYPE": "unsigned_short",
    "SIZE1": "4",
    "SIZE2": "3",
    "PIXEL_SIZE": "0.1024",
    "BIN": "2x2",
    "DISTANCE": "200.0",
    "WAVELENGTH": "0.9793",
    "PHI": "0.5",
    "OSC_START": "0.5",
    "OSC_RANGE": "0.5",
    "BEAM_CENTER_X": "157.0",
    "BEAM_CENTER_Y": "158.0",
    "TWOTHETA": "15.0",
    "KAPPA": "12.0",
    "TIME": "1.0",
    "DATE": "Wed May 01 10:00:00 2024",
    "AXIS": "omega",
    "CCD_IMAGE_SATURATION": "65000",
    "BEAMLINE": "X1",
    "GAIN": "2.4",
    "MOOD": "7",
}
GEOM = {
    "photon_energy": "9500",
    "clen": "0.05",
    "res": "10000",
    "bandwidth": "0.001",
    "adu_per_photon": "3",
    "max_adu": "5000",
    "mask": "/mask",
    "mask_good": "0x1",
    "p/min_fs": "0",
    "p/max_fs": "5",
    "p/min_ss": "0",
    "p/max_ss": "7",
    "p/fs": "x",
    "p/ss": "y",
    "p/corner_x": "-3",
    "p/corner_y": "-4",
    "p/coffset": "0.001",
    "badtop/min_fs": "1",
}


def minicbf(folder: Path, values: dict[str, str]) -> Path:
    lines = "".join(f"# {key} {value}\n" for key, value in values.items())
    mime = "X-Binary-Size-Fastest-Dimension: 20\nX-Binary-Size-Second-Dimension: 30\n"
    path = folder / "a_0001.cbf"
    path.write_text(
        f"###CBF: VERSION 1.5\ndata_a\n_array_data.header_contents\n;\n{lines};\n_array_data.data\n;\n"
        f"--CIF-BINARY-FORMAT-SECTION--\n{mime}\n"
    )
    return path


def smv(folder: Path, values: dict[str, str]) -> Path:
    text = "{\nHEADER_BYTES=1024;\n" + "".join(f"{key}={value};\n" for key, value in values.items()) + "}\n"
    path = folder / "a_0001.img"
    path.write_bytes(text.encode().ljust(1024) + bytes(24))
    return path


def geom(folder: Path, values: dict[str, str]) -> Path:
    path = folder / "a.geom"
    path.write_text("".join(f"{key} = {value}\n" for key, value in values.items()))
    return path


def other_number(text: str) -> Iterator[str]:
    """The same text with its first number changed, or with a longer word."""
    if text in ("little_endian", "unsigned_short", "omega", "OMEGA", "x", "y"):
        yield {"little_endian": "big_endian", "unsigned_short": "signed_short", "x": "y", "y": "-x"}.get(text, "phi")
    elif found := re.search(r"\d+\.?\d*", text):
        changed = f"{float(found[0]) + 1.0:.6g}" if "." in found[0] else str(int(found[0]) + 1)
        yield text[: found.start()] + changed + text[found.end() :]
    else:
        yield f"{text} more"


def outcome(path: Path, **answers: object) -> str:
    """What is created, without what says from which file and when; questions or the refusal where nothing is."""
    try:
        made = create(path, wishes=Wishes(answers={**ANSWERS, **answers}, force=True))
    except InputError as error:
        return str(error)
    lines = [line for line in made.text.splitlines() if "_audit" not in line]
    return "\n".join([*lines, *(entry.key for entry in made.needed)])


Maker = Callable[[Path, dict[str, str]], Path]
CASES: list[tuple[str, Maker, dict[str, str], dict[str, object]]] = [
    ("minicbf", minicbf, MINI, {}),
    ("smv", smv, SMV, FACING),
    ("geom", geom, GEOM, {}),
]


def statements(path: Path) -> dict[str, Statement]:
    found = read_described(path).statements
    assert len({entry.place for entry in found}) == len(found)
    return {entry.place.lower(): entry for entry in found}


@pytest.mark.parametrize(("kind", "make", "values", "answers"), CASES, ids=[case[0] for case in CASES])
def test_every_value_of_a_header_is_marked_and_the_mark_is_true(
    tmp_path: Path, kind: str, make: Maker, values: dict[str, str], answers: dict[str, object]
) -> None:
    marked = statements(make(tmp_path, values))
    whole = outcome(make(tmp_path, values), **answers)
    for key, text in values.items():
        place = key.rstrip(":").lower()
        entry = marked.get(place) or marked.get(f"{place.rpartition('/')[2]} of panels")
        assert entry is not None, f"{key} is not marked"
        assert entry.fate is not Fate.LEFT_OUT or entry.reason, key
        for changed in other_number(text):
            other = outcome(make(tmp_path, {**values, key: changed}), **answers)
            if entry.fate is Fate.USED:
                assert other != whole, f"{key} is called used, but {changed} for {text} changes nothing"
            elif entry.fate is Fate.LEFT_OUT and entry.reason in (NO_ITEM, NOT_KNOWN):
                assert other == whole, f"{key} is called left out, but {changed} for {text} changes something"


@pytest.mark.parametrize(("kind", "make", "values", "answers"), CASES, ids=[case[0] for case in CASES])
def test_what_is_asked_about_is_a_question(
    tmp_path: Path, kind: str, make: Maker, values: dict[str, str], answers: dict[str, object]
) -> None:
    made = create(make(tmp_path, values))
    asked = {entry.key for entry in made.questions}
    questions = {"detector_2theta": "two_theta_axis", "twotheta": "two_theta_axis", "kappa": "kappa_axis"}
    questions |= {"phi": "phi_axis", "beam_center_x": "beam_centre", "beam_center_y": "beam_centre"}
    for place, entry in statements(make(tmp_path, values)).items():
        if entry.fate is Fate.ASKED:
            assert questions[place] in asked


def test_left_out_values_are_told_with_the_reason(tmp_path: Path) -> None:
    made = create(minicbf(tmp_path, MINI))
    (no_item,) = [note for note in made.notes if NO_ITEM in note]
    assert "Threshold_setting" in no_item and "N_excluded_pixels" in no_item and "Wavelength" not in no_item
    (unknown,) = [note for note in made.notes if NOT_KNOWN in note]
    assert "Weather rainy 7" in unknown


def test_every_number_of_a_rayonix_header_is_marked(tmp_path: Path) -> None:
    from imgcif_core.sources.tiff import _MAR_FIELDS, read_tiff

    header = bytearray(3072)
    header[4:7] = b"MMX"
    for number, offset in enumerate(_MAR_FIELDS.values()):
        struct.pack_into("<i", header, offset, 1000 + number)
    struct.pack_into("<i", header, _MAR_FIELDS["rotation_axis"], 4)
    tags = [(256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 1, 16)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0)
    path = tmp_path / "a_0001.mccd"
    path.write_bytes(head.ljust(1024, b"\0") + bytes(header) + bytes(64 * 64 * 2))
    places = [entry.place for entry in read_tiff(path).statements]
    assert set(_MAR_FIELDS) <= set(places)
    draft = read_tiff(path)
    assert draft.axis_id == "phi" and set(draft.standing) == {"omega", "chi", "kappa"}


def master(path: Path, **more: object) -> Path:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    with h5py.File(path, "w") as file:
        for name, kind in (
            ("entry", "NXentry"),
            ("entry/instrument", "NXinstrument"),
            ("entry/instrument/beam", "NXbeam"),
            ("entry/instrument/detector", "NXdetector"),
            ("entry/sample", "NXsample"),
            ("entry/sample/goniometer", "NXtransformations"),
            ("entry/data", "NXdata"),
        ):
            file.create_group(name).attrs["NX_class"] = kind
        values = {
            "instrument/beam/incident_wavelength": (0.98, "angstrom"),
            "instrument/detector/x_pixel_size": (7.5e-5, "m"),
            "instrument/detector/y_pixel_size": (7.5e-5, "m"),
            "instrument/detector/detector_distance": (0.2, "m"),
            "instrument/detector/beam_center_x": (15.5, "pixel"),
            "instrument/detector/beam_center_y": (12.5, "pixel"),
            "instrument/detector/count_time": (0.01, "s"),
            "instrument/detector/frame_time": (0.011, "s"),
            "instrument/detector/saturation_value": (65534, ""),
            "instrument/detector/sensor_thickness": (4.5e-4, "m"),
            "instrument/detector/description": ("Some detector", ""),
            "instrument/detector/detectorSpecific/nimages": (5, ""),
            "instrument/detector/detectorSpecific/ntrigger": (1, ""),
            "instrument/detector/detectorSpecific/x_pixels_in_detector": (30, ""),
            "instrument/detector/detectorSpecific/y_pixels_in_detector": (40, ""),
            "instrument/detector/threshold_energy": (6000.0, "eV"),
            "instrument/detector/goniometer/two_theta": (20.0, "deg"),
            "sample/goniometer/omega": (list(np.arange(5) * 0.1), "deg"),
            "sample/goniometer/kappa": ([20.0] * 5, "deg"),
            "sample/goniometer/phi": ([0.0] * 5, "deg"),
        } | more
        for name, (value, unit) in values.items():  # type: ignore[misc]
            if value is None:
                continue
            file[f"entry/{name}"] = value
            if unit:
                file[f"entry/{name}"].attrs["units"] = unit
        file["entry/data/data_000001"] = h5py.ExternalLink("a_data_000001.h5", "/entry/data/data")
    return path


def test_every_dataset_of_a_master_is_marked_and_the_mark_is_true(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    path = master(tmp_path / "a_master.h5")
    names: list[str] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, node: names.append(f"/{name}") if isinstance(node, h5py.Dataset) else None)
    marked = {entry.place: entry for entry in read_described(path).statements}
    assert set(marked) == set(names)
    whole = outcome(path)
    for name, entry in marked.items():
        with h5py.File(path) as file:
            value, unit = file[name][()], file[name].attrs.get("units", "")
        changed = f"{value.decode()} more" if isinstance(value, bytes) else value * 2
        other = outcome(master(tmp_path / "a_master.h5", **{name.removeprefix("/entry/"): (changed, unit)}))
        if entry.fate is Fate.USED:
            assert other != whole, f"{name} is called used, but {changed} changes nothing"
        elif entry.fate is Fate.LEFT_OUT and entry.reason == NO_ITEM:
            assert other == whole, f"{name} is called left out, but {changed} changes something"
    assert marked["/entry/sample/goniometer/kappa"].fate is Fate.ASKED
    assert marked["/entry/instrument/detector/goniometer/two_theta"].fate is Fate.ASKED


def test_every_value_of_an_experiment_list_is_marked(tmp_path: Path) -> None:
    from create.images import expt

    path = expt(tmp_path / "a.expt")
    data = json.loads(path.read_text())
    data["beam"][0] |= {"transmission": 0.5, "divergence": 0.1, "sample_to_source_distance": 3.0}
    data["detector"][0]["panels"][0] |= {"mu": 1.5, "mask": [[0, 0, 1, 1]], "gain": 2.0}
    data["crystal"] = [{"real_space_a": [1, 0, 0]}]
    path.write_text(json.dumps(data))
    marked = {entry.place: entry for entry in read_described(path).statements}
    for place in ("beam/transmission", "beam/divergence", "beam/sample_to_source_distance", "detector/mu"):
        assert marked[place].fate is Fate.LEFT_OUT and marked[place].reason
    assert marked["detector/mask"].fate is Fate.LEFT_OUT and marked["crystal"].fate is Fate.LEFT_OUT
    for place in ("beam/wavelength", "detector/origin", "detector/gain", "detector/pixel_size"):
        assert marked[place].fate is Fate.USED
