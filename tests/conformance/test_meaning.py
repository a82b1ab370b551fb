"""What a generator made is judged by meaning: names are free, what they do is not."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from runner import meaning, turns

CASES = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "generate"


def expected(name: str) -> dict:
    return json.loads((CASES / name / "expected.json").read_text(encoding="utf-8"))


def fault(name: str, change: Callable[[dict], object]) -> str:
    """What is said of the expected geometry after a change of its block."""
    made = copy.deepcopy(expected(name))
    change(made["files"][0]["blocks"][0])
    return meaning.difference(CASES / name / "expected.json", made)


def rename(block: dict) -> None:
    names = {axis["id"]: f"axis_{index}" for index, axis in enumerate(block["goniometer"])}
    for axis in block["goniometer"]:
        axis["id"] = names[axis["id"]]
    for number, scan in enumerate(block["scans"]):
        scan["id"] = f"run{number}"
        for axis in scan["axes"]:
            axis["id"] = names[axis["id"]]
        for panel in scan["panels"]:
            panel["id"] = f"module_{panel['id']}"


def test_names_and_the_order_of_panels_and_scans_are_free() -> None:
    assert fault("expt-two-theta-scans", rename) == ""
    assert fault("geom-stills", lambda block: block["scans"][0]["panels"].reverse()) == ""
    assert fault("expt-two-theta-scans", lambda block: block["scans"].reverse()) == ""


def test_an_opposite_axis_that_turns_the_other_way_means_the_same() -> None:
    def mirror(block: dict) -> None:
        block["goniometer"][0]["vector"] = [-1.0, 0.0, 0.0]
        for name in ("start", "increment", "range"):
            block["scans"][0]["axes"][0][name] *= -1.0

    assert fault("nxmx-single-axis", mirror) == ""


def swapped(panels: list[dict], name: str) -> None:
    """The first and the last of some panels with each other's values."""
    panels[0][name], panels[-1][name] = panels[-1][name], panels[0][name]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("nxmx-single-axis", lambda b: b["wavelengths"].__setitem__(0, 0.5), "wavelengths"),
        ("nxmx-single-axis", lambda b: b["scans"].clear(), "0 scans, expected 1"),
        ("nxmx-single-axis", lambda b: b["scans"][0].update(frames=3), "3 frames, expected 4"),
        ("nxmx-single-axis", lambda b: b["scans"][0]["panels"].clear(), "0 panels, expected 1"),
        (
            "nxmx-single-axis",
            lambda b: b["goniometer"][0].update(vector=[0.0, 1.0, 0.0]),
            "nothing moves like axis omega",
        ),
        ("nxmx-single-axis", lambda b: b["scans"][0]["axes"][0].update(increment=-0.5, range=-2.0), "increment -0.5"),
        ("nxmx-single-axis", lambda b: b["scans"][0]["panels"][0]["corner"].__setitem__(0, 5.0), "corner"),
        ("nxmx-single-axis", lambda b: b["scans"][0]["panels"][0].update(fast=[0.0, 1.0, 0.0]), "fast"),
        ("nxmx-single-axis", lambda b: b["scans"][0]["external"].pop(), "external data"),
        ("euxfel-modules", lambda b: swapped(b["scans"][0]["panels"], "external"), "its images are not those"),
        ("euxfel-modules", lambda b: b["scans"][0]["panels"][7]["external"].__setitem__(1, {}), "its images are not"),
        ("psana-matrices", lambda b: b["panels"].pop(), "7 panels, expected 8"),
        ("psana-matrices", lambda b: swapped(b["panels"], "corner"), "no panel is like p0"),
        # A kappa that stands still at another angle moves no axis of its own, but the crystal.
        ("expt-two-theta-scans", lambda b: b["scans"][1]["axes"][1].update(start=-50.0), "the crystal turns otherwise"),
        ("expt-two-theta-scans", lambda b: b["scans"][2]["axes"][2].update(start=91.0), "the crystal turns otherwise"),
    ],
)
def test_what_differs_in_meaning_is_told(name: str, change: Callable[[dict], object], said: str) -> None:
    assert said in fault(name, change)


def test_a_rotation_about_x_moves_y_to_z() -> None:
    matrix = turns.about([1.0, 0.0, 0.0], 90.0)
    assert [round(row[1], 12) for row in matrix] == [0.0, 0.0, 1.0]


def test_the_inner_axis_is_carried_by_the_outer_one() -> None:
    # phi depends on omega and both lie along x at zero: their angles add up.
    axes = [
        {"id": "phi", "vector": [1.0, 0.0, 0.0], "depends_on": "omega"},
        {"id": "omega", "vector": [1.0, 0.0, 0.0], "depends_on": None},
    ]
    assert [axis["id"] for axis in turns.chain(axes)] == ["omega", "phi"]
    scan = {"axes": [{"id": "omega", "start": 20.0, "range": 5.0}, {"id": "phi", "start": 30.0}]}
    whole = turns.turn({"goniometer": axes}, scan)
    assert turns.apart(whole, turns.about([1.0, 0.0, 0.0], 50.0)) == pytest.approx(0.0, abs=1e-9)
    assert turns.apart(whole, turns.turn({"goniometer": axes}, scan, at_end=True)) == pytest.approx(5.0, abs=1e-9)


def test_the_angle_between_rotations_keeps_its_digits_when_small() -> None:
    tiny = turns.about([0.0, 0.6, 0.8], 1e-7)
    assert math.isclose(turns.apart(turns.IDENTITY, tiny), 1e-7, rel_tol=1e-6)
