"""POST /api/v1/create: from raw data, or heads of them, and answers to an imgCIF."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imgcif_core.web.answers import attachment
from imgcif_core.web.api.checks import accepted, patience
from imgcif_core.web.creating import begin, created, new_creation, state_of, taken_answers
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import read_result, service_of
from imgcif_core.web.store import Job
from imgcif_core.web.uploads import Form, read_form

_NAMES_OF_LINKS = ("archive_url", "url_base", "root")


async def create(request: Request) -> Response:
    """Begin with files, or go on with a session; the answer is the state after the step."""
    service = service_of(request)
    if "session" in request.query_params:
        job = service.job_of(request.query_params["session"], "create")
        form = await read_form(request, None, service.config.limits)
        await begin(service, job, _answers(form))
    else:
        job, form = await new_creation(service, request)
        with service.store.kept_if_whole(job):
            answers = _answers(form)
        await begin(service, job, answers, anew=True)
    if not await service.wait(job, patience(request)):
        return accepted(request, job)
    return await _state(request, job)


def _answers(form: Form) -> dict[str, str]:
    """Answers, links and DOI of a form."""
    given = _object(form.text("answers"), "answers")
    links = _object(form.text("links"), "links")
    unknown = set(links) - set(_NAMES_OF_LINKS)
    if unknown:
        raise Problem(400, f"links have no {', '.join(sorted(unknown))}; there are {', '.join(_NAMES_OF_LINKS)}")
    doi = {"doi": form.text("doi")} if "doi" in form.texts else {}
    return taken_answers({**given, **links, **doi})


def _object(text: str, what: str) -> dict[str, Any]:
    """The object that a field holds as JSON."""
    try:
        held = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        raise Problem(400, f"{what} is no JSON") from None
    if not isinstance(held, dict):
        raise Problem(400, f"{what} is no JSON object")
    return held


async def state(request: Request) -> Response:
    """The state of a creation."""
    return await _state(request, service_of(request).job(request, "create"))


async def _state(request: Request, job: Job) -> Response:
    """The state with the addresses that lead on, and the report once there is one."""
    told = await state_of(job)
    root = request.scope["root_path"]
    own = f"{root}/api/v1/create/{job.id}"
    report = json.loads(await read_result(job, "report.json")) if job.path("report.json").exists() else None
    addresses = {"self": own, "page": f"{root}/create/{job.id}", "job": f"{root}/api/v1/jobs/{job.id}"}
    if report is not None:
        addresses["file"] = f"{own}/file"
    told = {**told, "session": job.id, "report": report, "addresses": addresses}
    return JSONResponse(told, headers={"Location": own})


async def file(request: Request) -> Response:
    """The imgCIF; with errors in it only with `force`."""
    job = service_of(request).job(request, "create")
    content, name = await created(job, is_forced=bool(request.query_params.get("force")))
    return attachment(content, name, "chemical/x-cif")


ROUTES = [
    Route("/api/v1/create", create, methods=["POST"]),
    Route("/api/v1/create/{id}", state),
    Route("/api/v1/create/{id}/file", file),
]
