"""How repairs and replies begin, for pages and for programs alike."""

import asyncio
import json
import os
import re
import shutil
from typing import Any

from imgcif_core.web.checking import follow, given_of
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import Service, done_or_problem, read_result
from imgcif_core.web.store import Job
from imgcif_core.web.tasks.common import TAPE

_RESULTS_OF_REPLIES = ("report.html", "vrf.cif", "merged.cif", "replies.json")
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{2,5}\Z")
_LONGEST_REPLY = 10_000


def same_again(job: Job) -> dict[str, Any]:
    """What a further task on a checked job is given."""
    done_or_problem(job)
    if "file" not in job.facts:
        raise Problem(409, "this job holds no file that was checked")
    return given_of(job, job.facts["profile"], job.facts["images"])


async def repairs_of(service: Service, job: Job) -> dict[str, Any]:
    """The repairs that the report of a job offers."""
    if not job.path("repairs.json").exists():
        await service.also(job, "fix", {**same_again(job), "apply": None})
    found: dict[str, Any] = json.loads(await read_result(job, "repairs.json"))
    return found


def wanted(text: str) -> str | list[str]:
    """What `apply` asks for: safe, or codes of rules.

    Raises
    ------
    Problem
        400 if it is neither.
    """
    if text == "safe":
        return text
    codes = [code.strip().upper() for code in text.split(",") if code.strip()]
    if not codes or not all(_CODE.match(code) for code in codes):
        raise Problem(400, f"apply {text[:60]!r}: say safe, or codes of rules with commas between")
    return codes


async def mended(service: Service, job: Job, apply: Any) -> tuple[Job, dict[str, Any]]:
    """A new job with the mended file, whose check has begun, and what was made."""
    await service.also(job, "fix", {**same_again(job), "apply": apply})
    made: dict[str, Any] = json.loads(await read_result(job, "mended.json"))
    new = service.store.new("check", job.client)
    with service.store.kept_if_whole(new):
        await asyncio.to_thread(_fill, job, new)
        new.facts.update(job.facts, name=_unpacked(job.facts["name"]), mended_from=job.id, made=len(made["made"]))
        await service.start(new, "check", same_again_of(new))
    return new, made


async def judged_again(service: Service, job: Job, profile: str, *, follows: bool = False) -> Job:
    """A new job that checks the same file by another profile, or with its links followed now."""
    same_again(job)
    new = service.store.new("check", job.client)
    with service.store.kept_if_whole(new):
        await asyncio.to_thread(_link_all, job, new)
        new.facts.update(job.facts)
        if follows:
            await asyncio.to_thread(shutil.rmtree, new.path(TAPE), ignore_errors=True)
            follow(service, new, "yes")
        await service.start(new, "check", given_of(new, profile, job.facts["images"]))
    return new


def same_again_of(new: Job) -> dict[str, Any]:
    """What the check of a mended file is given: as its first one."""
    return given_of(new, new.facts["profile"], new.facts["images"])


def _fill(job: Job, new: Job) -> None:
    """Put the mended file and what was beside the first one into a new folder."""
    os.replace(job.path("mended"), new.inputs / job.facts["file"])
    _link_beside(job, new)


def _link_all(job: Job, new: Job) -> None:
    """Put the file and what was beside it into a new folder."""
    os.link(job.inputs / job.facts["file"], new.inputs / job.facts["file"])
    _link_beside(job, new)


def _link_beside(job: Job, new: Job) -> None:
    """Put what was beside the file into a new folder."""
    for name in ("against", "local"):
        if (job.inputs / name).is_dir():
            shutil.copytree(job.inputs / name, new.inputs / name, copy_function=_link)
    # What servers have answered holds for the same links.
    if job.path(TAPE).is_dir():
        shutil.copytree(job.path(TAPE), new.path(TAPE), copy_function=_link)


def _link(one: str, other: str) -> None:
    """The same file in another folder of ours; uploads are only read."""
    os.link(one, other)


def _unpacked(name: str) -> str:
    """The name of the mended file, which is not packed."""
    return str(name).removesuffix(".gz").removesuffix(".bz2")


async def keep_replies(service: Service, job: Job, replies: list[list[str]]) -> dict[str, Any]:
    """Write the replies of an author into the form and the file of a job; without any, take them back.

    Raises
    ------
    Problem
        413 if a reply is longer than a letter, 422 if one answers to no alert.
    """
    if any(len(response) > _LONGEST_REPLY for _, _, response in replies):
        raise Problem(413, f"a reply has more than {_LONGEST_REPLY} characters")
    given = same_again(job)
    for name in _RESULTS_OF_REPLIES:
        job.path(name).unlink(missing_ok=True)
    return await service.also(job, "reply", {**given, "replies": replies})


async def replies_of(job: Job) -> dict[tuple[str, str], str]:
    """The replies that a job keeps, by rule and block."""
    if not job.path("replies.json").exists():
        return {}
    return {(rule, block): response for rule, block, response in json.loads(await read_result(job, "replies.json"))}
