"""The rules and the profiles, from the registry and their cases."""

import html
import re
from collections.abc import Iterator

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imgcif_core.checks.examples import examples_of
from imgcif_core.checks.profiles import NAMES, load_profile
from imgcif_core.checks.registry import Rule, load_rules
from imgcif_core.web.answers import page
from imgcif_core.web.api.about import profile_of, rule_of

_CODE = re.compile(r"\b[A-Z]{3}[0-9]{3}\b")


def linked(text: str, root: str) -> Markup:
    """Prose in which the codes of rules are links."""
    known = load_rules()

    def link(match: re.Match[str]) -> str:
        code = match[0]
        return f'<a href="{html.escape(root)}/rules/{code}">{code}</a>' if code in known else code

    return Markup(_CODE.sub(link, html.escape(text)))


async def rules(request: Request) -> Response:
    """All rules by family."""
    families: dict[str, list[Rule]] = {}
    for rule in load_rules().values():
        families.setdefault(rule.code[:3], []).append(rule)
    return page(request, "rules.html", families=families)


async def rule(request: Request) -> Response:
    """One rule: its prose, and what profiles make of it."""
    found = rule_of(request.path_params["code"])
    root = request.scope["root_path"]
    prose = {head: linked(text, root) for head, text in found.prose.items()}
    return page(
        request,
        "rule.html",
        rule=found,
        prose=prose,
        changes=list(_changes(found.code)),
        examples=list(examples_of(found.code)),
    )


def _changes(code: str) -> Iterator[tuple[str, str]]:
    """The profiles that judge a rule otherwise, and how."""
    for name in NAMES:
        profile = load_profile(name)
        if not profile.is_active(code):
            yield name, "left out"
        elif profile.rules.get(code):
            changed = profile.rules[code]
            values = set(changed.values())
            words = [f"{old} becomes {new}" for old, new in changed.items()]
            yield name, next(iter(values)) if len(changed) > 1 and len(values) == 1 else ", ".join(words)


async def profile(request: Request) -> Response:
    """One profile: what it is for and what it changes."""
    found = profile_of(request.path_params["name"])
    changes = [(code, sorted(set(levels.values()))) for code, levels in sorted(found.rules.items())]
    known = load_rules()
    return page(request, "profile.html", profile=found, changes=changes, known=known, names=NAMES)


ROUTES = [
    Route("/rules", rules),
    Route("/rules/{code}", rule),
    Route("/profiles/{name}", profile),
]
