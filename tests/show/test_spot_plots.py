"""The spots on the page: what was found and what is predicted, bounded and escaped."""

import re
from pathlib import Path

import pytest

from imgcif_core import api
from imgcif_core.checks.images import spots
from imgcif_core.checks.images.gather import gather_frames
from imgcif_core.checks.options import CheckOptions
from imgcif_core.errors import InputError
from imgcif_core.findings import Report
from imgcif_core.render.sheet import SpotFrame
from imgcif_core.render.svg_spots import spot_svg
from imgcif_core.show.page import page
from imgcif_core.show.sheet import sheet_of

CASES = Path(__file__).parents[2] / "conformance" / "datasets" / "img" / "IMG009-spots-and-geometry"


@pytest.fixture(scope="module")
def shown() -> tuple[str, int]:
    """The page of a file whose beam centre is off, and the number of readings that are drawn."""
    options = CheckOptions(images="sample")
    document = api.read(CASES / "fail-beam-centre.cbf")
    entry = api.check_document(document, options=options)
    sheet = sheet_of(document, api.load_dictionary(), entry, options)
    return page(Report("0", (), (entry,)), [sheet]), len(sheet.spots)


def test_the_page_draws_the_geometry_as_written_and_the_reading_that_fits_better(shown: tuple[str, int]) -> None:
    text, plots = shown
    assert plots == 2
    assert "Spots against the geometry" in text
    # Moved by (14, 9) pixels in the statement.
    assert re.search(r"the detector moved by -1[34]\.\d, -[89]\.\d pixels", text)
    assert len(re.findall(r'role="img" aria-label="Spots of one frame: \d+ of \d+ spots lie', text)) == 6


def test_nothing_is_drawn_where_images_were_not_read() -> None:
    options = CheckOptions(images="header")
    document = api.read(CASES / "pass-lattice.cbf")
    entry = api.check_document(document, options=options)
    assert sheet_of(document, api.load_dictionary(), entry, options).spots == ()


def test_a_label_is_escaped_and_each_kind_has_a_mark_of_its_own() -> None:
    frame = SpotFrame("<script>\u202e", (100, 50), 3, ((1.0, 2.0),), ((3.0, 4.0),), ((5.0, 6.0),))
    drawn = spot_svg(frame)
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    assert [len(re.findall(f'class="spot {kind}"', drawn)) for kind in ("predicted", "again", "off")] == [1, 1, 1]
    assert "1 of 2 spots lie where one of 3 is predicted" in drawn


def test_a_fault_of_ours_while_images_are_read_again_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    options = CheckOptions(images="sample")
    document, dictionary = api.read(CASES / "pass-lattice.cbf"), api.load_dictionary()
    entry = api.check_document(document, options=options)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr(spots, "known_cell", broken)
    assert sheet_of(document, dictionary, entry, options).spots == ()
    with pytest.raises(InputError, match="a fault of the checker"):
        gather_frames([document], dictionary, [], {})
