"""What all routes share: the configuration, the store of jobs, the pool of workers."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.requests import Request

from imgcif_core.web.config import Config
from imgcif_core.web.pool import Pool, Work
from imgcif_core.web.problems import Problem
from imgcif_core.web.store import Job, Store

_SWEEP_SECONDS = 15.0


class Service:
    """One running service; `open` and `close` are called by the application."""

    def __init__(self, config: Config) -> None:
        limits = config.limits
        self.config = config
        self.store = Store(config.folder, limits.keep_seconds)
        self.pool = Pool(config.workers, limits.memory, queued=limits.queued, per_client=limits.per_client)
        self.first: str = ""
        self._sweeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the workers, and what removes old jobs."""
        await self.pool.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """End everything and leave nothing."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        await self.pool.stop()
        await asyncio.to_thread(self.store.close)

    async def _sweep(self) -> None:
        keep = self.config.limits.keep_seconds
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, keep / 4 if keep else _SWEEP_SECONDS))
            for job in self.store.expired():
                self.store.drop(job)
            most = self.config.limits.store_bytes
            if most is not None:
                sizes = await asyncio.to_thread(self.store.sizes)
                for job in self.store.beyond(most, sizes):
                    await asyncio.to_thread(self.store.drop, job)

    def job(self, request: Request, kind: str = "") -> Job:
        """The job that a path names.

        Raises
        ------
        Problem
            404 if there is none, 410 if it has been removed.
        """
        return self.job_of(request.path_params["id"], kind)

    def job_of(self, name: str, kind: str = "") -> Job:
        """The job of an id; raises as `job`."""
        job = self.store.get(name)
        if job is not None and (not kind or job.kind == kind):
            return job
        if self.store.was(name):
            raise Problem(410, "this job has been removed with its files", state="expired")
        raise Problem(404, "there is no such job")

    def work(self, job: Job, task: str, given: Mapping[str, Any], seconds: float | None = None) -> Work:
        """A task for the folder of a job; where links are followed it has the time for that, too."""
        limits = self.config.limits
        seconds = seconds or limits.check_seconds
        if self.config.online:
            given = {**given, "network": self._network(job)}
            seconds += limits.online_seconds if job.facts.get("follow") else 0.0
        return Work(task, job.folder, given, seconds, job.client)

    def _network(self, job: Job) -> dict[str, Any]:
        """Whether the links of a job are followed, and within which bounds."""
        limits = self.config.limits
        return {
            "follow": bool(job.facts.get("follow")),
            "bytes": limits.download_bytes,
            "seconds": limits.online_seconds,
            "contact": self.config.operator.contact,
            "rsync": not self.config.is_public,
            "shared": str(self.store.root / "hosts"),
        }

    async def start(self, job: Job, task: str, given: Mapping[str, Any], seconds: float | None = None) -> Job:
        """Let the main task of a job begin; a job that the pool does not take is removed."""
        with self.store.kept_if_whole(job):
            job.work = await self.pool.submit(self.work(job, task, given, seconds))
        return job

    async def wait(self, job: Job, seconds: float) -> bool:
        """Wait for the end of the main task of a job: True if it has ended."""
        if job.work is None:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(job.work.ended.wait(), seconds)
        return job.work.ended.is_set()

    async def also(self, job: Job, task: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Do a further task on the folder of a job, and give its answer; raises `Problem`."""
        return await self.pool.run(self.work(job, task, given))

    async def remove(self, job: Job) -> None:
        """End the work on a job, and remove it."""
        if job.work is not None:
            await self.pool.cancel(job.work)
        await asyncio.to_thread(self.store.drop, job)


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def client_of(request: Request) -> str:
    """Who asks, as the limits count clients."""
    return str(request.scope.get("imgcif.client", ""))


def done_or_problem(job: Job) -> None:
    """Raise what went wrong with a job, or 409 while it is not done."""
    if job.work is None or job.work.state == "done":
        return
    if job.work.problem is not None:
        raise job.work.problem
    raise Problem(409, "the job is not done yet", retry=1, state=job.state)


async def read_result(job: Job, name: str) -> bytes:
    """A result of a job by its name.

    Raises
    ------
    Problem
        404 if the job has no such result.
    """
    done_or_problem(job)
    path: Path = job.path(name)
    try:
        return await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError:
        raise Problem(404, "this job has no such result") from None
