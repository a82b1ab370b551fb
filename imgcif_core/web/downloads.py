"""Files to keep, made when they are asked for the first time."""

import asyncio
from pathlib import PurePath

from imgcif_core.web.checking import given_of
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, done_or_problem, read_result
from imgcif_core.web.store import Job

KINDS = {
    "report.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "report.sarif": "application/sarif+json",
    "geometry.json": "application/json",
    "vrf.cif": "chemical/x-cif",
    "file.cif": "chemical/x-cif",
}
_BY_TASK = {"report.html": "html", "report.sarif": "sarif"}


async def download(service: Service, job: Job, what: str) -> tuple[bytes, str, str]:
    """The content, name and media type of a download.

    Raises
    ------
    Problem
        404 if there is no such one, 409 while the job is not done.
    """
    if what not in KINDS:
        raise Problem(404, "there is no such page")
    done_or_problem(job)
    if what in _BY_TASK and not job.path(what).exists():
        given = {**given_of(job, job.facts["profile"], job.facts["images"]), "format": _BY_TASK[what], "to": what}
        await service.also(job, "render", given)
    if what == "vrf.cif" and not job.path(what).exists():
        await service.also(job, "reply", given_of(job, job.facts["profile"], job.facts["images"]))
    stem = PurePath(job.facts.get("name", "file")).name.removesuffix(".gz").removesuffix(".bz2")
    base = stem.rpartition(".")[0] or stem
    if what == "file.cif":
        merged = job.path("merged.cif")
        path = merged if merged.exists() else job.path("text")
        return await asyncio.to_thread(path.read_bytes), stem, KINDS[what]
    return await read_result(job, what), f"{base}-{what}", KINDS[what]
