"""What packagers and public services read agrees with the project."""

import re
import tomllib
from pathlib import Path

import imgcif_core

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = (ROOT / "deploy" / "conda" / "meta.yaml").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")


def words(requirement: str) -> tuple[str, str]:
    found = re.fullmatch(r"([\w-]+)\s*(>=[\d.]+)", requirement.strip())
    assert found, requirement
    return found[1], found[2]


def test_the_recipe_has_version_and_needs_of_the_project() -> None:
    assert f'version = "{imgcif_core.__version__}"' in RECIPE
    section = RECIPE.split("  run:\n")[1].split("  run_constrained:")[0]
    needs = {words(line.strip(" -")) for line in section.splitlines() if line.strip()}
    wanted = {words(entry) for entry in PROJECT["dependencies"]}
    assert needs == wanted | {("python", PROJECT["requires-python"])}
    for name, target in PROJECT["scripts"].items():
        assert f"- {name} = {target}\n" in RECIPE


def test_limits_of_the_recipe_are_those_of_the_extras() -> None:
    extras = {
        words(entry) for extra in ("images", "online", "web") for entry in PROJECT["optional-dependencies"][extra]
    }
    section = RECIPE.split("  run_constrained:\n")[1].split("\ntest:")[0]
    limits = {words(line.strip(" -")) for line in section.splitlines() if line.strip()}
    assert limits <= extras


def test_public_runs_use_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"\.venv/bin/(python -m pytest.*)", readme)
    assert f"- run: {command}\n" in WORKFLOW
    assert f".venv/bin/{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    versions = re.findall(r'"(3\.\d+)"', WORKFLOW.split("python-version: [")[1].split("]")[0])
    assert f">={versions[0]}" == PROJECT["requires-python"]
