"""How a creation goes on, for pages and for programs alike: uploads and answers become a job, then its state."""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from starlette.requests import Request

from imgcif_core.create.questions import keys
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, client_of, done_or_problem, read_result
from imgcif_core.web.store import Job
from imgcif_core.web.uploads import Form, clean_name, read_form

_LONGEST_ANSWER = 20_000
INDEX, PIECES = "heads", "pieces"


async def new_creation(service: Service, request: Request) -> tuple[Job, Form]:
    """A job with the uploads of a form, not begun.

    Raises
    ------
    Problem
        If the form is refused, or brings nothing to read.
    """
    limits = service.config.limits
    job = service.store.new("create", client_of(request))
    with service.store.kept_if_whole(job):
        form = await read_form(
            request,
            job.inputs,
            limits,
            file_bytes=limits.sources_bytes,
            total_bytes=limits.sources_bytes,
            parts=limits.sources_files,
        )
        _take(job, form)
    return job, form


def _take(job: Job, form: Form) -> None:
    """Put down which uploads are what."""
    index, pieces = form.named(INDEX), form.named(PIECES)
    if len(index) > 1 or len(pieces) > 1 or (pieces and not index):
        raise Problem(400, "heads come as one index `heads` and one file `pieces`")
    if index and not pieces:
        # An index of names alone has nothing to follow it.
        empty = job.inputs / "no-pieces"
        empty.touch()
        pieces_name = empty.name
    else:
        pieces_name = pieces[0].path.name if pieces else ""
    order = [upload.path.name for upload in form.named("inputs")]
    for upload in form.files:
        if not upload.size:
            upload.path.unlink(missing_ok=True)
    if not order and not index:
        raise Problem(400, "nothing to read: choose images, a master, an experiment list or a geometry")
    job.facts.update(order=order, heads=index[0].path.name if index else "", pieces=pieces_name, answers={})
    job.facts["name"] = order[0] if order else "the headers of images"


def taken_answers(given: Mapping[str, Any]) -> dict[str, str]:
    """Answers by key, as texts.

    Raises
    ------
    Problem
        400 for a key that no question has, or an answer that is too long.
    """
    known, found = keys(), {}
    for key, value in given.items():
        if key not in known:
            raise Problem(400, f"no question has the key {str(key)[:60]!r}; there are {', '.join(known)}")
        text = value if isinstance(value, str) else json.dumps(value)
        if len(text) > _LONGEST_ANSWER:
            raise Problem(400, f"the answer {key} has {len(text)} characters; at most {_LONGEST_ANSWER}")
        found[key] = text
    return found


async def begin(service: Service, job: Job, answers: Mapping[str, str], *, anew: bool = False) -> None:
    """Let a step begin with answers added to those before; an empty one takes an answer back.

    Raises
    ------
    Problem
        409 while the step before is not done.
    """
    if not anew and job.state in ("queued", "running"):
        raise Problem(409, "the answers before are still being worked on", retry=1)
    kept = {**job.facts["answers"], **answers}
    job.facts["answers"] = {key: text for key, text in kept.items() if text.strip()}
    limits = service.config.limits
    given = {name: job.facts[name] for name in ("order", "heads", "pieces", "answers")}
    given |= {"files": limits.sources_files, "bytes": limits.sources_bytes}
    work = service.work(job, "create", given, limits.create_seconds)
    if anew:
        await service.start(job, "create", given, limits.create_seconds)
    else:
        job.work = await service.pool.submit(work)


async def state_of(job: Job) -> dict[str, Any]:
    """What there is to say of a creation whose step is done."""
    done_or_problem(job)
    told: dict[str, Any] = json.loads(await read_result(job, "state.json"))
    return told


async def created(job: Job, *, is_forced: bool) -> tuple[bytes, str]:
    """The text that was made, and a name for it.

    Raises
    ------
    Problem
        409 if there is none yet, or the checker found errors in it and nobody said that they are known.
    """
    state = await state_of(job)
    if not job.path("created.cif").exists():
        raise Problem(409, f"nothing is made yet: {state['needed']} needed answers are open")
    if not state["is_sound"] and not is_forced:
        errors = state["counts"].get("error", 0)
        raise Problem(
            409, f"the checker found {errors} errors; it is given only to those who say that they know (force)"
        )
    stem = PurePath(state["inputs"]["names"][0]).name.partition(".")[0]
    return await read_result(job, "created.cif"), f"{clean_name(stem)}.cif"
