"""What is created passes the comparison with its own source, read anew from its path."""

from pathlib import Path

import pytest
from create.images import expt, series, smv
from create.test_truth import EXPERIMENT_LISTS, FACING, FULL_CBF, GEOMETRIES, IMAGES, UPRIGHT
from create.truth import path_of
from shared import needs_corpus

from imgcif_core import CheckOptions, check
from imgcif_core.create import Wishes, create
from imgcif_core.sources.reference import Sample, read_reference

CORPUS_SOURCES = {
    **{f"expt/{name}": {} for name in EXPERIMENT_LISTS},
    **{name: {} for name in IMAGES},
    **{f"cbf_full/{name}": {} for name in FULL_CBF},
    **{f"xfel/{name}": {"distance": distance} if distance else {} for name, (distance, _) in GEOMETRIES.items()},
    "hdf5/dectris_eiger_master.h5": UPRIGHT,
    "hdf5/APS_NXsas_example.hdf5": {"increment": 0.0},
}


def faults(text: str, source, tmp_path: Path) -> list[str]:
    """The errors and warnings of a comparison."""
    target = tmp_path / "made.cif"
    target.write_text(text, encoding="utf-8")
    (report,) = check(target, options=CheckOptions(against=source, select=("CMP",))).files
    reasons = [entry for entry in report.outcomes.not_checked if entry.rule.startswith("CMP")]
    assert not reasons, reasons[0].reason
    return [f"{entry.rule} {entry.message}" for entry in report.findings if str(entry.severity) != "info"]


# The master gives the two sizes of a detector that is known exchanged; the comparison says so.
EXCHANGED = {"hdf5/_b4_1_master.h5": ["CMP006 panel PANEL has 4148 x 4362 pixels - the source has 4362 x 4148"]}


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("name", CORPUS_SOURCES)
def test_created_files_agree_with_their_sources(name: str, tmp_path: Path) -> None:
    source = path_of(name)
    made = create(source, wishes=Wishes(answers=CORPUS_SOURCES[name]))
    assert made.is_sound, [entry.key for entry in made.needed]
    if "distance" in CORPUS_SOURCES[name]:
        # A geometry without a distance places nothing: that is said, and nothing is called the same.
        with pytest.raises(AssertionError, match="nothing tells distance"):
            faults(made.text, source, tmp_path)
        return
    assert faults(made.text, source, tmp_path) == EXCHANGED.get(name, [])


def beams(*wavelengths: float):
    """An edit that gives each experiment a wavelength of its own."""

    def edit(data: dict) -> None:
        data["beam"] = [{"direction": [0.0, 0.0, 1.0], "wavelength": value, "probe": "x-ray"} for value in wavelengths]
        for number, entry in enumerate(data["experiment"]):
            entry["beam"] = number % len(wavelengths)

    return edit


def test_scans_of_several_wavelengths_find_their_blocks(tmp_path: Path) -> None:
    source = expt(tmp_path / "mad.expt", beams(0.97, 1.2))
    made = create(source)
    assert made.text.count("\ndata_") == 2
    assert faults(made.text, source, tmp_path) == []
    assert any("CMP005" in fault for fault in faults(made.text.replace(" 1.2\n", " 1.3\n"), source, tmp_path))


def stills(data: dict) -> None:
    data["goniometer"] = []
    data["scan"] = []
    data["experiment"] = [{"beam": 0, "detector": 0, "imageset": number} for number in range(3)]
    data["imageset"] = [{"images": [f"/data/shot_{number}.cbf"]} for number in range(3)]


def test_stills_that_became_one_scan_agree(tmp_path: Path) -> None:
    source = expt(tmp_path / "stills.expt", stills)
    made = create(source)
    assert [scan.frames for scan in made.built[0].scans] == [3]
    assert faults(made.text, source, tmp_path) == []


def test_a_series_may_be_given_by_one_image_by_some_or_by_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    files = series(folder, range(1, 6))
    made = create([str(path) for path in files], wishes=Wishes(answers=UPRIGHT))
    assert isinstance(read_reference([files[1]]), Sample) and isinstance(read_reference(files[1:4]), Sample)
    assert not isinstance(read_reference([folder]), Sample)
    for given in (files[3], tuple(files[1:4]), folder):
        assert faults(made.text, given, tmp_path) == []
    files[4].unlink()
    assert any("CMP001" in fault for fault in faults(made.text, folder, tmp_path))


def test_an_image_of_another_sweep_is_no_part_of_this_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    made = create([str(path) for path in series(folder, range(1, 4))], wishes=Wishes(answers=UPRIGHT))
    (later,) = series(folder, (90,))
    assert any("CMP004" in fault for fault in faults(made.text, later, tmp_path))


def test_headers_that_leave_much_open_are_compared_as_far_as_they_go(tmp_path: Path) -> None:
    source = smv(tmp_path / "a.img")
    answers = {**UPRIGHT, **FACING, "beam_centre": (2.0, 1.5)}
    made = create(source, wishes=Wishes(answers=answers))
    assert faults(made.text, source, tmp_path) == []
    # Distance and wavelength are the header's; a file that has them otherwise is told so.
    other = create(smv(tmp_path / "b.img", DISTANCE=120.0, WAVELENGTH=1.1), wishes=Wishes(answers=answers))
    assert {fault[:6] for fault in faults(other.text, source, tmp_path)} == {"CMP005", "CMP008"}
