"""Answers in the forms that clients ask for: pages from templates, JSON, files to keep, problems."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from imgcif_core._version import __version__
from imgcif_core.render.excerpt import visible
from imgcif_core.web.problems import MEDIA_TYPE, Problem

HERE = Path(__file__).parent


@cache
def templates() -> Environment:
    """The templates: values are text, and a name that is not given is a fault."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = lambda value: visible(str(value))
    environment.filters["sentence"] = lambda value: str(value)[:1].upper() + str(value)[1:]
    # Read now, so that the first one who asks does not wait for it.
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


def page(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page; templates know `link(path)`, `config` and `version` besides what is given."""
    config = request.app.state.service.config if "app" in request.scope else None
    root = request.scope.get("root_path", "")
    text = (
        templates()
        .get_template(template)
        .render(
            link=lambda path: f"{root}{path}",
            operator=config.operator if config else None,
            feedback=lambda code="": feedback_link(config.operator.feedback if config else "", code),
            is_local=bool(config and config.token),
            is_online=bool(config and config.online),
            keep_seconds=config.limits.keep_seconds if config else None,
            version=__version__,
            here=request.scope["path"].removeprefix(root),
            **values,
        )
    )
    return HTMLResponse(text, status, headers)


def feedback_link(address: str, code: str = "") -> str:
    """The operator's address for reports of faults, with the version and the code of a rule; empty if there is none."""
    if not address:
        return ""
    told = {"version": __version__, **({"code": code} if code else {})}
    if address.startswith("mailto:"):
        told = {"subject": " ".join(("imgcif_core", *told.values()))}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(told, quote_via=quote)}"


def problem_response(request: Request, problem: Problem) -> Response:
    """A problem as the client wants it: pages for people, problem details for programs."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    wants_page = "text/html" in request.headers.get("accept", "")
    if path.startswith("/api/") or not wants_page:
        return JSONResponse(problem.as_dict(), problem.status, dict(problem.headers), MEDIA_TYPE)
    return page(request, "problem.html", problem.status, problem.headers, problem=problem)


def attachment(content: bytes | str, name: str, media_type: str) -> Response:
    """A file to keep, under a name that is safe in a header."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name) or "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})
