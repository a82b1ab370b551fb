"""Chains of axes as data: whoever multiplies them by the description finds the poses of the model."""

import json
import math
import random
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from mangling import BASES, mangled
from numpy.testing import assert_allclose
from shared import EXAMPLE, ROOT, needs_corpus, text_files

import imgcif_core
from imgcif_core.cli import main
from imgcif_core.errors import InputError
from imgcif_core.show import block_instruments, geometry, geometry2
from imgcif_core.show.chains import MAX_VALUES

DICTIONARY = imgcif_core.load_dictionary()
SCHEMA = json.loads((ROOT / "docs" / "geometry-schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
Vector = list[float]


def turned(axis: Vector, angle: float, x: Vector) -> Vector:
    """Rodrigues' formula in plain numbers, as a script writes it."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    dot = sum(a * b for a, b in zip(axis, x, strict=True)) * (1 - cosine)
    (a, b, c), (p, q, r) = axis, x
    cross = (b * r - c * q, c * p - a * r, a * q - b * p)
    return [x[i] * cosine + cross[i] * sine + axis[i] * dot for i in range(3)]


def carried(block: dict, row: int, settings: dict[int, float], x: Vector, *, is_direction: bool = False) -> Vector:
    """A point or direction in the frame of an axis, in the laboratory: the rule of the description."""
    for step, added in block["axes"][row]["route"]:
        axis = block["axes"][step]
        setting = settings.get(step, 0.0) + added
        if axis["type"] == "rotation":
            x = turned(axis["direction"], setting, x)
        if not is_direction:
            along = setting if axis["type"] == "translation" else 0.0
            x = [x[i] + axis["offset"][i] + along * axis["direction"][i] for i in range(3)]
    return x


def settings_of(scan: dict, index: int) -> dict[int, float]:
    """The settings at the start of the frame of an index."""
    found = {}
    for entry in scan["settings"]:
        values = entry.get("values")
        found[entry["axis"]] = values[index // scan["every"]] if values else entry["start"] + index * entry["step"]
    return found


def panel_place(block: dict, panel: dict, settings: dict[int, float]) -> tuple[Vector, Vector, Vector]:
    """First pixel's centre and the two steps."""
    fast, slow = panel["fast"], panel["slow"]
    own = settings | {fast["axis"]: fast["displacement"], slow["axis"]: slow["displacement"]}
    steps = []
    for side in (fast, slow):
        direction = carried(block, side["axis"], own, block["axes"][side["axis"]]["direction"], is_direction=True)
        steps.append([part * side["increment"] for part in direction])
    if panel["first"] != "both":
        return carried(block, panel[panel["first"]]["axis"], own, [0.0, 0.0, 0.0]), *steps
    axis = block["axes"][slow["axis"]]
    local = [axis["offset"][i] + slow["displacement"] * axis["direction"][i] for i in range(3)]
    return carried(block, fast["axis"], own, local), *steps


def hold_against_the_model(document: Any) -> int:
    """Every panel of every scan at five frames within a micrometre; how many were held."""
    data = json.loads(json.dumps(geometry2(document, DICTIONARY), allow_nan=False))
    VALIDATOR.validate(data)
    held = 0
    for block, entry in zip(data["files"][0]["blocks"], block_instruments(document, DICTIONARY), strict=True):
        for scan, shown in zip(block["scans"], entry.scans, strict=True):
            count = scan.get("count", 1)
            for index in {0, 1, count // 2, count - 2, count - 1} & set(range(0, count, scan.get("every", 1))):
                poses = entry.detector.poses(shown.scan, np.array([index]))
                for panel, pose in zip(block["panels"], poses, strict=True):
                    first, fast, slow = panel_place(block, panel, settings_of(scan, index))
                    assert_allclose(first, pose.origin[0], atol=1e-3)
                    assert_allclose(fast, pose.fast_step[0], atol=1e-8)
                    assert_allclose(slow, pose.slow_step[0], atol=1e-8)
                    held += 1
    return held


@pytest.mark.parametrize("path", [EXAMPLE, *BASES], ids=lambda path: path.stem)
def test_the_chains_give_the_poses_of_the_model(path: Path) -> None:
    document = imgcif_core.read(path)
    has_panels = any(entry.detector.flat for entry in block_instruments(document, DICTIONARY))
    assert bool(hold_against_the_model(document)) == has_panels


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_the_chains_of_real_files_give_the_poses_of_the_model(path: Path) -> None:
    try:
        hold_against_the_model(imgcif_core.read(path))
    except InputError:
        pytest.skip("describes no instrument")


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.stem)
def test_version_2_holds_all_of_version_1(path: Path) -> None:
    document = imgcif_core.read(path)
    one, two = geometry(document, DICTIONARY), geometry2(document, DICTIONARY)
    VALIDATOR.validate(one)
    assert (one.pop("schema"), two.pop("schema")) == ("imgcif-geometry/1", "imgcif-geometry/2")
    for first, second in zip(one["files"][0]["blocks"], two["files"][0]["blocks"], strict=True):
        for name in first.keys() - {"scans"}:
            assert second[name] == first[name]
        for scan, more in zip(first["scans"], second["scans"], strict=True):
            assert {name: more[name] for name in scan} == scan


def changed(*changes: tuple[str, str]) -> dict[str, Any]:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    document = imgcif_core.read(text.encode(), name="a.cif")
    hold_against_the_model(document)
    (block,) = geometry2(document, DICTIONARY)["files"][0]["blocks"]
    return block


def test_an_even_motion_is_a_start_and_a_step() -> None:
    (scan,) = changed()["scans"]
    assert scan["settings"] == [
        {"axis": 0, "start": 10.0, "step": 0.5},
        {"axis": 1, "start": 200.0, "step": 0.0},
    ] and (scan["count"], scan["first_number"]) == (6, 1)


def test_what_frames_set_otherwise_is_listed() -> None:
    rows = "loop_\n_diffrn_scan_frame_axis.frame_id\n_diffrn_scan_frame_axis.axis_id\n_diffrn_scan_frame_axis.angle\n"
    text = EXAMPLE.read_text(encoding="utf-8")
    document = imgcif_core.read(text.encode(), name="a.cif")
    ids = [document.blocks[0].columns["_diffrn_scan_frame.frame_id"].text(row) for row in range(6)]
    uneven = [0, 1, 2, 3, 4, 90]
    rows += "".join(f"{name} omega {angle}\n" for name, angle in zip(ids, uneven, strict=True))
    document = imgcif_core.read(f"{text}\n{rows}".encode(), name="a.cif")
    assert hold_against_the_model(document) == 5
    (scan,) = geometry2(document, DICTIONARY)["files"][0]["blocks"][0]["scans"]
    assert scan["settings"][0]["values"] == uneven and "values" not in scan["settings"][1]


def test_very_many_frames_that_differ_are_thinned() -> None:
    count = MAX_VALUES + 1
    ids = "loop_ _diffrn_scan_frame.frame_id _diffrn_scan_frame.scan_id _diffrn_scan_frame.frame_number\n"
    ids += "".join(f"f{i} SCAN1 {i + 1}\n" for i in range(count))
    rows = "loop_ _diffrn_scan_frame_axis.frame_id _diffrn_scan_frame_axis.axis_id _diffrn_scan_frame_axis.angle\n"
    rows += "".join(f"f{i} omega {i * i % 361}\n" for i in range(count))
    axis = "data_a\nloop_ _axis.id _axis.type _axis.equipment _axis.vector[1]\nomega rotation goniometer 1\n"
    scan = f"_diffrn_scan.id SCAN1\n_diffrn_scan.frames {count}\n"
    document = imgcif_core.read((axis + scan + ids + rows).encode(), name="a.cif")
    (found,) = geometry2(document, DICTIONARY)["files"][0]["blocks"][0]["scans"]
    assert found["every"] == 2
    assert found["settings"][0]["values"][:3] == [0, 4, 16] and len(found["settings"][0]["values"]) == count // 2 + 1


@pytest.mark.parametrize("changes", [2, 12])
@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
def test_mangled_tables_fit_the_schema(base: Path, changes: int) -> None:
    chance = random.Random(f"{base.stem}/{changes}")
    text = base.read_text(encoding="utf-8")
    for _ in range(5):
        document = imgcif_core.read(mangled(text, chance, changes).encode(), name="mangled.cif")
        VALIDATOR.validate(json.loads(json.dumps(geometry2(document, DICTIONARY), allow_nan=False)))


def test_the_command_prints_either_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--format", "json", "--schema", "2", str(EXAMPLE)]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "imgcif-geometry/2"
    assert main(["show", "--format", "json", str(EXAMPLE)]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "imgcif-geometry/1"
    assert main(["show", "--schema", "2", str(EXAMPLE)]) == 2
