"""A file and its source, or two files: what is elsewhere, in mm, pixels and degrees."""

import json

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgcif_core.web.answers import page
from imgcif_core.web.checking import form_job, given_of, take_files
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import read_result, service_of

_PATIENCE = 3.0


async def ask(request: Request) -> Response:
    """The form for two files."""
    return _form(request)


def _form(request: Request, problem: Problem | None = None) -> Response:
    limits = service_of(request).config.limits
    return page(request, "compare_form.html", problem.status if problem else 200, limits=limits, problem=problem)


async def compare(request: Request) -> Response:
    """Take two files, and go to their comparison."""
    service = service_of(request)
    try:
        job, form = await form_job(service, request, "compare")
        with service.store.kept_if_whole(job):
            take_files(job, form)
            if not job.facts["against"]:
                raise Problem(400, "choose the source or the second file, too")
            given = given_of(job, "auto", "header")
    except Problem as problem:
        return _form(request, problem)
    await service.start(job, "compare", given)
    await service.wait(job, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/compare/{job.id}", 303)


async def shown(request: Request) -> Response:
    """The comparison of a job."""
    service = service_of(request)
    job = service.job(request, "compare")
    if job.work is not None and job.work.state in ("queued", "running"):
        return page(request, "waiting.html", job=job, work=job.work, position=service.pool.position(job.work))
    if job.work is not None and job.work.problem is not None:
        return page(request, "problem.html", job.work.problem.status, problem=job.work.problem)
    found = json.loads(await read_result(job, "compare.json"))
    view = json.loads(await read_result(job, "view.json"))
    groups = [group for group in view["groups"] if group["family"] == "CMP"]
    gaps = [gap for gap in view["gaps"] if any(code.startswith("CMP") for code in gap["rules"])]
    has_geometry = job.path("geometry.json").exists()
    return page(
        request, "compare.html", job=job, view=view, found=found, groups=groups, gaps=gaps, has_geometry=has_geometry
    )


ROUTES = [
    Route("/compare", ask),
    Route("/compare", compare, methods=["POST"]),
    Route("/compare/{id}", shown),
]
