"""What the service knows: rules, profiles, versions, limits, and the description of this API."""

from dataclasses import asdict
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.checks.profiles import NAMES, Profile, load_profile
from imgcif_core.checks.registry import Rule, load_rules
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import service_of

_HERE = Path(__file__).parent.parent


def rule_of(code: str) -> Rule:
    """The rule of a code.

    Raises
    ------
    Problem
        404 if there is none.
    """
    rule = load_rules().get(code.upper())
    if rule is None:
        raise Problem(404, "no rule has that code")
    return rule


def profile_of(name: str) -> Profile:
    """The profile of a name, one of ours; raises as `rule_of`."""
    if name not in NAMES:
        raise Problem(404, "no profile has that name")
    return load_profile(name)


def _rule(rule: Rule) -> dict[str, str]:
    return {"code": rule.code, "name": rule.name, "severity": str(rule.severity), "source": rule.source}


async def rules(_request: Request) -> Response:
    """All rules in short."""
    return JSONResponse({"rules": [_rule(rule) for rule in load_rules().values()]})


async def rule(request: Request) -> Response:
    """One rule with its prose."""
    found = rule_of(request.path_params["code"])
    return JSONResponse({**_rule(found), "prose": found.prose})


def _profile(profile: Profile) -> dict[str, str]:
    return {"name": profile.name, "title": profile.title, "description": profile.description}


async def profiles(_request: Request) -> Response:
    """All profiles in short."""
    return JSONResponse({"profiles": [_profile(load_profile(name)) for name in NAMES]})


async def profile(request: Request) -> Response:
    """One profile with what it changes."""
    found = profile_of(request.path_params["name"])
    changes = {code: dict(change) for code, change in found.rules.items()}
    return JSONResponse({**_profile(found), "rules": changes, "replies": sorted(found.replies)})


async def info(request: Request) -> Response:
    """Versions, dictionaries and limits."""
    config = service_of(request).config
    return JSONResponse(
        {
            "name": "imgcif_core",
            "version": __version__,
            "schemas": ["imgcif-check-report/1", "imgcif-geometry/2", "imgcif-compare/1"],
            "dictionaries": [identity.as_dict() for identity in api.identities(load_bundled())],
            "online": config.online,
            "limits": asdict(config.limits),
        }
    )


@cache
def description() -> bytes:
    """The description of this API, OpenAPI 3.1."""
    return (_HERE / "openapi.json").read_bytes()


async def openapi(_request: Request) -> Response:
    """The description as it is written."""
    return Response(description(), media_type="application/json")


ROUTES = [
    Route("/api/v1/rules", rules),
    Route("/api/v1/rules/{code}", rule),
    Route("/api/v1/profiles", profiles),
    Route("/api/v1/profiles/{name}", profile),
    Route("/api/v1/info", info),
    Route("/api/v1/openapi.json", openapi),
]
