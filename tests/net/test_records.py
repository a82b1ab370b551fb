"""Records and DOIs by loopback servers that answer as Zenodo, InvenioRDM, DataCite and the handle system do."""

import json

import pytest
from net.servers import FakeTime, client, network, serving
from net.test_checks import TEXT, checked, of

from imgcif_core.checks.options import CheckOptions
from imgcif_core.images.limits import BytesError
from imgcif_core.net.cache import Cache
from imgcif_core.net.documents import Documents
from imgcif_core.net.evidence import gather
from imgcif_core.net.limiter import Limiter
from imgcif_core.net.links import Link
from imgcif_core.net.records import DoiRecord, RecordFile, fetch_doi, fetch_record, place_of
from imgcif_core.net.settings import Loopback

DOI = "10.5281/zenodo.7654321"
MD5 = "0123456789abcdef" * 2
# Headers as Zenodo sends them with answers of its interface.
HEADERS = {
    "Content-Type": "application/json",
    "X-RateLimit-Limit": "133",
    "X-RateLimit-Remaining": "132",
    "X-RateLimit-Reset": "1789000000",
    "Retry-After": "60",
    "ETag": 'W/"7"',
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'",
}
HOSTS = ("zenodo.org", "doi.org", "api.datacite.org", "data.example.edu")


@pytest.fixture
def site():
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    times = FakeTime()
    monkeypatch.setattr("imgcif_core.net.http.LIMITER", Limiter(times.clock, times.sleep))


def answer(site, path: str, told, status: int = 200, headers: dict | None = None) -> None:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    site.handlers[path] = lambda request: request.reply(status, body, headers or HEADERS)


def loopback(site) -> Loopback:
    return Loopback(dict.fromkeys(HOSTS, site.port))


def documents(site, **more) -> Documents:
    own = client(loopback=loopback(site), **more)
    return Documents(own, Cache(own.settings))


def of_zenodo() -> dict:
    """A record as Zenodo answers: its own older form, beside members of InvenioRDM."""
    return {
        "created": "2023-02-20T10:11:12.000000+00:00",
        "id": 7654321,
        "recid": "7654321",
        "conceptrecid": "7654320",
        "conceptdoi": "10.5281/zenodo.7654320",
        "doi": DOI,
        "doi_url": f"https://doi.org/{DOI}",
        "title": "Quartz",
        "metadata": {
            "title": "Quartz\nat 100 K",
            "doi": DOI,
            "publication_date": "2023-02-20",
            "version": "1.0.1",
            "access_right": "open",
            "creators": [{"name": "Doe, Jo", "affiliation": None}],
            "license": {"id": "cc-by-4.0"},
            "resource_type": {"title": "Dataset", "type": "dataset"},
            "relations": {"version": [{"index": 0, "is_last": True}]},
        },
        "files": [
            {
                "id": "0b1c",
                "key": "quartz_01.tar.bz2",
                "size": 1000,
                "checksum": f"md5:{MD5}",
                "links": {"self": "https://zenodo.org/api/records/7654321/files/quartz_01.tar.bz2/content"},
            }
        ],
        "stats": {"downloads": 12},
        "state": "done",
        "submitted": True,
        "owners": [{"id": 1}],
        "revision": 7,
    }


def of_invenio() -> dict:
    """A record as InvenioRDM itself answers."""
    return {
        "id": "ab12c-3de45",
        "pids": {"doi": {"client": "datacite", "identifier": "10.1234/ab12c-3de45", "provider": "datacite"}},
        "parent": {"id": "zz", "pids": {"doi": {"identifier": "10.1234/zz", "provider": "datacite"}}},
        "access": {
            "embargo": {"active": False, "reason": None},
            "files": "public",
            "record": "public",
            "status": "open",
        },
        "metadata": {
            "title": "Quartz",
            "version": "v2",
            "rights": [{"id": "cc0-1.0", "title": {"en": "Creative Commons Zero"}, "props": {"scheme": "spdx"}}],
            "creators": [{"person_or_org": {"name": "Doe, Jo", "type": "personal"}}],
        },
        "files": {
            "count": 1,
            "enabled": True,
            "order": [],
            "total_bytes": 1000,
            "entries": {
                "a b.h5": {"key": "a b.h5", "size": 1000, "checksum": f"md5:{MD5}", "ext": "h5", "mimetype": "x/y"}
            },
        },
        "is_draft": False,
        "is_published": True,
        "versions": {"index": 2, "is_latest": True},
    }


def record_of(site, told, uri: str = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"):
    place = place_of(uri)
    assert place is not None
    answer(site, place.api.partition(place.host)[2], told)
    return fetch_record(documents(site), place)


def test_a_record_of_zenodo_is_read(site) -> None:
    found = record_of(site, of_zenodo())
    assert (found.doi, found.concept_doi, found.version) == (DOI, "10.5281/zenodo.7654320", "1.0.1")
    assert (found.title, found.licence, found.access, found.embargo) == ("Quartz at 100 K", "cc-by-4.0", "open", None)
    assert found.files == {"quartz_01.tar.bz2": RecordFile("quartz_01.tar.bz2", 1000, f"md5:{MD5}")}


def test_a_record_of_invenio_is_read(site) -> None:
    found = record_of(site, of_invenio(), "https://data.example.edu/records/ab12c-3de45/files/a%20b.h5?download=1")
    assert (found.doi, found.concept_doi, found.version) == ("10.1234/ab12c-3de45", "10.1234/zz", "v2")
    assert (found.licence, found.access) == ("cc0-1.0", "open")
    assert found.files["a b.h5"].size == 1000


def test_an_older_record_has_files_by_filename(site) -> None:
    told = of_zenodo()
    told["metadata"] |= {"license": "cc-by-4.0"}
    told["files"] = [{"filename": "quartz_01.tar.bz2", "filesize": 1000, "checksum": MD5}]
    found = record_of(site, told)
    assert found.licence == "cc-by-4.0"
    assert found.files["quartz_01.tar.bz2"] == RecordFile("quartz_01.tar.bz2", 1000, f"md5:{MD5}")


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        ({"files": "restricted", "embargo": {"active": True, "until": "2031-01-01"}}, ("embargoed", "2031-01-01")),
        ({"files": "restricted", "embargo": {"active": False}}, ("restricted", None)),
        ({"files": "public", "embargo": {"active": False, "until": "2020-01-01"}}, ("open", None)),
    ],
)
def test_who_may_fetch_is_told_in_the_newer_form(site, access: dict, expected: tuple) -> None:
    found = record_of(site, of_invenio() | {"access": access}, "https://data.example.edu/records/ab12c-3de45/files/a")
    assert (found.access, found.embargo) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "https://zenodo.org/records/7654321/files/a.zip",
        "https://www.zenodo.org/record/7654321/files/a.zip?download=1",
        "https://zenodo.org/api/records/7654321/files/a.zip/content",
    ],
)
def test_all_spellings_of_an_address_lead_to_one_record(uri: str) -> None:
    place = place_of(uri)
    assert place is not None and (place.api, place.name) == ("https://zenodo.org/api/records/7654321", "a.zip")


@pytest.mark.parametrize(
    "uri",
    ["https://zenodo.org/records/1", "https://example.org/files/a", "s3://zenodo.org/records/1/files/a", "http://["],
)
def test_other_addresses_have_no_record(uri: str) -> None:
    assert place_of(uri) is None


@pytest.mark.parametrize(
    "told",
    [
        b"", b"[]", b"null", b"{}", b'{"metadata": 1}', b"[" * 50_000, b'{"metadata": {"title": "cut',
        b"<!DOCTYPE html><html>Please sign in</html>",
    ],
)  # fmt: skip
def test_what_is_no_record_blames_nobody(site, told: bytes) -> None:
    with pytest.raises(BytesError) as fault:
        record_of(site, told)
    assert fault.value.is_unasked


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, [None], [[]], {"entries": None}, True, 1e99])
def test_fields_of_other_kinds_are_fields_that_are_not_told(site, odd) -> None:
    for name in ("files", "doi", "conceptdoi", "pids", "parent", "access"):
        record_of(site, of_zenodo() | {name: odd})
    for name in ("title", "license", "rights", "access_right", "version", "doi"):
        told = of_zenodo()
        told["metadata"][name] = odd
        record_of(site, told)
    for name in ("size", "checksum", "key"):
        told = of_zenodo()
        told["files"][0][name] = odd
        found = record_of(site, told)
        assert all(isinstance(file.size, int | None) for file in found.files.values())


def handle(code: int = 1, **more) -> dict:
    """What the handle system answers."""
    values = [
        {
            "index": 1,
            "type": "URL",
            "data": {"format": "string", "value": "https://zenodo.org/record/7654321"},
            "ttl": 86400,
        },
        {"index": 100, "type": "HS_ADMIN", "data": {"format": "admin", "value": {"handle": "10.admin/codata"}}},
    ]
    return {"responseCode": code, "handle": DOI, **({"values": values} if code == 1 else {}), **more}


def datacite(**more) -> dict:
    """What DataCite answers."""
    attributes = {
        "doi": DOI,
        "creators": [{"name": "Doe, Jo", "nameType": "Personal", "affiliation": []}],
        "titles": [{"title": "Quartz at 100 K"}],
        "rightsList": [
            {
                "rights": "Creative Commons Attribution 4.0",
                "rightsIdentifier": "cc-by-4.0",
                "schemeUri": "https://spdx.org",
            }
        ],
        "url": "https://zenodo.org/record/7654321",
        "state": "findable",
    }
    return {"data": {"id": DOI, "type": "dois", "attributes": attributes | more}}


def test_a_doi_is_told_by_handle_system_and_datacite(site) -> None:
    answer(site, f"/api/handles/{DOI}", handle())
    answer(site, f"/dois/{DOI}", datacite(), headers={"Content-Type": "application/vnd.api+json; charset=utf-8"})
    found = fetch_doi(documents(site), DOI)
    place = "https://zenodo.org/record/7654321"
    assert found == DoiRecord(DOI, True, "Quartz at 100 K", place, ("Doe, Jo",), ("cc-by-4.0",))
    assert len(site.asked) == 2


@pytest.mark.parametrize("status", [200, 404])
def test_a_doi_that_is_not_registered_is_told_by_one_request(site, status: int) -> None:
    answer(site, f"/api/handles/{DOI}", handle(100), status)
    assert fetch_doi(documents(site), DOI) == DoiRecord(DOI, False)
    assert len(site.asked) == 1


def test_a_doi_of_another_agency_has_a_place(site) -> None:
    answer(site, f"/api/handles/{DOI}", handle())
    answer(site, f"/dois/{DOI}", {"errors": [{"status": "404", "title": "The resource does not exist."}]}, 404)
    assert fetch_doi(documents(site), DOI) == DoiRecord(DOI, True, url="https://zenodo.org/record/7654321")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_systems_that_are_down_say_nothing(site, status: int) -> None:
    for path in (f"/api/handles/{DOI}", f"/dois/{DOI}"):
        answer(site, path, b"", status, {"Retry-After": "3600"})
    assert fetch_doi(documents(site), DOI) == DoiRecord(DOI, None)


def test_datacite_knows_what_the_handle_system_does_not_answer(site) -> None:
    answer(site, f"/api/handles/{DOI}", b"", 503, {"Retry-After": "3600"})
    answer(site, f"/dois/{DOI}", datacite())
    assert fetch_doi(documents(site), DOI).is_registered is True


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, [None], [{"title": 1, "name": [], "rights": {}}], True])
def test_odd_answers_about_dois_tell_nothing(site, odd) -> None:
    for name in ("titles", "creators", "rightsList", "url", "state"):
        answer(site, f"/api/handles/{DOI}", handle(values=odd))
        answer(site, f"/dois/{DOI}", datacite(**{name: odd}))
        assert fetch_doi(documents(site), DOI).is_registered is True
    answer(site, f"/api/handles/{DOI}", {"responseCode": odd})
    answer(site, f"/dois/{DOI}", odd)
    assert fetch_doi(documents(site), DOI).title is None


def test_odd_signs_of_a_doi_stay_within_the_path(site) -> None:
    fetch_doi(documents(site), "10.1000/a?b#c/../<d>")
    assert [path.partition("/10.1000")[0] for path, _ in site.asked] == ["/api/handles"]
    assert "?" not in site.asked[0][0] and "#" not in site.asked[0][0]


def test_cached_records_and_dois_are_told_without_a_request(site, tmp_path) -> None:
    answer(site, "/api/records/7654321", of_zenodo())
    answer(site, f"/api/handles/{DOI}", handle())
    answer(site, f"/dois/{DOI}", datacite())
    link = Link("https://zenodo.org/records/7654321/files/quartz_01.tar.bz2", "CBF", "TBZ", (), 1)

    def asked_of(folder) -> tuple:
        own = network(cache=folder, loopback=loopback(site))
        found = gather(own, [link], [DOI])
        own.close()
        assert own.client.budget.requests <= 3
        return found.verdicts[link.uri], found.dois

    first = asked_of(tmp_path)
    assert len(site.asked) == 3
    assert asked_of(tmp_path) == first, "the date is that of the answer, not that of the second look"
    assert len(site.asked) == 3
    age(tmp_path, 2.0)
    verdict, _ = asked_of(tmp_path)
    assert [path for path, _ in site.asked[3:]] == ["/api/records/7654321"], (
        "a record is kept for a day, a DOI for a week"
    )
    assert verdict.seen >= first[0].seen
    age(tmp_path, 6.0)
    asked_of(tmp_path)
    assert len(site.asked) == 3 + 1 + 3
    age(tmp_path, -10.0)
    asked_of(tmp_path)
    assert len(site.asked) == 3 + 1 + 3 + 3, "what comes from the future is of a wrong clock"


def age(folder, days: float) -> None:
    """Make what is kept older."""
    for path in folder.rglob("facts.json"):
        told = json.loads(path.read_text())
        path.write_text(json.dumps(told | {"time": told["time"] - days * 86_400.0}))


def with_doi(doi: str) -> str:
    return TEXT.replace("_database.dataset_DOI", "_database.dataset_DOI_") + f"\n_database.dataset_DOI {doi}\n"


def online(site) -> CheckOptions:
    from net.servers import settings

    return CheckOptions(online=settings(loopback=loopback(site)))


def test_a_doi_of_all_versions_is_known_by_its_record(site) -> None:
    text = with_doi("10.5281/zenodo.7654320")
    assert len(of(checked(text, CheckOptions()), "EXT020")) == 1
    answer(site, "/api/records/7654321", of_zenodo())
    answer(site, "/api/handles/10.5281/zenodo.7654320", handle())
    assert of(checked(text, online(site)), "EXT020") == []


def test_a_doi_that_is_not_registered_is_found(site) -> None:
    answer(site, "/api/records/7654321", of_zenodo())
    answer(site, f"/api/handles/{DOI}", handle(100), 404)
    (finding,) = of(checked(with_doi(DOI), online(site)), "EXT020")
    assert finding.severity == "warning" and "is not registered" in finding.message
    answer(site, f"/api/handles/{DOI}", b"", 503, {"Retry-After": "3600"})
    assert of(checked(with_doi(DOI), online(site)), "EXT020") == []
