"""Parts of URIs and what names tell."""

import pytest

from imgcif_core.formats import archive_suffix, compression_suffix, format_suffix
from imgcif_core.model.uris import fault_of, locality_of, parse_uri


@pytest.mark.parametrize(
    "text",
    [
        "https://x.org/a%20b.cbf?download=1#top",
        "rsync://data.sbgrid.org/10.15785/SBGRID/973/x.cbf",
        "doi:10.5281/zenodo.1",
        "../a.cbf",
        "????",
        "http://[::1]:8001/x",
        "s3://bucket/key(1).cbf",
    ],
)
def test_references_of_rfc_3986_are_accepted(text: str) -> None:
    assert fault_of(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("https://x.org/a b", "' '"),
        ("https://x.org/a%zz", "'%zz'"),
        ("https://x.org/a%2", "'%2'"),
        ("https://x.org/{a}", "'{'"),
        ("C:\\data\\x.cbf", "'\\\\\\\\'"),
        ("https://x.org/å", "'å'"),
        ("http://[::1/x", "malformed server"),
    ],
)
def test_other_texts_are_refused_with_a_reason(text: str, fault: str) -> None:
    assert fault.strip("'").replace("\\\\", "\\") in (fault_of(text) or "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a/b.cbf", "relative"),
        ("/data/b.cbf", "relative"),
        ("file:///data/b.cbf", "file"),
        ("http://127.8.0.1/x", "loopback"),
        ("http://localhost:8001/x", "loopback"),
        ("http://[::1]/x", "loopback"),
        ("https://10.1.2.3/x", "private"),
        ("https://192.168.0.1/x", "private"),
        ("https://172.31.255.255/x", "private"),
        ("https://169.254.1.1/x", "private"),
        ("https://nas.local/x", "local"),
        ("https://172.32.0.1/x", None),
        ("https://11.0.0.1/x", None),
        ("https://local.example.org/x", None),
        ("https://zenodo.org/x", None),
    ],
)
def test_places_that_others_cannot_reach_are_told(text: str, kind: str | None) -> None:
    assert locality_of(parse_uri(text)) == kind


@pytest.mark.parametrize(
    ("name", "archive", "format", "packing"),
    [
        ("x.tar.bz2", "TBZ", None, None),
        ("X.TBZ", "TBZ", None, None),
        ("x.tgz", "TGZ", None, None),
        ("x.tar.xz", "TXZ", None, None),
        ("x.zip", "ZIP", None, None),
        ("x.cbf.gz", None, "CBF", "GZ"),
        ("x.img.bz2", None, "SMV", "BZ2"),
        ("x_master.h5", None, "HDF5", None),
        ("x.mar2300", None, "MAR", None),
        ("x.0001", None, None, None),
        ("x", None, None, None),
    ],
)
def test_names_tell_archive_format_and_packing(
    name: str, archive: str | None, format: str | None, packing: str | None
) -> None:
    assert archive_suffix(name) == archive
    assert compression_suffix(name) == packing
    if archive is None:
        assert format_suffix(name) == format
