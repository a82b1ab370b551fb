"""Damaged sources of every kind end in one clear line or in a sound file, never in a crash."""

import random
import re
import warnings
from pathlib import Path

import pytest
from create.images import expt, minicbf, smv, tiff

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import ImgcifError

ANSWERS = {
    "pixel_size": (0.1, 0.1),
    "distance": 500.0,
    "beam_centre": (2.0, 2.0),
    "wavelength": 1.0,
    "increment": 0.25,
    "start": 0.0,
    "principal_axis": 3.0,
    "rotation_sense": "clockwise",
    "first_pixel": "top left",
    "fast_direction": "horizontal",
}
NUMBERS = [b"0", b"-1", b"1e308", b"nan", b"null", b"[]", b"{}", b'"x"', b"9" * 30, b"1e-320", b"true"]
GEOMETRY = """clen = 0.1
photon_energy = 9000 eV
res = 10000
a/min_fs = 0
a/max_fs = 9
a/min_ss = 0
a/max_ss = 9
a/corner_x = -5
a/corner_y = -5
a/fs = +0.9999x +0.01y
a/ss = -0.01x +0.9999y
"""


def sources(folder: Path) -> dict[str, bytes]:
    """A whole source of each kind, by a name of its kind."""
    text = "# Pixel_size 172e-6 m x 172e-6 m\n# Beam_xy (1.5, 1.0) pixels\n"
    return {
        "a.expt": expt(folder / "whole.expt").read_bytes(),
        "a.img": smv(folder / "whole.img").read_bytes(),
        "a.tif": tiff(folder / "whole.tif", pages=2, text=text).read_bytes(),
        "a.cbf": minicbf(folder / "whole.cbf").read_bytes(),
        "a.geom": GEOMETRY.encode(),
    }


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Data with a few bytes changed, taken out or cut off, or numbers exchanged."""
    body = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        kind, place = chance.random(), chance.randrange(len(body))
        if kind < 0.3:
            body[place] = chance.randrange(256)
        elif kind < 0.4:
            del body[place : place + chance.randrange(1, 40)]
        elif kind < 0.5:
            del body[place:]
        elif found := list(re.finditer(rb"-?\d+\.?\d*(e-?\d+)?", bytes(body[:20000]))):
            match = chance.choice(found)
            body[match.start() : match.end()] = chance.choice(NUMBERS)
        if not body:
            return b" "
    return bytes(body)


@pytest.mark.parametrize("seed", range(8))
def test_damage_never_crashes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCIF_DXTBX_PYTHON", str(tmp_path / "none"))
    whole = sources(tmp_path)
    chance = random.Random(seed)
    for _ in range(40):
        name = chance.choice(list(whole))
        path = tmp_path / name
        path.write_bytes(damaged(whole[name], chance))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                made = create(path, wishes=Wishes(answers=ANSWERS))
            except ImgcifError as error:
                assert str(error) and "\n" not in str(error)
                continue
        assert made.report is None or not made.report.outcomes.crashed
