"""Addresses: which are taken, and how the first two go on."""

from pathlib import Path

import pytest
from create.images import expt

from imgcif_core.create import Links, Session, Wishes, create
from imgcif_core.create.addresses import addresses_of, checked_address, checked_doi, continued
from imgcif_core.errors import OutputError, UsageError

IDS = ["SCAN1", "SCAN2", "SCAN3"]


def urls(*given: str, ids=IDS) -> list[str]:
    return [entry.url for entry in addresses_of(given, ids)]


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ("https://x.org/r_1.zip", "https://x.org/r_2.zip", "https://x.org/r_3.zip"),
        ("https://x.org/r_008.tar.bz2", "https://x.org/r_009.tar.bz2", "https://x.org/r_010.tar.bz2"),
        ("https://x.org/9/a9.zip", "https://x.org/10/a10.zip", "https://x.org/11/a11.zip"),
        ("https://x.org/r_10.zip", "https://x.org/r_20.zip", "https://x.org/r_30.zip"),
        ("https://x.org/r_3.zip", "https://x.org/r_2.zip", "https://x.org/r_1.zip"),
    ],
)
def test_the_first_two_are_continued(first: str, second: str, third: str) -> None:
    found = addresses_of([first, second], IDS)
    assert [entry.url for entry in found] == [first, second, third]
    assert [entry.is_extrapolated for entry in found] == [False, False, True]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://x.org/a.zip", "https://x.org/b.zip"),
        ("https://x.org/1/a_1.zip", "https://x.org/2/a_5.zip"),
        ("https://x.org/r_1.zip", "https://y.org/r_2.zip"),
        ("https://x.org/r_1.zip", "https://x.org/r_2_3.zip"),
    ],
)
def test_what_does_not_count_on_is_not_continued(first: str, second: str) -> None:
    with pytest.raises(UsageError, match="do not differ in one number alone"):
        continued(first, second, 3)


def test_rows_do_not_go_below_zero() -> None:
    with pytest.raises(UsageError, match="below zero"):
        continued("https://x.org/1.zip", "https://x.org/0.zip", 3)


def test_places_are_filled_with_ids_and_padded_numbers() -> None:
    assert urls("https://x.org/{scan}_{number:03d}.zip") == [
        f"https://x.org/{i}_00{n}.zip" for n, i in enumerate(IDS, 1)
    ]
    assert urls("https://x.org/a.zip") == ["https://x.org/a.zip"] * 3
    assert urls("https://x.org/{number}.zip", ids=IDS[:1]) == ["https://x.org/1.zip"]


@pytest.mark.parametrize("count", [2, 4])
def test_too_few_or_too_many_are_refused(count: int) -> None:
    given = [f"https://x.org/{number}.zip" for number in range(count)]
    with pytest.raises(UsageError, match=f"{count} addresses for 1 scan"):
        addresses_of(given, IDS[:1])


@pytest.mark.parametrize(
    "url",
    [
        "s3://b/a.zip",
        "file:///a.zip",
        "x.org/a.zip",
        "https:///a.zip",
        "https://x.org/a b",
        'https://x.org/"',
        "a\nb",
        "https://doi.org/10.5281/zenodo.1",
        "https://x.org/{frame}.zip",
        "https://x.org/{number",
        "globus://x/a",
    ],
)
def test_what_nobody_can_follow_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked_address(url)


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "rsync"])
def test_four_schemes_are_taken(scheme: str) -> None:
    assert checked_address(f" {scheme}://x.org/a_{{number:02d}}.zip ") == f"{scheme}://x.org/a_{{number:02d}}.zip"


@pytest.mark.parametrize("text", ["10.5281/zenodo.1", "doi:10.5281/zenodo.1", "https://doi.org/10.5281/zenodo.1"])
def test_a_doi_may_have_its_resolver_before_it(text: str) -> None:
    assert checked_doi(text) == "10.5281/zenodo.1"


@pytest.mark.parametrize(
    "text", ["10.5281/zenodo.1'; x", "10.5281/", "zenodo.1", "10.5281/zenodo 1", "10.5281/a\nb", ""]
)
def test_what_is_no_doi_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a DOI"):
        checked_doi(text)


def two_beams(data: dict) -> None:
    data["beam"].append({"direction": [0.0, 0.0, 1.0], "wavelength": 1.2, "probe": "x-ray"})
    data["experiment"][1]["beam"] = 1


def test_numbers_count_on_over_data_blocks(tmp_path: Path) -> None:
    wishes = Wishes(links=Links("https://x.org/s_{number:02d}.zip"))
    made = create(expt(tmp_path / "mad.expt", two_beams), wishes=wishes)
    assert made.text.count("\ndata_mad_") == 2
    assert "s_01.zip" in made.text and "s_02.zip" in made.text
    assert [row.url for row in made.links] == ["https://x.org/s_01.zip", "https://x.org/s_02.zip"]


def test_numbers_follow_the_source_and_not_the_blocks(tmp_path: Path) -> None:
    def first_again(data: dict) -> None:
        two_beams(data)
        data["experiment"].append({**data["experiment"][0], "scan": 1, "imageset": 1})

    session = Session.open(expt(tmp_path / "a.expt", first_again), Wishes(links=Links("https://x.org/{number}.zip")))
    assert session.numbers == ((1, 3), (2,))
    assert [row.url[-5:] for row in session.links] == ["1.zip", "2.zip", "3.zip"]


def test_nothing_linked_although_an_address_was_given_is_said(tmp_path: Path) -> None:
    def nameless(data: dict) -> None:
        data["imageset"] = [{} for _ in data["imageset"]]

    made = create(expt(tmp_path / "a.expt", nameless), wishes=Wishes(links=Links("https://x.org/a.zip")))
    assert any(note.startswith("nothing was linked although --archive-url was given") for note in made.notes)


def test_inputs_are_never_written_to(tmp_path: Path) -> None:
    source = expt(tmp_path / "a.expt")
    before = source.read_bytes()
    hard, soft = tmp_path / "hard.cif", tmp_path / "soft.cif"
    hard.hardlink_to(source)
    soft.symlink_to(source)
    for target in (source, hard, soft):
        for given in (source, f"expt:{source}"):
            with pytest.raises(OutputError):
                create(given, target, Wishes(overwrite=True, force=True))
    assert source.read_bytes() == before


def test_an_existing_file_is_replaced_only_on_demand(tmp_path: Path) -> None:
    source, target = expt(tmp_path / "a.expt"), tmp_path / "o.cif"
    target.write_text("old")
    with pytest.raises(OutputError, match="--overwrite"):
        create(source, target)
    assert target.read_text() == "old"
    assert create(source, target, Wishes(overwrite=True)).written == target
    assert target.read_text().startswith("#\\#CIF")


def test_provenance_goes_by_row(tmp_path: Path) -> None:
    made = create(expt(tmp_path / "a.expt"), wishes=Wishes(links=Links("https://x.org/a.zip")))
    said = {(entry.item, entry.key): entry.source for entry in made.origins}
    assert said["_axis.vector[1]", "omega"].startswith("file")
    assert said["_axis.vector[1]", "distance"].startswith("derived: where the panels stand")
    (uri,) = {entry.source for entry in made.origins if entry.item == "_array_data_external_data.uri"}
    assert uri == "person: address of the archive"


def test_names_in_one_archive_are_the_same_for_all_blocks(tmp_path: Path) -> None:
    made = create(expt(tmp_path / "mad.expt", two_beams), wishes=Wishes(links=Links("https://x.org/all.zip")))
    assert "run1/x_0001.cbf" in made.text and "run2/x_0001.cbf" in made.text
