"""The report of one job: findings, source, scans and data; waiting, stopping, downloads."""

import json
from pathlib import PurePath
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgcif_core.render.html_style import STYLE_SOURCE
from imgcif_core.web.answers import attachment, page
from imgcif_core.web.checking import PROFILES
from imgcif_core.web.downloads import KINDS, download
from imgcif_core.web.guard import content_policy
from imgcif_core.web.mending import judged_again, replies_of
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import read_result, service_of
from imgcif_core.web.sources import window_of
from imgcif_core.web.uploads import read_form

_PATIENCE = 2.0
_LEVELS = ("A", "B", "C", "G")


async def report(request: Request) -> Response:
    """The page of a job, or the page that waits for it."""
    service = service_of(request)
    job = service.job(request)
    if job.kind == "create":
        return RedirectResponse(f"{request.scope['root_path']}/create/{job.id}", 303)
    if job.work is not None and job.work.state in ("queued", "running"):
        position = service.pool.position(job.work)
        return page(request, "waiting.html", job=job, work=job.work, position=position)
    if job.work is not None and job.work.problem is not None:
        return page(request, "problem.html", job.work.problem.status, problem=job.work.problem)
    view = json.loads(await read_result(job, "view.json"))
    groups = _filtered(view["groups"], request)
    return page(
        request,
        "report.html",
        job=job,
        view=view,
        groups=groups,
        hidden=sum(group["count"] for group in view["groups"]) - sum(group["count"] for group in groups),
        filters=_filters(view["groups"]),
        chosen=dict(request.query_params),
        profiles=PROFILES,
        given=await replies_of(job),
        has_geometry=job.path("geometry.json").exists(),
    )


def _filters(groups: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What findings can be filtered by, as far as there is a choice."""
    levels = {finding["level"] for group in groups for finding in group["findings"]}
    return {
        "level": [level for level in _LEVELS if level in levels],
        "family": sorted({group["family"] for group in groups}),
        "who": sorted({group["who"] for group in groups}),
    }


def _filtered(groups: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    """The groups that the address asks for."""
    wanted = {name: value for name in ("level", "family", "who", "rule") if (value := request.query_params.get(name))}
    return [group for group in groups if all(str(group[name]) == value for name, value in wanted.items())]


async def source(request: Request) -> Response:
    """Lines of the text round one of them, with the findings that stand there."""
    job = service_of(request).job(request)
    line = request.query_params.get("line", "1")
    if not line.isdigit() or len(line) > 12:
        raise Problem(400, "line is a number from 1")
    window = await window_of(job, int(line))
    view = json.loads(await read_result(job, "view.json"))
    marks: dict[int, list[dict[str, Any]]] = {}
    for group in view["groups"]:
        for finding in group["findings"]:
            if finding["line"] and window.first <= finding["line"] <= window.last:
                marks.setdefault(finding["line"], []).append({**finding, "rule": group["rule"]})
    return page(request, "source.html", job=job, view=view, window=window, line=int(line), marks=marks)


async def remove(request: Request) -> Response:
    """Stop a job and remove its files."""
    service = service_of(request)
    await service.remove(service.job(request))
    return RedirectResponse(f"{request.scope['root_path']}/", 303)


async def kept(request: Request) -> Response:
    """A file to keep: the report in one of its forms, the replies, the file itself."""
    service = service_of(request)
    job = service.job(request)
    what = PurePath(request.url.path).name
    content, name, media_type = await download(service, job, what)
    if what == "report.html" and "show" in request.query_params:
        # The page is one file with a style of its own, which its policy names by hash.
        policy = content_policy(service.config, STYLE_SOURCE.strip("'")) + "; sandbox"
        return Response(content, media_type=media_type, headers={"Content-Security-Policy": policy})
    return attachment(content, name, media_type)


async def again(request: Request) -> Response:
    """Judge the same file by another profile, as a report of its own."""
    service = service_of(request)
    job = service.job(request)
    form = await read_form(request, None, service.config.limits)
    new = await judged_again(service, job, form.text("profile", "auto"))
    await service.wait(new, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{new.id}", 303)


async def follow_links(request: Request) -> Response:
    """Follow the links of the file, as a report of its own."""
    service = service_of(request)
    job = service.job(request, "check")
    new = await judged_again(service, job, job.facts.get("profile", "auto"), follows=True)
    await service.wait(new, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{new.id}", 303)


ROUTES = [
    Route("/r/{id}", report),
    Route("/r/{id}/source", source),
    Route("/r/{id}/remove", remove, methods=["POST"]),
    Route("/r/{id}/again", again, methods=["POST"]),
    Route("/r/{id}/follow", follow_links, methods=["POST"]),
    *(Route(f"/r/{{id}}/{what}", kept, name=what) for what in KINDS),
]
