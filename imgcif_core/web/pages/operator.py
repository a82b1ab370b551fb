"""Pages about the service itself: texts of the operator, the state, the description of the API."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from imgcif_core.web.answers import page
from imgcif_core.web.config import TEXTS
from imgcif_core.web.service import service_of

_TITLES = {
    "about": "About this page",
    "terms": "Terms of use",
    "privacy": "What happens to your files",
    "accessibility": "Accessibility",
}


async def text(request: Request) -> Response:
    """A text of the operator, with what the program itself can say."""
    service = service_of(request)
    what = request.scope["path"].rpartition("/")[2]
    given = getattr(service.config.operator, what)
    paragraphs = [part for part in given.split("\n\n") if part.strip()]
    return page(
        request, "text.html", what=what, title=_TITLES[what], paragraphs=paragraphs, limits=service.config.limits
    )


async def api(request: Request) -> Response:
    """How programs use the service."""
    return page(request, "api.html", limits=service_of(request).config.limits)


async def status(request: Request) -> Response:
    """What the service is doing, without a word about anybody's job."""
    service = service_of(request)
    running, waiting = service.pool.load
    facts = {
        "workers": service.config.workers,
        "running": running,
        "waiting": waiting,
        "done": service.pool.done,
        "stopped": service.pool.killed,
    }
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "status.html", facts=facts, limits=service.config.limits)
    return JSONResponse(facts)


async def healthy(_request: Request) -> Response:
    """Says that the server answers."""
    return PlainTextResponse("ok\n")


async def ready(request: Request) -> Response:
    """Says whether a check would be taken."""
    service = service_of(request)
    _, waiting = service.pool.load
    is_ready = waiting < service.config.limits.queued
    return PlainTextResponse("ready\n" if is_ready else "the queue is full\n", 200 if is_ready else 503)


ROUTES = [
    *(Route(f"/{name}", text, name=name) for name in TEXTS),
    Route("/api", api),
    Route("/status", status),
    Route("/healthz", healthy),
    Route("/readyz", ready),
]
