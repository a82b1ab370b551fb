"""Repairs to choose from, each with its diff, and replies to alerts."""

import json
import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgcif_core.web.answers import page
from imgcif_core.web.mending import keep_replies, mended, repairs_of, replies_of
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import read_result, service_of
from imgcif_core.web.uploads import read_form

_PATIENCE = 5.0
_REPLY = re.compile(r"reply-([0-9]{1,9})\Z")


async def choose(request: Request) -> Response:
    """The repairs that the report offers; safe ones are ticked."""
    service = service_of(request)
    job = service.job(request)
    found = await repairs_of(service, job)
    view = json.loads(await read_result(job, "view.json"))
    return page(request, "fix.html", job=job, view=view, **found)


async def make(request: Request) -> Response:
    """Make the chosen repairs, and go to the report on the mended file."""
    service = service_of(request)
    job = service.job(request)
    form = await read_form(request, None, service.config.limits)
    chosen = [int(text) for text in form.texts.get("repair", []) if text.isdigit() and len(text) < 9]
    if not chosen:
        raise Problem(400, "no repair is chosen")
    new, _ = await mended(service, job, chosen)
    await service.wait(new, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{new.id}", 303)


async def replies(request: Request) -> Response:
    """Keep the replies that were typed beside the alerts."""
    service = service_of(request)
    job = service.job(request)
    form = await read_form(request, None, service.config.limits)
    view = json.loads(await read_result(job, "view.json"))
    places = {
        finding["number"]: (group["rule"], finding["block"])
        for group in view["groups"]
        for finding in group["findings"]
    }
    # A filter hides boxes: what was kept and is not shown stays.
    given = await replies_of(job)
    for name, texts in form.texts.items():
        match = _REPLY.match(name)
        place = places.get(int(match[1])) if match else None
        if place and place[1]:
            given[place] = texts[0]
    given = {place: response for place, response in given.items() if response.strip()}
    await keep_replies(service, job, [[rule, block, response] for (rule, block), response in given.items()])
    return RedirectResponse(f"{request.scope['root_path']}/r/{job.id}?replies={len(given)}", 303)


ROUTES = [
    Route("/r/{id}/fix", choose),
    Route("/r/{id}/fix", make, methods=["POST"]),
    Route("/r/{id}/replies", replies, methods=["POST"]),
]
