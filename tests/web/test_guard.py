"""Who may ask, how often, and what every answer carries."""

import time
from pathlib import Path
from typing import Any

import pytest

from imgcif_core._version import __version__
from imgcif_core.errors import UsageError
from imgcif_core.web.answers import feedback_link
from imgcif_core.web.config import Config, Operator, checked, load_config
from imgcif_core.web.guard import COOKIE
from imgcif_core.web.limits import Rate, client_of

from .conftest import make_client

CHECK = {"content": b"data_x\n_cell.length_a 1\n", "headers": {"Content-Type": "application/octet-stream"}}
FORM = {"files": {"file": ("a.cif", b"data_x\n")}}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("local")
    with make_client(folder, is_public=False, token="secret-of-the-page") as made:
        made.base_url = "http://127.0.0.1:8421"
        yield made


@pytest.mark.parametrize("path", ["/", "/rules", "/nothing", "/static/page.css", "/api/v1/info", "/r/" + "x" * 22])
def test_every_answer_has_the_headers(client: Any, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "set-cookie" not in headers


def test_reports_are_not_stored(client: Any) -> None:
    location = client.post("/", **FORM).headers["location"]
    assert client.get(location).headers["cache-control"] == "no-store"


def test_journals_may_show_the_page_by_configuration(tmp_path: Path) -> None:
    with make_client(tmp_path, frame_ancestors=("https://journal.example",)) as made:
        policy = made.get("/").headers["content-security-policy"]
        assert policy.endswith("frame-ancestors https://journal.example")


def test_the_key_becomes_a_cookie(local: Any) -> None:
    local.cookies.clear()
    assert local.get("/").status_code == 403
    answer = local.get("/?token=secret-of-the-page")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
    assert local.get("/").status_code == 200
    local.cookies.clear()


def test_a_wrong_key_opens_nothing(local: Any) -> None:
    local.cookies.clear()
    assert local.get("/?token=guess").status_code == 403
    assert local.get("/", headers={"Cookie": f"{COOKIE}=guess"}).status_code == 403
    assert local.post("/api/v1/check", **CHECK).status_code == 403
    assert local.get("/static/page.css").status_code == 403


def test_programs_send_the_key_as_bearer(local: Any) -> None:
    headers = {**CHECK["headers"], "Authorization": "Bearer secret-of-the-page"}
    assert local.post("/api/v1/check", content=CHECK["content"], headers=headers).status_code == 200
    assert local.get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8421", "127.0.0.1.evil.example", ""])
def test_other_names_of_this_computer_are_refused(local: Any, host: str) -> None:
    headers = {"Host": host, "Authorization": "Bearer secret-of-the-page"}
    assert local.get("/", headers=headers).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8421", "localhost:8421", "[::1]:8421"])
def test_own_names_are_taken(local: Any, host: str) -> None:
    assert local.get("/", headers={"Host": host, "Authorization": "Bearer secret-of-the-page"}).status_code == 200


def test_a_public_page_answers_to_its_hosts_alone(tmp_path: Path) -> None:
    with make_client(tmp_path, hosts=("check.example",)) as made:
        assert made.get("/", headers={"Host": "check.example"}).status_code == 200
        assert made.get("/", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_forms_of_other_sites_are_refused(client: Any, headers: dict[str, str]) -> None:
    assert client.post("/", headers=headers, **FORM).status_code == 403
    assert client.post("/api/v1/check", headers=headers, **FORM).status_code == 403


def test_own_forms_are_taken(client: Any) -> None:
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/", headers=headers, **FORM).status_code == 303


def test_too_many_requests_are_told_when_to_come_again(tmp_path: Path) -> None:
    with make_client(tmp_path, {"per_minute": 60, "burst": 3}) as made:
        codes = [made.get("/api/v1/info").status_code for _ in range(5)]
        assert codes[:3] == [200, 200, 200]
        assert 429 in codes[3:]
        assert int(made.get("/api/v1/info").headers["retry-after"]) >= 1
        assert made.get("/healthz").status_code == 200


def test_too_many_requests_at_once_are_told_when_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgcif_core.web.guard.MOST_AT_ONCE", 0)
    with make_client(tmp_path) as made:
        answer = made.get("/api/v1/info")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert made.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("address", "code", "link"),
    [
        ("", "AXI002", ""),
        ("https://x.example/f", "AXI002", f"https://x.example/f?version={__version__}&code=AXI002"),
        ("https://x.example/f?a=1", "", f"https://x.example/f?a=1&version={__version__}"),
        ("mailto:a@x.example", "AXI002", f"mailto:a@x.example?subject=imgcif_core%20{__version__}%20AXI002"),
    ],
)
def test_feedback_carries_version_and_code(address: str, code: str, link: str) -> None:
    assert feedback_link(address, code) == link


def test_the_pages_link_to_the_operator_with_the_code(tmp_path: Path) -> None:
    operator = Operator(feedback="https://x.example/f")
    with make_client(tmp_path, operator=operator) as made:
        assert f"https://x.example/f?version={__version__}&amp;code=AXI002" in made.get("/rules/AXI002").text


def test_tokens_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    rate = Rate(60, 2)
    assert [rate.wait("a") for _ in range(3)] == [0.0, 0.0, 1.0]
    assert rate.wait("b") == 0.0
    now = 101.0
    assert rate.wait("a") == 0.0


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("198.51.100.7", "203.0.113.1", (), "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1", ("10.0.0.0/8",), "203.0.113.1"),
        ("10.0.0.1", "192.0.2.9, 203.0.113.1, 10.0.0.2", ("10.0.0.0/8",), "203.0.113.1"),
        ("2001:db8:1:2:3:4:5:6", "", (), "2001:db8:1:2::/64"),
        ("testclient", "", (), "testclient"),
    ],
)
def test_clients_are_told_apart(peer: str, forwarded: str, proxies: tuple[str, ...], client: str) -> None:
    assert client_of(peer, forwarded, proxies) == client


def test_a_page_below_a_path_links_below_it(tmp_path: Path) -> None:
    with make_client(tmp_path, root_path="/imgcif") as made:
        made.base_url = "http://testserver"
        for prefix in ("/imgcif", ""):
            text = made.get(f"{prefix}/").text
            assert 'href="/imgcif/static/page.css"' in text
            assert 'action="/imgcif/"' in text
            location = made.post(f"{prefix}/", **FORM).headers["location"]
            assert location.startswith("/imgcif/r/")
            assert made.get(location).status_code == 200
        assert made.get("/imgcif/static/page.css").status_code == 200


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "page.toml"
    path.write_text(
        '[server]\nhost = "0.0.0.0"\nroot_path = "/imgcif/"\nhosts = ["check.example"]\n'
        '[limits]\nfile_bytes = 1000\n[operator]\nname = "Institute"\nterms = "Be kind."\n',
        encoding="utf-8",
    )
    config = load_config(path)
    assert config.is_public
    assert (config.root_path, config.limits.file_bytes, config.limits.per_minute) == ("/imgcif", 1000, 120)
    assert config.operator.terms == "Be kind."


@pytest.mark.parametrize(
    "text",
    [
        "[other]",
        "[server]\nports = 1",
        "[server]\ntoken = 'x'",
        "[server]\nport = 'x'",
        "[server]\nport = 99999",
        "[server]\nworkers = 0",
        "[limits]\nfile_bytes = -1",
        "[limits]\nfile_bytes = true",
        "[server]\nroot_path = 'x y'",
        "[server]\ntrusted_proxies = ['proxy']",
        '[server]\nframe_ancestors = ["https://a.example; script-src *"]',
        "server = 1",
        "not toml",
    ],
)
def test_a_configuration_that_makes_no_sense_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        load_config(path)


def test_limits_of_the_default_are_those_of_one_user() -> None:
    config = checked(Config())
    assert config.is_loopback
    assert config.limits.per_minute is None
    assert config.limits.file_bytes == 2 << 30
