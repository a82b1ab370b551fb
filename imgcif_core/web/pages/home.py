"""The first page: two doors, and the check that begins there."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgcif_core.checks.profiles import NAMES, load_profile
from imgcif_core.web.answers import page
from imgcif_core.web.checking import follow, form_job, given_of, take_files
from imgcif_core.web.example import EXAMPLE_NAME, example_text
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import client_of, service_of

# So long a page waits for a result before it shows that it is waiting.
_PATIENCE = 2.0


def profiles() -> list[tuple[str, str, str]]:
    """Name, title and one sentence of each profile that can be chosen."""
    found = [(name, load_profile(name)) for name in NAMES]
    return [("auto", "what fits the file", ""), *((name, held.title, held.description) for name, held in found)]


async def home(request: Request) -> Response:
    """The page with the two doors."""
    service = service_of(request)
    if service.first:
        first, service.first = service.first, ""
        return RedirectResponse(f"{request.scope['root_path']}/r/{first}", 303)
    return _home(request)


def _home(request: Request, problem: Problem | None = None) -> Response:
    limits = service_of(request).config.limits
    status = problem.status if problem else 200
    return page(request, "home.html", status, profiles=profiles(), limits=limits, problem=problem)


async def check(request: Request) -> Response:
    """Take a file or a pasted text, and go to its report."""
    service = service_of(request)
    try:
        job, form = await form_job(service, request)
    except Problem as problem:
        return _home(request, problem)
    try:
        take_files(job, form, pasted=form.text("text"))
        given = given_of(job, form.text("profile", "auto"), "header")
        follow(service, job, form.text("follow"))
    except Problem as problem:
        service.store.drop(job)
        return _home(request, problem)
    await service.start(job, "check", given)
    await service.wait(job, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{job.id}", 303)


async def example(request: Request) -> Response:
    """Check the example, so that a newcomer sees a report at once."""
    service = service_of(request)
    job = service.store.new("check", client_of(request))
    (job.inputs / EXAMPLE_NAME).write_text(example_text(), encoding="utf-8")
    job.facts.update(file=EXAMPLE_NAME, name=EXAMPLE_NAME)
    await service.start(job, "check", given_of(job, "auto", "header"))
    await service.wait(job, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{job.id}", 303)


ROUTES = [
    Route("/", home),
    Route("/", check, methods=["POST"]),
    Route("/example", example, methods=["POST"]),
]
