"""Imports go down the layers only, and command-line output stays in the command line."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "imgcif_core"
LAYERS = {
    "records": -1,
    "arrays": -1,
    "findings": 0,
    "errors": 0,
    "_version": 0,
    "formats": 0,
    "limits": 1,
    "inputs": 2,
    "memory": 2,
    "output": 1,
    "cif": 3,
    "ddlm": 4,
    "tables": 5,
    "model": 6,
    "derive": 6,
    "net": 7,
    "images": 6,
    "sources": 7,
    "compare": 8,
    "spots": 8,
    "checks": 9,
    "render": 9,
    "api": 10,
    "__init__": 10,
    "show": 11,
    "create": 11,
    "export": 11,
    "manifest": 11,
    "repair": 11,
    "batch": 11,
    "conformance_run": 11,
    "testing": 11,
    "web": 12,
    "dxtbx_format": 12,
    "pytest_plugin": 12,
    "commands": 13,
    "cli": 14,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_packages(path: Path) -> set[str]:
    """The parts of this package that a module imports, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "imgcif_core" and len(parts) > 1:
                found.add(parts[1] if parts[1] in LAYERS else "__init__")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_the_layers(path: Path) -> None:
    own = package_of(path)
    assert own in LAYERS, f"{own} has no place in the table of layers"
    upward = {name for name in imported_packages(path) if name != own and LAYERS[name] >= LAYERS[own]}
    assert not upward, f"{own} imports {sorted(upward)}, which lies above it or beside it"


def test_the_page_of_the_architecture_has_every_part() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([-\d, ]+) \| (`.*?`) \|", page, re.M)
    shown = {name.rstrip("/"): levels for levels, names in rows for name in re.findall(r"`([^`]+)`", names)}
    assert set(shown) == set(LAYERS) - {"_version", "__init__"}
    for name, levels in shown.items():
        assert str(LAYERS[name]) in levels.split(", "), name


def test_render_imports_layer_0_only() -> None:
    for path in (PACKAGE / "render").rglob("*.py"):
        assert all(LAYERS[name] <= 0 or name == "render" for name in imported_packages(path)), path.name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_engine_catches_everything(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and path.name not in ("engine.py", "plugins.py"):
            names = [name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)] if node.type else [""]
            assert not {"Exception", "BaseException", ""} & set(names), f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and path.name != "cli.py":
            assert node.func.id != "print", f"line {node.lineno}"


def test_the_package_shows_a_small_surface() -> None:
    import imgcif_core

    public = [name for name in imgcif_core.__all__ if not name.startswith("_")]
    assert len(public) <= 17
    for name in public:
        assert getattr(imgcif_core, name).__doc__


def imported_modules(path: Path) -> set[Path]:
    """The modules of this package that a module imports, lazily, for types alone or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("imgcif_core."):
            whole = PACKAGE.joinpath(*node.module.split(".")[1:])
            parts = [(whole / alias.name).with_suffix(".py") for alias in node.names]
            found |= {part if part.exists() else whole.with_suffix(".py") for part in parts}
    return {module for module in found if module.exists()}


def test_no_module_imports_itself_through_others() -> None:
    imports = {path: imported_modules(path) for path in MODULES}
    while True:
        ends = {path for path, needed in imports.items() if not needed & imports.keys()}
        if not ends:
            break
        imports = {path: needed for path, needed in imports.items() if path not in ends}
    assert not [str(path.relative_to(PACKAGE)) for path in imports]
