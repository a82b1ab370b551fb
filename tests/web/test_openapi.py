"""The description of the API: every route is in it, every answer is as it says."""

import json
import pkgutil
import re
from typing import Any

import pytest
from shared import EXAMPLE, ROOT

from imgcif_core.web.answers import HERE
from imgcif_core.web.example import example_text

jsonschema = pytest.importorskip("jsonschema")
DESCRIPTION = json.loads((HERE / "openapi.json").read_text(encoding="utf-8"))
BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}


def routes() -> set[tuple[str, str]]:
    """Method and path of every route below /api/v1."""
    from imgcif_core.web import api
    from imgcif_core.web.app import _routes

    found = set()
    for route in _routes(api):
        for method in (route.methods or set()) - {"HEAD"}:  # type: ignore[attr-defined]
            found.add((method.lower(), re.sub(r":\w+\}", "}", route.path)))  # type: ignore[attr-defined]
    return found


def described() -> set[tuple[str, str]]:
    """Method and path of everything described."""
    methods = {"get", "post", "put", "delete"}
    return {(name, path) for path, entry in DESCRIPTION["paths"].items() for name in entry if name in methods}


def fits(answer: Any, method: str, path: str) -> Any:
    """Validate an answer by its description, and give its content."""
    responses = DESCRIPTION["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, answer.text
    content = responses[str(answer.status_code)].get("content")
    if content is None:
        assert not answer.content
        return None
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in content
    if kind.endswith("json"):
        schema = {**content[kind]["schema"], "components": DESCRIPTION["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
        return answer.json()
    return answer.content


def test_every_route_is_described_and_nothing_else() -> None:
    from imgcif_core.web import api

    kinds = {entry.name for entry in pkgutil.iter_modules(api.__path__)}
    creation = set() if "creation" in kinds else {entry for entry in described() if "/create" in entry[1]}
    assert routes() == described() - creation


def test_references_lead_somewhere_and_operations_have_names_of_their_own() -> None:
    text = json.dumps(DESCRIPTION)
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in DESCRIPTION["components"]["schemas"]
    names = [DESCRIPTION["paths"][path][method]["operationId"] for method, path in described()]
    assert len(names) == len(set(names))
    for entry in DESCRIPTION["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(entry)


def test_path_parameters_are_described() -> None:
    for path, entry in DESCRIPTION["paths"].items():
        names = {parameter["name"] for parameter in entry.get("parameters", []) if parameter["in"] == "path"}
        assert names == set(re.findall(r"\{(\w+)\}", path)), path


@pytest.mark.parametrize("path", ["/api/v1/rules", "/api/v1/profiles", "/api/v1/info", "/api/v1/openapi.json"])
def test_lists_are_as_described(client: Any, path: str) -> None:
    fits(client.get(path), "get", path)


def test_single_rules_and_profiles_are_as_described(client: Any) -> None:
    assert fits(client.get("/api/v1/rules/AXI002"), "get", "/api/v1/rules/{code}")["prose"]["What"]
    fits(client.get("/api/v1/rules/XXX"), "get", "/api/v1/rules/{code}")
    fits(client.get("/api/v1/profiles/raw-data-letters"), "get", "/api/v1/profiles/{name}")
    fits(client.get("/api/v1/profiles/x"), "get", "/api/v1/profiles/{name}")


def test_a_job_is_as_described_from_its_check_to_its_end(client: Any) -> None:
    data = example_text().encode()
    answer = client.post("/api/v1/check", params={"profile": "raw-data-letters"}, content=data, headers=BYTES)
    fits(answer, "post", "/api/v1/check")
    job = answer.headers["location"].rpartition("/")[2]
    for rest in ("", "/report", "/view", "/geometry", "/source", "/file", "/vrf"):
        fits(client.get(f"/api/v1/jobs/{job}{rest}"), "get", f"/api/v1/jobs/{{id}}{rest}")
    fits(client.get(f"/api/v1/jobs/{job}/comparison"), "get", "/api/v1/jobs/{id}/comparison")
    fits(client.post("/api/v1/fix", json={"job": job}), "post", "/api/v1/fix")
    fits(client.post("/api/v1/fix", json={"job": job}, params={"apply": "safe"}), "post", "/api/v1/fix")
    reply = {"job": job, "replies": [{"rule": "MTA012", "block": "quartz_01", "response": "In the letter."}]}
    fits(client.post("/api/v1/replies", json=reply), "post", "/api/v1/replies")
    fits(client.delete(f"/api/v1/jobs/{job}"), "delete", "/api/v1/jobs/{id}")
    assert fits(client.get(f"/api/v1/jobs/{job}"), "get", "/api/v1/jobs/{id}")["state"] == "expired"
    fits(client.get(f"/api/v1/jobs/{job}/report"), "get", "/api/v1/jobs/{id}/report")


def test_one_that_goes_on_is_as_described(client: Any) -> None:
    headers = {**BYTES, "Prefer": "wait=0"}
    answer = client.post("/api/v1/check", content=EXAMPLE.read_bytes(), headers=headers)
    told = fits(answer, "post", "/api/v1/check")
    if answer.status_code == 202:
        fits(client.get(told["links"]["self"]), "get", "/api/v1/jobs/{id}")


def test_comparisons_are_as_described(client: Any) -> None:
    source = (ROOT / "examples" / "quartz.expt").read_bytes()
    files = [("file", ("q.cif", EXAMPLE.read_bytes())), ("against", ("quartz.expt", source))]
    answer = client.post("/api/v1/compare", files=files, headers={"Prefer": "wait=60"})
    told = fits(answer, "post", "/api/v1/compare")
    fits(client.get(f"/api/v1/jobs/{told['job']}/comparison"), "get", "/api/v1/jobs/{id}/comparison")
    fits(client.post("/api/v1/compare", content=b"x", headers=BYTES), "post", "/api/v1/compare")


@pytest.mark.parametrize(("path", "content"), [("/api/v1/check", b""), ("/api/v1/fix", b""), ("/api/v1/replies", b"{")])
def test_refusals_are_as_described(client: Any, path: str, content: bytes) -> None:
    told = fits(client.post(path, content=content, headers=BYTES), "post", path)
    assert told["status"] == 400
