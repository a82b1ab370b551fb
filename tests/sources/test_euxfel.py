"""Runs of the European XFEL: every image of every module is linked, as EXtra-data finds them, and all else is said."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sources.runs import geometry, module_file, run

from imgcif_core import CheckOptions, check, read
from imgcif_core.create.links import Links
from imgcif_core.create.loop import Wishes, create
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.errors import InputError
from imgcif_core.findings import Severity
from imgcif_core.sources.detect import kind_of
from imgcif_core.sources.series import read_inputs
from imgcif_core.sources.statements import Fate
from imgcif_core.tables import Tables

h5py = pytest.importorskip("h5py")
pytest.importorskip("hdf5plugin")
LINKS = Wishes(links=Links(url_base="https://example.org/r7"))


def made_of(folder: Path, *inputs: Path, wishes: Wishes = LINKS):
    """What is created of inputs, sound and without further questions."""
    made = create([str(path) for path in inputs], wishes=wishes)
    assert made.is_sound and not made.needed, [entry.message for entry in made.report.findings]
    return made


def links_of(text: str, block: int = 0) -> dict[tuple[str, str], tuple[str, str, int]]:
    """(frame, array) -> (file, dataset, frame within it), followed through the tables."""
    tables = Tables(read(text.encode()).blocks[block], load_bundled())
    data, outer = tables.table("array_data"), tables.table("array_data_external_data")
    columns = [outer.texts(name) for name in ("id", "uri", "path", "frame")]
    places = {row[0]: (row[1].rpartition("/")[2], row[2], int(row[3])) for row in zip(*columns, strict=True)}
    columns = [data.texts(name) for name in ("array_id", "binary_id", "external_data_id")]
    stored = {(array, binary): places[key] for array, binary, key in zip(*columns, strict=True)}
    frames = tables.table("diffrn_data_frame")
    columns = [frames.texts(name) for name in ("id", "array_id", "binary_id")]
    return {(frame, array): stored[array, binary] for frame, array, binary in zip(*columns, strict=True)}


def test_each_module_is_an_array_with_a_file_of_its_own(tmp_path: Path) -> None:
    made = made_of(tmp_path, run(tmp_path / "r7", planes=2), geometry(tmp_path / "a.geom"))
    (scan,) = made.built[0].scans
    assert scan.frames == 6 and [entry.array for entry in scan.modules] == ["module00", "module01"]
    found = links_of(made.text)
    assert len(found) == 12
    path = "/INSTRUMENT/SPB_DET_AGIPD1M-1/DET/1CH0:xtdf/image/data"
    assert found["frame5", "module01"] == ("RAW-R0007-AGIPD01-S00000.h5", path, 5)
    tables = Tables(read(made.text.encode()).blocks[0], load_bundled())
    # Two planes of 8 x 4 pixels, of which the panels take the first.
    shape = tables.table("array_structure_list").numbers("dimension")[:3].tolist()
    assert shape == [4, 8, 2]
    texts = tables.table("diffrn_data_frame").texts("details")
    assert [text for text in texts if text and text != "."][:4] == [
        "train 100, pulse 0",
        "train 100, pulse 1",
        "train 100, pulse 2",
        "train 101, pulse 0",
    ]
    assert "European XFEL proposal 1234, run 7" in made.text
    # 12.39842 keV angstrom over 9 keV; corners as the geometry has them, in mm.
    experiment = made.built[0].experiment
    assert_allclose(experiment.beam.wavelength, 12.398419843 / 9.0, rtol=1e-9)
    assert_allclose(experiment.scans[0].panels[3].corner, [-0.8, 1.2, -200.0], atol=1e-12)
    assert str(made.witness) == "as in the source, read a second time: first corners of 4 panels across the beam"


def test_a_module_that_lacks_a_pulse_is_not_linked_there(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7")
    source = "SPB_DET_AGIPD1M-1/DET/1CH0:xtdf"
    module_file(folder / "RAW-R0007-AGIPD01-S00000.h5", source, {100: 2, 101: 3}, pulses=[0, 2, 0, 1, 2])
    made = made_of(tmp_path, folder, geometry(tmp_path / "a.geom"))
    # Shots that a module lacks are no gap; that the frame has fewer elements is told.
    assert {entry.rule for entry in made.report.findings if entry.severity is Severity.WARNING} == {"CON019"}
    found = links_of(made.text)
    rows = {frame: place[2] for (frame, array), place in found.items() if array == "module01"}
    assert rows == {"frame1": 1, "frame3": 2, "frame4": 3, "frame5": 4, "frame6": 5}


def test_sequences_follow_each_other_and_doubtful_trains_are_left_out(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7", modules=1, counts={100: 1, 101: 1, 102: 1}, flag=np.array([1, 0, 1]))
    source = "SPB_DET_AGIPD1M-1/DET/0CH0:xtdf"
    module_file(folder / "RAW-R0007-AGIPD00-S00001.h5", source, {103: 2})
    made = made_of(tmp_path, folder, geometry(tmp_path / "a.geom"))
    assert [place[0][-4] + str(place[2]) for place in links_of(made.text).values()] == ["01", "03", "11", "12"]
    assert any("1 trains are flagged as doubtful" in note for note in made.notes)
    assert any("no images of module 1" in note for note in made.notes)


def test_memory_cells_stand_in_blocks_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "r7"
    folder.mkdir()
    for number in (1, 2):
        source = f"SPB_IRDA_JF4M/DET/JNGFR{number:02d}:daqOutput"
        path = folder / f"RAW-R0007-JNGFR{number:02d}-S00000.h5"
        module_file(path, source, {100: 1, 101: 1, 102: 1}, planes=2, group="data", name="adc")
    inputs = [folder, geometry(tmp_path / "a.geom")]
    made = made_of(tmp_path, *inputs)
    assert made.text.count("\ndata_") == 2
    assert links_of(made.text, 1)["frame2", "JNGFR02"][2] == 2
    section = Tables(read(made.text.encode()).blocks[1], load_bundled()).table("array_structure_list_section")
    assert section.numbers("start")[:3].tolist() == [1, 1, 2]
    target = tmp_path / "a.cif"
    target.write_text(made.text)
    (report,) = check(target, options=CheckOptions(against=tuple(map(str, inputs)), select=("CMP",))).files
    assert not [entry.message for entry in report.findings if str(entry.severity) != "info"]


@pytest.mark.peers
def test_frames_are_those_that_extra_data_finds(tmp_path: Path) -> None:
    extra_data = pytest.importorskip("extra_data")
    from extra_data.tests.mockdata import write_file
    from extra_data.tests.mockdata.detectors import AGIPDModule

    folder = tmp_path / "r1"
    folder.mkdir()
    for number, counts in enumerate(([2, 0, 3], [2, 1, 0])):
        module = AGIPDModule(f"SPB_DET_AGIPD1M-1/DET/{number}CH0", frames_per_train=np.array(counts, np.uint64))
        path = folder / f"RAW-R0001-AGIPD{number:02d}-S00000.h5"
        write_file(str(path), [module], ntrains=3, chunksize=1, format_version="1.2")
    path = geometry(tmp_path / "a.geom")
    # The panels of the test's geometry cover a part of the real modules.
    described = read_inputs([str(folder), str(path)])
    scan = described.experiment().scans[0]
    opened = extra_data.RunDirectory(str(folder))
    for images in scan.modules:
        number = int(images.array.removeprefix("module"))
        key = opened[f"SPB_DET_AGIPD1M-1/DET/{number}CH0:xtdf", "image.pulseId"]
        trains, pulses = key.train_id_coordinates(), key.ndarray().ravel()
        theirs = [f"train {train}, pulse {pulse}" for train, pulse in zip(trains, pulses, strict=True)]
        assert [scan.texts[row] for row in images.rows] == theirs
        assert images.frame.tolist() == list(range(1, len(theirs) + 1))
        assert images.path == "/" + opened[key.source, "image.data"].hdf5_data_path.lstrip("/")


def test_every_other_value_is_named(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7")
    with h5py.File(folder / "RAW-R0007-DA01-S00000.h5", "w") as file:
        file["INDEX/trainId"], file["METADATA/runNumber"] = np.array([100, 101], "u8"), [7]
        file["CONTROL/SA1_XTD2_XGM/DOOCS/MAIN/pulseEnergy/wavelengthUsed/value"] = np.array([0.14, 0.14], "f4")
    described = read_inputs([str(folder), str(geometry(tmp_path / "a.geom", energy="/LCLS/energy"))])
    marked = {entry.place: entry for entry in described.statements}
    assert marked["CONTROL of SA1_XTD2_XGM/DOOCS/MAIN"].fate is Fate.LEFT_OUT
    assert marked["data"].fate is Fate.LEFT_OUT and marked["image/pulseId"].fate is Fate.USED
    (asked,) = create([str(folder), str(tmp_path / "a.geom")]).needed
    assert (asked.key, asked.proposal) == ("wavelength", "1.4")


def test_a_run_alone_says_what_it_lacks(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7")
    assert kind_of(folder / "RAW-R0007-AGIPD00-S00000.h5") == "euxfel"
    for given in ([folder], [folder / "RAW-R0007-AGIPD00-S00000.h5"]):
        with pytest.raises(InputError, match=r"does not say where its modules stand; give .* \.geom"):
            read_inputs([str(path) for path in given])


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({"first": np.array([0, 7], "u8")}, "points beyond the 6 rows"),
        ({"count": np.array([3, 2**63], "u8")}, "points beyond|counts"),
        ({"count": np.zeros(0, "u8"), "first": np.zeros(0, "u8")}, "does not say which rows belong to which train"),
        ({"train_ids": np.array([2**63, 1], "u8")}, "holds no ids of trains"),
        ({"train_ids": np.array([100, 100], "u8"), "first": np.array([0, 0], "u8")}, "has train 100 twice"),
    ],
    ids=str,
)
def test_an_index_that_cannot_be_is_refused(tmp_path: Path, index: dict, words: str) -> None:
    folder = run(tmp_path / "r7", **index)
    with pytest.raises(InputError, match=words):
        read_inputs([str(folder), str(geometry(tmp_path / "a.geom"))])


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7", modules=1)
    (tmp_path / "secret").mkdir()
    module_file(tmp_path / "secret" / "x.h5", "SPB_DET_AGIPD1M-1/DET/1CH0:xtdf", {100: 3, 101: 3})
    with h5py.File(folder / "RAW-R0007-AGIPD01-S00000.h5", "w") as file:
        file["METADATA/runNumber"] = [7]
        for name in ("INDEX", "INSTRUMENT"):
            file[name] = h5py.ExternalLink("../secret/x.h5", name)
    geometry(tmp_path / "a.geom")
    with pytest.raises(InputError, match=r"AGIPD01-S00000\.h5: stands beside a run of the European XFEL"):
        read_inputs([str(folder), str(tmp_path / "a.geom")])


def test_hostile_names_stay_texts(tmp_path: Path) -> None:
    folder = tmp_path / "r7"
    folder.mkdir()
    source = "SPB_A\"B'C\n;D/DET/0CH0:x\ny';z"
    module_file(folder / "RAW-R0007-AGIPD00-S00000.h5", source, {100: 2})
    made = made_of(tmp_path, folder, geometry(tmp_path / "a.geom"))
    assert {place[1] for place in links_of(made.text).values()} == {f"/INSTRUMENT/{source}/image/data"}


def test_more_images_than_a_text_can_link_to_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imgcif_core.sources import euxfel

    folder = run(tmp_path / "r7")
    monkeypatch.setattr(euxfel, "MAX_LINKS", 11)
    with pytest.raises(InputError, match=r"more images of modules than the 11 that one file links to; --exclude"):
        euxfel.read_run_files(str(folder), sorted(map(str, folder.iterdir())))


def test_several_detectors_are_told_apart_by_a_person(tmp_path: Path) -> None:
    folder = run(tmp_path / "r7")
    module_file(folder / "RAW-R0007-LPD00-S00000.h5", "FXE_DET_LPD1M-1/DET/0CH0:xtdf", {100: 3})
    inputs = [str(folder), str(geometry(tmp_path / "a.geom"))]
    with pytest.raises(InputError, match=r"several detectors \(FXE_DET_LPD1M-1, SPB_DET_AGIPD1M-1\); --exclude"):
        read_inputs(inputs)
    assert read_inputs(inputs, exclude=["*LPD*"]).run.detector == "SPB_DET_AGIPD1M-1"


def test_a_geometry_of_other_modules_is_refused(tmp_path: Path) -> None:
    path = geometry(tmp_path / "a.geom")
    path.write_text(path.read_text().replace("max_fs = 3", "max_fs = 99"))
    described = read_inputs([str(run(tmp_path / "r7")), str(path)])
    with pytest.raises(
        InputError, match="an image of module 0 has 4 x 8 pixels, panel p0a0 of the geometry ends at 100"
    ):
        described.experiment()
