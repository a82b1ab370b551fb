"""URI references and IRIs by the grammars of their standards."""

import pytest

from imgcif_core.ddlm.types import check_contents, complex_of


@pytest.mark.parametrize(
    "text",
    [
        # The examples of RFC 3986, section 1.1.2, and of its section 5.4 on relative references.
        "ftp://ftp.is.co.za/rfc/rfc1808.txt",
        "ldap://[2001:db8::7]/c=GB?objectClass?one",
        "mailto:John.Doe@example.com",
        "tel:+1-816-555-1212",
        "telnet://192.0.2.16:80/",
        "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
        "g;x=1/../y",
        "//g",
        "?y",
        "#s",
        "",
        "../../g",
        "/a%20b",
        "http://[::1]:80/",
        "http://[::ffff:192.0.2.1]/",
    ],
)
def test_uri_references(text: str) -> None:
    assert check_contents("Uri", text)


@pytest.mark.parametrize(
    "text",
    [
        ":www.example.org",
        "1http://x",
        "http://x/a b",
        "a%2",
        "a^b",
        "http://x:8a/",
        "http://[::1",
        "http://[1::2::3]/",
        "é",
        "a[1]",
        "x#a#b",
    ],
)
def test_what_is_no_uri_reference(text: str) -> None:
    assert not check_contents("Uri", text)


@pytest.mark.parametrize(
    ("text", "is_iri"),
    [("http://résumé.example.org/ü", True), ("http://x/?\ue000", True), ("http://x/\ue000", False), ("a/b", False)],
)
def test_iris_have_a_scheme_and_may_hold_letters_beyond_ascii(text: str, is_iri: bool) -> None:
    assert check_contents("Iri", text) is is_iri


@pytest.mark.parametrize(
    "text", ["1.0.0", "0.0.4", "4.2.1-dev", "1.0.0-alpha.1", "1.0.0-0A.is.legal", "1.0.0+21AF26D3"]
)
def test_semantic_versions(text: str) -> None:
    assert check_contents("Version", text)


@pytest.mark.parametrize("text", ["1.2", "01.2.3", "1.02.3", "1.2.3-01", "1.2.3-", "1.2.3+", "v1.2.3", "1.2.3.4"])
def test_what_is_no_semantic_version(text: str) -> None:
    assert not check_contents("Version", text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("2.0(1)", 2), ("1.5j", 1.5j), ("-1+2i", -1 + 2j), ("1e1-2.5j", 10 - 2.5j), ("j", None), ("", None)],
)
def test_numbers_of_all_types(text: str, number: complex | None) -> None:
    assert complex_of(text) == number
