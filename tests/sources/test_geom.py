"""CrystFEL geometries are read with their panels, and with the frames of data files."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from imgcif_core.errors import InputError
from imgcif_core.sources.geom import electron_wavelength, parse_geom, read_geom
from imgcif_core.sources.series import read_inputs

TEXT = """
clen = {clen}
coffset = 0.01
photon_energy = {energy}
res = 10000
adu_per_photon = 2
dim0 = %
dim1 = {module}
dim2 = ss
dim3 = fs
data = /entry/data
rigid_group_all = a, b
rigid_group_half = b
bad_beam/min_x = -10
a/min_fs = 0
a/max_fs = 9
a/min_ss = 0
a/max_ss = 4
a/corner_x = 20.0
a/corner_y = -5
a/fs = +1.0x -0.0y
a/ss = y
b/min_fs = 0
b/max_fs = 9
b/min_ss = 0
b/max_ss = 4
b/corner_x = -30
b/corner_y = -5
b/fs = -y
b/ss = x+0.001z ; tilted
b/dim1 = 1
b/coffset = 0.011
"""


def geometry(folder: Path, clen: str = "0.1", energy: str = "9500 eV", module: str = "0") -> Path:
    path = folder / "two.geom"
    path.write_text(TEXT.format(clen=clen, energy=energy, module=module), encoding="utf-8")
    return path


def data_file(path: Path, shape=(3, 2, 5, 10), energies=(9500.0, 9501.0, 9502.0), lengths=(95.0, 95.0, 95.0)) -> str:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["/entry/data"] = np.zeros(shape, dtype=np.int16)
        file["/beam/energy"] = np.array(energies)
        file["/detector/length"] = np.array(lengths)
    return str(path)


def test_panels_stand_where_the_file_puts_them(tmp_path: Path) -> None:
    experiment = read_geom(geometry(tmp_path)).experiment()
    first, second = experiment.scans[0].panels
    # Pixels of 0.1 mm; CrystFEL's x and z are ours reversed: (20, -5) pixels at 110 mm are (-2, -0.5, -110) mm.
    assert_allclose(first.corner, [-2.0, -0.5, -110.0], atol=1e-12)
    assert_allclose(first.fast, [-1, 0, 0], atol=1e-12)
    assert_allclose(second.corner, [3.0, -0.5, -111.0], atol=1e-12)
    assert_allclose(second.fast, [0, -1, 0], atol=1e-12)
    assert_allclose(second.slow, np.array([-1, 0, -0.001]) / np.sqrt(1 + 1e-6), atol=1e-12)
    assert (first.raw_index, second.raw_index) == ((0,), (1,))
    assert (first.group, second.group) == (("all",), ("all", "half"))
    assert first.gain == 2.0
    # 12.398419843320026 keV A / 9.5 keV
    assert experiment.beam.wavelength == pytest.approx(1.30509682561, abs=1e-10)


def test_frames_and_wavelengths_come_from_the_data(tmp_path: Path) -> None:
    path = geometry(tmp_path, clen="/detector/length", energy="/beam/energy")
    files = [data_file(tmp_path / "a.h5"), data_file(tmp_path / "b.h5")]
    experiment = read_inputs([str(path), *files]).experiment()
    (scan,) = experiment.scans
    assert scan.frames == 6
    assert list(scan.images.frame) == [1, 2, 3, 1, 2, 3]
    assert scan.images.path == "/entry/data"
    assert_allclose(experiment.beam.wavelengths[:3], 12398.419843320026 / np.array([9500.0, 9501.0, 9502.0]))
    # 95 mm and the 10 mm of coffset.
    assert_allclose(scan.panels[0].corner[2], -105.0, atol=1e-9)
    assert_allclose(scan.panels[1].corner[2], -106.0, atol=1e-9)


def test_detector_that_moved_is_refused(tmp_path: Path) -> None:
    path = geometry(tmp_path, clen="/detector/length")
    data = data_file(tmp_path / "a.h5", lengths=(95.0, 95.0, 99.0))
    with pytest.raises(InputError, match=r"a\.h5: /detector/length runs from 95 to 99 mm"):
        read_geom(path, [data])


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ((3, 1, 5, 10), "ends at 1, panel b needs 2"),
        ((3, 5, 10), "has 3 dimensions"),
        ((3, 2, 4, 10), "ends at 4, panel a needs 5"),
    ],
)
def test_data_that_do_not_hold_the_panels_are_refused(shape, pattern: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=pattern):
        read_geom(geometry(tmp_path), [data_file(tmp_path / "a.h5", shape=shape)])


@pytest.mark.parametrize(
    ("edit", "pattern"),
    [
        (("a/corner_x = 20.0", ""), "panel a has no corner_x"),
        (("a/max_fs = 9", "a/max_fs = -9"), "panel a ends at"),
        (("res = 10000", "res = many"), "panel a, res = many is no number"),
        (("a/ss = y", "a/ss = 2x"), "fs and ss that are parallel"),
        (("a/ss = y", "a/ss = up"), "direction 'up'"),
        (("res = 10000", "res 10000"), "line 5 is no `name = value`"),
    ],
)
def test_faulty_geometries_are_refused_by_panel_or_line(edit, pattern: str) -> None:
    text = TEXT.format(clen="0.1", energy="9500 eV", module="0").replace(*edit)
    with pytest.raises(InputError, match=pattern):
        parse_geom(text, "x.geom")


def test_file_without_panels_is_refused() -> None:
    with pytest.raises(InputError, match="defines no panel"):
        parse_geom("clen = 1\n", "x.geom")


def test_electrons_of_200_kv_have_a_wavelength_of_2_5_picometres() -> None:
    # Tabulated: 2.5079 pm at 200 kV, 1.9687 pm at 300 kV.
    assert electron_wavelength(200e3) == pytest.approx(0.025079, abs=1e-6)
    assert electron_wavelength(300e3) == pytest.approx(0.019687, abs=1e-6)
