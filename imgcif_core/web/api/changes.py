"""Calls that make something of a file: repairs, replies, comparisons."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imgcif_core.web.api.checks import accepted, address, patience
from imgcif_core.web.checking import body_job, form_job, given_of, is_form, take_files
from imgcif_core.web.downloads import KINDS, download
from imgcif_core.web.mending import keep_replies, mended, repairs_of, wanted
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, done_or_problem, read_result, service_of
from imgcif_core.web.store import Job
from imgcif_core.web.uploads import read_body

_SMALL = 4 << 20
_CIF = ("chemical/x-cif", "text/plain", "application/octet-stream")


async def _asked(request: Request, names: tuple[str, ...]) -> dict[str, Any]:
    """The members of a body of JSON.

    Raises
    ------
    Problem
        400 if it is none, or lacks one of the names.
    """
    try:
        found = json.loads(await read_body(request, _SMALL, service_of(request).config.limits))
    except (ValueError, RecursionError):
        raise Problem(400, "the body is no JSON") from None
    if not isinstance(found, dict) or not all(name in found for name in names):
        raise Problem(400, f"the body is an object with {' and '.join(names)}")
    return found


async def _checked_job(service: Service, request: Request) -> Job:
    """The checked job that a request names, or that its bytes become."""
    if request.headers.get("content-type", "").startswith("application/json"):
        found = await _asked(request, ("job",))
        job = service.job_of(str(found["job"]))
        done_or_problem(job)
        return job
    if is_form(request):
        job, form = await form_job(service, request)
        with service.store.kept_if_whole(job):
            take_files(job, form)
    else:
        job = await body_job(service, request)
    with service.store.kept_if_whole(job):
        given = given_of(job, request.query_params.get("profile", "auto"), "header")
    await service.start(job, "check", given)
    await service.wait(job, service.config.limits.check_seconds + 60)
    done_or_problem(job)
    return job


async def fix(request: Request) -> Response:
    """List the repairs of a file, or make them: with `apply` the answer tells what was made, or is the file."""
    service = service_of(request)
    apply = wanted(request.query_params["apply"]) if "apply" in request.query_params else None
    job = await _checked_job(service, request)
    found = await repairs_of(service, job)
    if apply is None:
        return JSONResponse({**found, "job": job.id, "links": {"job": address(request, job)}})
    new, made = await mended(service, job, apply)
    await service.wait(new, service.config.limits.check_seconds)
    done_or_problem(new)
    if any(kind in request.headers.get("accept", "") for kind in _CIF):
        content, _, media_type = await download(service, new, "file.cif")
        return Response(content, media_type=media_type, headers={"Location": address(request, new)})
    links = {"job": address(request, new), "file": f"{address(request, new)}/file"}
    result = new.work.answer if new.work else {}
    return JSONResponse({**found, **made, "job": new.id, "result": result, "links": links})


async def compare(request: Request) -> Response:
    """Hold a file against its source."""
    service = service_of(request)
    if not is_form(request):
        raise Problem(415, "send a form with file and against")
    job, form = await form_job(service, request, "compare")
    with service.store.kept_if_whole(job):
        take_files(job, form)
        if not job.facts["against"]:
            raise Problem(400, "the form has no against")
        given = given_of(job, request.query_params.get("profile", "auto"), "header")
    await service.start(job, "compare", given)
    if not await service.wait(job, patience(request)):
        return accepted(request, job)
    return await _comparison(request, job)


async def comparison(request: Request) -> Response:
    """The comparison of a job."""
    return await _comparison(request, service_of(request).job(request, "compare"))


async def _comparison(request: Request, job: Job) -> Response:
    """The tables with the findings that rest on them."""
    found = json.loads(await read_result(job, "compare.json"))
    report = json.loads(await read_result(job, "report.json"))["files"][0]
    found["findings"] = [finding for finding in report["findings"] if finding["rule"].startswith("CMP")]
    not_checked = report["outcomes"]["not_checked"]
    found["not_checked"] = [entry for entry in not_checked if entry["rule"].startswith("CMP")]
    return JSONResponse({**found, "job": job.id}, headers={"Location": address(request, job)})


async def replies(request: Request) -> Response:
    """Write replies to alerts: the form and the address of the merged file."""
    service = service_of(request)
    asked = await _asked(request, ("job", "replies"))
    job = service.job_of(str(asked["job"]))
    given = asked["replies"]
    names = ("rule", "block", "response")
    if not isinstance(given, list) or not all(
        isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in names) for entry in given
    ):
        raise Problem(400, "replies is a list of objects with rule, block and response, each a text")
    await keep_replies(service, job, [[entry[name] for name in names] for entry in given])
    form = (await read_result(job, "vrf.cif")).decode("utf-8", "replace")
    links = {"file": f"{address(request, job)}/file", "vrf": f"{address(request, job)}/vrf"}
    return JSONResponse({"job": job.id, "vrf": form, "links": links})


async def vrf(request: Request) -> Response:
    """The reply form of a job: with the replies given, or open ones for alerts A and B."""
    service = service_of(request)
    content, _, _ = await download(service, service.job(request), "vrf.cif")
    return Response(content, media_type=KINDS["vrf.cif"])


ROUTES = [
    Route("/api/v1/fix", fix, methods=["POST"]),
    Route("/api/v1/compare", compare, methods=["POST"]),
    Route("/api/v1/replies", replies, methods=["POST"]),
    Route("/api/v1/jobs/{id}/comparison", comparison),
    Route("/api/v1/jobs/{id}/vrf", vrf),
]
