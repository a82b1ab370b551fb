"""Answers that say what went wrong: problem details (RFC 9457) for programs, a page for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is not answered as asked: a status, one sentence, and where helpful more.

    `retry` are the seconds after which to try again; `more` are further members of the problem details.
    """

    def __init__(self, status: int, detail: str, *, title: str = "", retry: int | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.retry = retry
        self.more = more

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that come with it."""
        return {} if self.retry is None else {"Retry-After": str(self.retry)}

    def as_dict(self) -> dict[str, Any]:
        """The members of the problem details."""
        return {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail, **self.more}
