"""The road from raw data to an imgCIF: sources, questions, links, result; all of it works without script."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgcif_core.create.questions import question
from imgcif_core.web.answers import attachment, page
from imgcif_core.web.checking import given_of
from imgcif_core.web.creating import begin, created, new_creation, state_of, taken_answers
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import client_of, service_of
from imgcif_core.web.store import Job
from imgcif_core.web.uploads import Form, read_form

# So long a page waits for a result before it shows that it is waiting.
_PATIENCE = 3.0
_PREFIX = "answer."
LINK_KEYS = ("archive_url", "url_base", "root", "doi")
# Which picture goes with a question.
_PICTURES = {"first_pixel": "corners", "fast_direction": "directions", "beam_centre": "centre"}
_PICTURES |= {"rotation_sense": "senses", "two_theta_sense": "senses"}
_PICTURES |= {f"{name}_axis": "clock" for name in ("principal", "two_theta", "omega", "kappa", "chi", "phi")}


async def sources(request: Request) -> Response:
    """The page on which files are chosen."""
    return _sources(request)


def _sources(request: Request, problem: Problem | None = None) -> Response:
    limits = service_of(request).config.limits
    return page(request, "create.html", problem.status if problem else 200, limits=limits, problem=problem)


async def start(request: Request) -> Response:
    """Take the files and go to the questions."""
    service = service_of(request)
    try:
        job, _ = await new_creation(service, request)
    except Problem as problem:
        return _sources(request, problem)
    await begin(service, job, {}, anew=True)
    await service.wait(job, _PATIENCE)
    return _to(request, job)


def _to(request: Request, job: Job, place: str = "") -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/create/{job.id}{place}", 303)


async def creation(request: Request) -> Response:
    """Questions, links and result of one creation, or the page that waits for them."""
    service = service_of(request)
    job = service.job(request, "create")
    if job.work is not None and job.state in ("queued", "running"):
        return page(request, "waiting.html", job=job, work=job.work, position=service.pool.position(job.work))
    if job.work is not None and job.work.problem is not None:
        # Sources that cannot be read end it; so said where other files can be chosen.
        return _sources(request, job.work.problem)
    return _shown(request, job, await state_of(job))


def _shown(request: Request, job: Job, state: Mapping[str, Any]) -> Response:
    """The page of a state."""
    is_open = {entry["key"]: entry for entry in state["questions"]}
    asked = [_with_picture(entry) for key, entry in is_open.items() if key not in LINK_KEYS]
    given = [
        _answer(key, text) for key, text in state["answers"].items() if key not in is_open and key not in LINK_KEYS
    ]
    roots = is_open.get("root", {}).get("choices", [])
    return page(
        request,
        "creation.html",
        job=job,
        state=state,
        needed=[entry for entry in asked if entry["is_needed"]],
        optional=[entry for entry in asked if not entry["is_needed"]],
        given=given,
        roots=roots,
        answers=state["answers"],
        refused=state["refused"],
        has_file=job.path("created.cif").exists(),
        hours=[f"{hour}:00" for hour in range(1, 13)],
    )


def _with_picture(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "picture": _PICTURES.get(entry["key"], "")}


def _answer(key: str, text: str) -> dict[str, Any]:
    """An answer that was taken, with its question in short."""
    words = " ".join(question(key).text.split())
    return {"key": key, "text": text, "question": words}


async def answer(request: Request) -> Response:
    """Take answers, and show what they lead to."""
    service = service_of(request)
    job = service.job(request, "create")
    form = await read_form(request, None, service.config.limits)
    answers = taken_answers({key.removeprefix(_PREFIX): text for key, text in _fields(form).items()})
    await begin(service, job, answers)
    await service.wait(job, _PATIENCE)
    return _to(request, job)


def _fields(form: Form) -> dict[str, str]:
    """The fields that hold answers; the two addresses of archives are one."""
    # What is typed goes before what was proposed, which stands before it in the form.
    found = {
        key: next((text.strip() for text in reversed(texts) if text.strip()), "")
        for key, texts in form.texts.items()
        if key.startswith(_PREFIX)
    }
    if "first_url" in form.texts:
        urls = " ".join(text for name in ("first_url", "second_url") if (text := form.text(name).strip()))
        is_folder = form.text("place") == "folder"
        found[f"{_PREFIX}archive_url"] = "" if is_folder else urls
        found[f"{_PREFIX}url_base"] = urls if is_folder else ""
    if "withdraw" in form.texts:
        found = {f"{_PREFIX}{form.text('withdraw')}": ""}
    return found


async def file(request: Request) -> Response:
    """The imgCIF to keep; with errors in it only for those who say that they know."""
    job = service_of(request).job(request, "create")
    content, name = await created(job, is_forced=request.query_params.get("force") == "yes")
    return attachment(content, name, "chemical/x-cif")


async def answers_file(request: Request) -> Response:
    """The answers as a file for `imgcif create --answers`."""
    from imgcif_core.create.kept import answers_text

    job = service_of(request).job(request, "create")
    text = answers_text(job.facts["answers"], dict(job.facts["answers"]))
    return attachment(text, "answers.toml", "application/toml")


async def check(request: Request) -> Response:
    """Open what was made in the checker, as any other file."""
    service = service_of(request)
    job = service.job(request, "create")
    content, name = await created(job, is_forced=True)
    other = service.store.new("check", client_of(request))
    (other.inputs / name).write_bytes(content)
    other.facts.update(file=name, name=name)
    await service.start(other, "check", given_of(other, "auto", "header"))
    await service.wait(other, _PATIENCE)
    return RedirectResponse(f"{request.scope['root_path']}/r/{other.id}", 303)


async def remove(request: Request) -> Response:
    """Stop a creation and remove its files."""
    service = service_of(request)
    await service.remove(service.job(request, "create"))
    return RedirectResponse(f"{request.scope['root_path']}/create", 303)


ROUTES = [
    Route("/create", sources),
    Route("/create", start, methods=["POST"]),
    Route("/create/{id}", creation),
    Route("/create/{id}", answer, methods=["POST"]),
    Route("/create/{id}/file.cif", file),
    Route("/create/{id}/answers.toml", answers_file),
    Route("/create/{id}/check", check, methods=["POST"]),
    Route("/create/{id}/remove", remove, methods=["POST"]),
]
