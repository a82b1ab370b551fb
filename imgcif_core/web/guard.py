"""What stands before every route: who may ask, how often, and the headers of every answer."""

import hmac
import logging
import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imgcif_core.web.answers import problem_response
from imgcif_core.web.config import LOOPBACK, Config
from imgcif_core.web.limits import Rate, client_of
from imgcif_core.web.problems import Problem

COOKIE = "imgcif_token"
_OPEN = ("/healthz", "/readyz")
MOST_AT_ONCE = 500
_UNCOUNTED = ("/static/", *_OPEN)
_FORM_TYPES = ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_LOG = logging.getLogger("imgcif.web")


class Guard:
    """Judges each request before it is routed, and writes the headers that all answers have."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app, self._config = app, config
        self._open = 0
        self._rate = Rate(config.limits.per_minute, config.limits.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        root = self._config.root_path
        path = scope["path"]
        scope = {**scope, "root_path": root}
        if root and path != root and not path.startswith(f"{root}/"):
            # A proxy that has taken the prefix off.
            scope["path"] = root + path
        inner = scope["path"].removeprefix(root) or "/"
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        client = client_of(peer, headers.get("x-forwarded-for", ""), self._config.trusted_proxies)
        scope["imgcif.client"] = client
        self._open += 1
        began = time.monotonic()
        told = {"status": 0, "size": 0}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                add_headers(MutableHeaders(scope=message), self._config, inner)
            elif message["type"] == "http.response.body":
                told["size"] += len(message.get("body", b""))
            await send(message)

        request = Request(scope)
        try:
            answer = self._judge(request, inner, client)
        except Problem as problem:
            answer = problem_response(request, problem)
        try:
            await (answer or self._app)(scope, receive, guarded)
        finally:
            self._open -= 1
        route = inner.split("/")[1] if inner.count("/") else ""
        seconds = time.monotonic() - began
        _LOG.info("%s /%s %d %d %.3f", scope["method"], route[:20], told["status"], told["size"], seconds)

    def _judge(self, request: Request, path: str, client: str) -> Response | None:
        """An answer instead of that of the route, or nothing.

        Raises
        ------
        Problem
            If the request is refused.
        """
        if self._open > MOST_AT_ONCE and path not in _OPEN:
            raise Problem(503, "too many requests at once; try again in a moment", retry=5)
        if self._config.token or path not in _OPEN:
            # Who asks how the service is asks by the address that the machine itself has.
            self._refuse_host(request)
        self._refuse_origin(request, path)
        if not path.startswith(_UNCOUNTED):
            wait = self._rate.wait(client)
            if wait:
                detail = f"more than {self._config.limits.per_minute} requests a minute"
                raise Problem(429, detail, retry=int(wait) + 1)
        if self._config.token and path not in _OPEN:
            return self._admit(request)
        return None

    def _refuse_host(self, request: Request) -> None:
        """Refuse names that other sites may point at this computer, and ones that are not of this service."""
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        known = LOOPBACK if self._config.token else self._config.hosts
        if known and host not in known:
            raise Problem(421, "this service does not answer to that host name")

    def _refuse_origin(self, request: Request, path: str) -> None:
        """Refuse requests that change something and come from the page of somebody else."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if path.startswith("/api/") and kind not in _FORM_TYPES and "origin" not in request.headers:
            return
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "")
        # Without a referrer, plain forms of our own pages come from the origin null; no page can forge the site.
        is_own_form = origin == "null" and site == "same-origin"
        if origin is not None and not is_own_form and urlsplit(origin).netloc != request.headers.get("host", ""):
            raise Problem(403, "the request comes from the page of another site")
        if site not in ("", "same-origin", "none"):
            raise Problem(403, "the request comes from the page of another site")

    def _admit(self, request: Request) -> Response | None:
        """Let in who has the token; who brings it in the address gets it as a cookie."""
        token = self._config.token
        given = request.query_params.get("token", "")
        if given and hmac.compare_digest(given.encode(), token.encode()):
            kept = [(name, value) for name, value in parse_qsl(request.url.query) if name != "token"]
            query = f"?{urlencode(kept)}" if kept else ""
            answer = RedirectResponse(request.scope["path"] + query, 303)
            answer.set_cookie(COOKIE, token, path=self._config.root_path or "/", httponly=True, samesite="strict")
            return answer
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if any(hmac.compare_digest(text.encode(), token.encode()) for text in (_cookie(request), bearer) if text):
            return None
        raise Problem(403, "open the address that imgcif serve has printed: it holds the key to this page")


def add_headers(headers: MutableHeaders, config: Config, path: str = "") -> None:
    """The headers of every answer; a route may state a policy of its own for what it embeds."""
    headers.setdefault("Content-Security-Policy", content_policy(config))
    headers["X-Content-Type-Options"] = "nosniff"
    # With no-referrer, browsers would send the origin null with our own forms, which over plain http nothing tells
    # from those of others; no other site is told anything by this policy either.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")


def content_policy(config: Config, style_hash: str = "") -> str:
    """What a page may load: our own scripts and styles, and one style within the page by its hash."""
    style = f"'self' '{style_hash}'" if style_hash else "'self'"
    ancestors = " ".join(config.frame_ancestors) or "'none'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )


def _cookie(request: Request) -> str:
    """The token that a browser sends."""
    try:
        held = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return ""
    return held[COOKIE].value if COOKIE in held else ""
