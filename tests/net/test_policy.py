"""Who may be asked: only public addresses, and the connection goes to the one that was checked."""

import pytest

from imgcif_core.images.limits import BytesError
from imgcif_core.net.policy import fault_of_address, judge

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
        "no address",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert fault_of_address(address)


@pytest.mark.parametrize("address", [PUBLIC, "188.184.98.114", "2001:1458:d00:61::100:2fe"])
def test_public_addresses_are_taken(address: str) -> None:
    assert fault_of_address(address) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "//example.org/a",
        "https://user:word@example.org/",
        "https://localhost/",
        "https://intranet/",
        "https://printer.local/",
        "https://db.internal./",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data",
        "https://exa mple.org/",
        "https:///nothing",
        "https://example.org:99999/",
        "https://[::1/",
    ],
)
def test_addresses_are_refused_before_a_look_up(url: str) -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(BytesError) as fault:
        judge(url, lookup=never)
    assert fault.value.kind == "refused"


def test_one_private_address_among_public_ones_refuses_a_name() -> None:
    with pytest.raises(BytesError, match=r"leads to 10\.0\.0\.5, which is not public"):
        judge("https://example.org/", lookup=lambda host, port: [PUBLIC, "10.0.0.5"])


def test_the_target_holds_the_addresses_that_were_checked() -> None:
    target = judge("https://Example.org/a b?x=1#y", lookup=lambda host, port: [PUBLIC])
    assert (target.host, target.port, target.addresses) == ("example.org", 443, (PUBLIC,))
    assert target.path == "/a%20b?x=1"
    assert target.authority == "example.org"


def test_a_name_that_is_not_known_says_nothing_of_the_file() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(BytesError) as fault:
        judge("https://example.org/", lookup=fails)
    assert fault.value.kind == "unreached"
