"""A client of the page without a server in between; skips where the extra web is missing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra web is not installed")
pytest.importorskip("python_multipart", reason="the extra web is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")


def make_client(folder: Path, limits: dict[str, Any] | None = None, **settings: Any) -> Any:
    """A client of a service with settings and limits of its own."""
    from starlette.testclient import TestClient

    from imgcif_core.web.app import create_app
    from imgcif_core.web.config import PUBLIC, Config

    chosen = replace(PUBLIC, **{"per_minute": None, **(limits or {})})
    values: dict[str, Any] = {"workers": 1, "is_public": True, **settings}
    config = Config(folder=str(folder), limits=chosen, **values)
    root = values.get("root_path", "")
    return TestClient(create_app(config), base_url=f"http://testserver{root}", follow_redirects=False)


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a public service."""
    with make_client(tmp_path_factory.mktemp("serve")) as made:
        yield made
