"""Repositories and facilities as data: patterns are those that the repositories publish."""

import pytest

from imgcif_core.model.facilities import facilities, facility_named
from imgcif_core.model.repositories import guess_doi, plain_doi, repositories, repository_of_doi, repository_of_host


@pytest.mark.parametrize(
    ("uri", "doi"),
    [
        ("https://zenodo.org/records/5886687/files/cbf_b4_1.tar.bz2", "10.5281/zenodo.5886687"),
        ("https://zenodo.org/record/6365376/files/x.tar.bz2?download=1", "10.5281/zenodo.6365376"),
        ("https://zenodo.org/api/records/12/files/x.zip/content", "10.5281/zenodo.12"),
        ("rsync://data.sbgrid.org/10.15785/SBGRID/973", "10.15785/SBGRID/973"),
        ("https://xrda.pdbj.org/rest/public/entries/download/504", "10.51093/xrd-00504"),
        ("https://data.proteindiffraction.org/other/6r17.tar.bz2", None),
        ("https://zenodo.org.evil.example/records/12/x", None),
    ],
)
def test_an_address_gives_the_doi_of_its_record(uri: str, doi: str | None) -> None:
    assert guess_doi(uri) == doi


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.5281/zenodo.12", "10.5281/zenodo.12"),
        ("https://doi.org/10.5281/zenodo.12", "10.5281/zenodo.12"),
        ("doi:10.15785/SBGRID/973.", "10.15785/SBGRID/973"),
        ("none", None),
    ],
)
def test_a_doi_is_found_in_a_text(text: str, doi: str | None) -> None:
    assert plain_doi(text) == doi


def test_the_doi_that_is_built_is_one_of_the_same_repository() -> None:
    for entry in repositories():
        if entry.doi:
            found = repository_of_doi(entry.doi_of(7))
            assert found is entry
        for host in entry.hosts:
            assert repository_of_host(host.upper()) is entry


def test_facilities_are_found_by_other_names() -> None:
    assert facility_named("Diamond") == "Diamond Light Source"
    assert facility_named("max-iv") == "MAX IV"
    assert facility_named("Home source") is None


def test_no_name_of_a_facility_means_two() -> None:
    names = [name for listed, others in facilities().items() for name in {listed, *others}]
    assert all(facility_named(name) for name in names)
    assert len({name.casefold() for name in names}) == len(names)
