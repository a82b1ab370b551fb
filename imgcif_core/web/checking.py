"""How a check begins, for pages and for programs alike: uploads become a job."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request

from imgcif_core.checks.profiles import NAMES
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, client_of
from imgcif_core.web.store import Job
from imgcif_core.web.uploads import FORM, Form, Upload, body_to_file, clean_name, read_form

PROFILES = ("auto", *NAMES)
IMAGES = ("none", "header")


def chosen(what: str, value: str, among: Sequence[str]) -> str:
    """A value that is one of a list.

    Raises
    ------
    Problem
        400 if it is not.
    """
    if value not in among:
        raise Problem(400, f"{what} {value[:60]!r}: there are {', '.join(among)}")
    return value


async def form_job(service: Service, request: Request, kind: str = "check") -> tuple[Job, Form]:
    """A new job with the files of a form in its folder; without one if the form is refused."""
    limits = service.config.limits
    job = service.store.new(kind, client_of(request))
    total = limits.file_bytes + limits.sources_bytes
    with service.store.kept_if_whole(job):
        form = await read_form(request, job.inputs, limits, file_bytes=limits.file_bytes, total_bytes=total)
    return job, form


async def body_job(service: Service, request: Request, kind: str = "check") -> Job:
    """A new job with the raw body as its file."""
    job = service.store.new(kind, client_of(request))
    limits = service.config.limits
    with service.store.kept_if_whole(job):
        name = clean_name(request.query_params.get("name", "") or "upload.cif", limits.name_length)
        await body_to_file(request, job.inputs / name, limits.file_bytes, limits)
    job.facts.update(file=name, name=name)
    return job


def take_files(job: Job, form: Form, *, pasted: str = "") -> None:
    """Put the uploads of a form where the check looks for them.

    Raises
    ------
    Problem
        400 if there is nothing to check.
    """
    files = form.named("file")
    if files:
        job.facts.update(file=files[0].path.name, name=files[0].name)
    elif pasted.strip():
        (job.inputs / "pasted.cif").write_text(pasted, encoding="utf-8", newline="")
        job.facts.update(file="pasted.cif", name="pasted.cif")
    else:
        raise Problem(400, "choose a file, or paste the text of one")
    job.facts["against"] = _moved(form.named("source") + form.named("against"), job.inputs / "against")
    _moved(form.named("local"), job.inputs / "local")


def _moved(uploads: Sequence[Upload], folder: Path) -> list[str]:
    """Move uploads into a folder of their own; their names there."""
    if uploads:
        folder.mkdir()
    for upload in uploads:
        upload.path = upload.path.rename(folder / upload.path.name)
    return [upload.path.name for upload in uploads]


def given_of(job: Job, profile: str, images: str) -> dict[str, Any]:
    """What the task of a check is given; kept, so that later tasks judge alike."""
    job.facts.setdefault("against", [])
    job.facts.update(profile=chosen("profile", profile or "auto", PROFILES), images=chosen("images", images, IMAGES))
    return {name: job.facts[name] for name in ("file", "name", "profile", "images", "against")}


async def start_copy(service: Service, path: str, profile: str = "auto") -> Job:
    """Begin the check of a file of this computer, which is copied and not touched."""
    job = service.store.new("check", "")
    name = clean_name(Path(path).name)
    await asyncio.to_thread(shutil.copyfile, path, job.inputs / name)
    job.facts.update(file=name, name=name)
    return await service.start(job, "check", given_of(job, profile, "header"))


def follow(service: Service, job: Job, asked: str) -> None:
    """Put down that the links of a job are to be followed, if that is asked for.

    Raises
    ------
    Problem
        403 if this service does not use the network.
    """
    if asked.lower() in ("", "0", "no", "false"):
        return
    if not service.config.online:
        raise Problem(403, "this service does not use the network: links are followed by imgcif-check --online FILE")
    job.facts["follow"] = True


def is_form(request: Request) -> bool:
    """True if the body is a form with files."""
    return request.headers.get("content-type", "").lower().startswith(FORM)
