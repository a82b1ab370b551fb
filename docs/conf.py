"""The documentation site: `sphinx-build -W docs build/site`. The pages of rules are made when it is built."""

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import rulepages  # noqa: E402

from imgcif_core import __version__  # noqa: E402

project = "imgcif_core"
copyright = "the imgcif_core developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"imgcif_core {__version__}"
# Its place in the site is taken by a page for each rule.
exclude_patterns = ["rules.md"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]*)\)")


def read_source(app: Any, name: str, source: list[str]) -> None:
    """Links that leave the site name the file in the source tree; the page of all rules is that of the site."""
    text = _OUTSIDE.sub(lambda found: f"{found[1]} (`{found[2]}` of the source)", source[0])
    source[0] = text.replace("](rules.md", "](_rules/index.md")


def setup(app: Any) -> dict[str, bool]:
    """Make the pages of rules before the sources are looked for."""
    app.connect("builder-inited", lambda _: rulepages.write(HERE / "_rules"))
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True}
