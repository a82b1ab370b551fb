"""The application: routes of all pages and calls, below one guard."""

import asyncio
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from imgcif_core.web import api, pages
from imgcif_core.web.answers import HERE, problem_response, templates
from imgcif_core.web.checking import start_copy
from imgcif_core.web.config import Config
from imgcif_core.web.guard import Guard, add_headers
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service


def create_app(config: Config, first: str | None = None) -> Starlette:
    """The ASGI application of a configuration; its lifespan starts and ends workers and store.

    `first` is the path of a file whose report is shown first.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service = Service(config)
        app.state.service = service
        await asyncio.to_thread(templates)
        await service.open()
        if first is not None:
            service.first = (await start_copy(service, first)).id
        try:
            yield
        finally:
            await service.close()

    return Starlette(
        routes=[*_routes(pages), *_routes(api), Mount("/static", StaticFiles(directory=HERE / "static"))],
        middleware=[Middleware(Guard, config=config)],
        exception_handlers={Problem: _on_problem, HTTPException: _on_http, 500: _on_fault},  # type: ignore[dict-item]
        lifespan=lifespan,
    )


def _routes(package: object) -> list[BaseRoute]:
    """The `ROUTES` of every module of a package."""
    found: list[BaseRoute] = []
    for entry in pkgutil.iter_modules(package.__path__):  # type: ignore[attr-defined]
        found += getattr(import_module(f"{package.__name__}.{entry.name}"), "ROUTES", [])  # type: ignore[attr-defined]
    return found


async def _on_problem(request: Request, problem: Problem) -> Response:
    """What a route raised on purpose."""
    return problem_response(request, problem)


async def _on_http(request: Request, error: HTTPException) -> Response:
    """What the router raised: no such page, or not by that method."""
    details = {404: "there is no such page", 405: "this address does not take that method"}
    answer = problem_response(request, Problem(error.status_code, details.get(error.status_code, error.detail)))
    answer.headers.update(error.headers or {})
    return answer


async def _on_fault(request: Request, _: Exception) -> Response:
    """A fault of our own: no word of what the request held."""
    answer = problem_response(request, Problem(500, "a fault of this program; the request was not answered"))
    # This answer is made outside of the guard.
    add_headers(answer.headers, request.app.state.service.config)
    return answer
