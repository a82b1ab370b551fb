"""POST /api/v1/check and the jobs that come of it."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imgcif_core.render.html_style import STYLE_SOURCE
from imgcif_core.web.checking import body_job, follow, form_job, given_of, is_form, take_files
from imgcif_core.web.downloads import KINDS, download
from imgcif_core.web.guard import content_policy
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, read_result, service_of
from imgcif_core.web.sources import lines_between
from imgcif_core.web.store import Job

_PATIENCE, _MOST_PATIENCE = 5.0, 60.0
_WEIGHT = re.compile(r"[01](\.[0-9]{0,3})?\Z")
_FORMS = {"application/sarif+json": "report.sarif", "text/html": "report.html", "application/json": "report.json"}


async def check(request: Request) -> Response:
    """Check the body or the file of a form."""
    service = service_of(request)
    asked = request.query_params
    if is_form(request):
        job, form = await form_job(service, request)
        profile = form.text("profile", asked.get("profile", "auto"))
    else:
        job, form = await body_job(service, request), None
        profile = asked.get("profile", "auto")
    with service.store.kept_if_whole(job):
        if form is not None:
            take_files(job, form)
        given = given_of(job, profile, asked.get("images", "header"))
        follow(service, job, asked.get("follow", form.text("follow") if form else ""))
    await service.start(job, "check", given)
    if not await service.wait(job, patience(request)):
        return accepted(request, job)
    return await _report(service, request, job, {"Location": address(request, job)})


def patience(request: Request, default: float = _PATIENCE) -> float:
    """How long the client wants to wait for a result: Prefer: wait=N."""
    for entry in request.headers.get("prefer", "").split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "wait" and value.isdigit():
            return min(float(value), _MOST_PATIENCE)
    return default


def address(request: Request, job: Job) -> str:
    """The path of a job below this host."""
    return f"{request.scope['root_path']}/api/v1/jobs/{job.id}"


def accepted(request: Request, job: Job) -> Response:
    """202: the job goes on, and this is where to ask."""
    headers = {"Location": address(request, job), "Retry-After": "1"}
    return JSONResponse(described(request, job), 202, headers)


def described(request: Request, job: Job) -> dict[str, Any]:
    """What there is to say about a job."""
    service = service_of(request)
    work = job.work
    own = address(request, job)
    told: dict[str, Any] = {"id": job.id, "kind": job.kind, "state": job.state, "links": {"self": own}}
    if work is not None and job.state in ("queued", "running"):
        told["position"] = service.pool.position(work)
        told["progress"] = work.progress or None
    if work is not None and work.problem is not None:
        told["problem"] = work.problem.as_dict()
    if job.state == "done" and job.kind == "check":
        root = request.scope["root_path"]
        names = {"report": "report", "geometry": "geometry", "source": "source", "file": "file"}
        told["links"].update({name: f"{own}/{path}" for name, path in names.items()})
        told["links"]["page"] = f"{root}/r/{job.id}"
        told["result"] = work.answer if work else {}
    elif job.state == "done":
        root = request.scope["root_path"]
        is_comparison = job.kind == "compare"
        told["links"]["result"] = f"{own}/comparison" if is_comparison else f"{root}/api/v1/create/{job.id}"
        told["links"]["page"] = f"{root}/{job.kind}/{job.id}"
    return told


def _form_of(accept: str) -> str:
    """The form of the report that a client likes best; JSON where it names none of ours, or likes it as well."""
    best, chosen = 0.0, "report.json"
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = next((part.partition("=")[2] for part in parameters if part.startswith("q=")), "1")
        liked = float(weight) if _WEIGHT.match(weight) else 0.0
        if kind in _FORMS and (liked > best or (liked == best and _FORMS[kind] == "report.json")):
            best, chosen = liked, _FORMS[kind]
    return chosen


async def _report(service: Service, request: Request, job: Job, headers: dict[str, str]) -> Response:
    """The report in the form that the client accepts."""
    accept = request.headers.get("accept", "")
    what = _form_of(accept)
    content, _, media_type = await download(service, job, what)
    own = {"Vary": "Accept"}
    if what == "report.html":
        # The page has its style within it.
        own["Content-Security-Policy"] = content_policy(service.config, STYLE_SOURCE.strip("'"))
    return Response(content, media_type=media_type, headers={**headers, **own})


async def state(request: Request) -> Response:
    """How far a job is."""
    service = service_of(request)
    try:
        job = service.job(request)
    except Problem as problem:
        if problem.status == 410:
            return JSONResponse({"id": request.path_params["id"], "state": "expired", "links": {}})
        raise
    await service.wait(job, patience(request, 0.0))
    headers = {"Retry-After": "1"} if job.state in ("queued", "running") else {}
    return JSONResponse(described(request, job), headers=headers)


async def remove(request: Request) -> Response:
    """End a job and remove its files."""
    service = service_of(request)
    await service.remove(service.job(request))
    return Response(status_code=204)


async def report(request: Request) -> Response:
    """The report of a job."""
    service = service_of(request)
    return await _report(service, request, service.job(request, "check"), {})


async def geometry(request: Request) -> Response:
    """The instrument of a job in numbers."""
    job = service_of(request).job(request)
    return Response(await read_result(job, "geometry.json"), media_type="application/json")


async def source(request: Request) -> Response:
    """Some lines of the text of a job."""
    job = service_of(request).job(request)
    asked = [request.query_params.get(name, default) for name, default in (("from", "1"), ("to", "400"))]
    if not all(text.isdigit() and len(text) < 12 for text in asked):
        raise Problem(400, "from and to are numbers of lines, from 1")
    window = await lines_between(job, int(asked[0]), int(asked[1]))
    return JSONResponse({"from": window.first, "to": window.last, "total": window.total, "lines": window.lines})


async def file(request: Request) -> Response:
    """The file of a job, with the replies that were given."""
    service = service_of(request)
    content, _, _ = await download(service, service.job(request), "file.cif")
    headers = {"Content-Disposition": 'attachment; filename="file.cif"'}
    return Response(content, media_type=KINDS["file.cif"], headers=headers)


async def view(request: Request) -> Response:
    """What the page shows of a job, bounded."""
    job = service_of(request).job(request, "check")
    return JSONResponse(json.loads(await read_result(job, "view.json")))


ROUTES = [
    Route("/api/v1/check", check, methods=["POST"]),
    Route("/api/v1/jobs/{id}", state),
    Route("/api/v1/jobs/{id}", remove, methods=["DELETE"]),
    Route("/api/v1/jobs/{id}/report", report),
    Route("/api/v1/jobs/{id}/geometry", geometry),
    Route("/api/v1/jobs/{id}/source", source),
    Route("/api/v1/jobs/{id}/file", file),
    Route("/api/v1/jobs/{id}/view", view),
]
