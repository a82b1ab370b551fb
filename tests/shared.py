"""Where the material beside the project lies, for tests that use it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("IMGCIF_SHARED", ROOT.parent / "shared"))
DICTIONARIES = SHARED / "dictionaries"
CORPUS = SHARED / "corpus"
EXAMPLE = ROOT / "examples" / "complete.cif"

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no real files in {CORPUS}")
needs_dictionaries = pytest.mark.skipif(not DICTIONARIES.is_dir(), reason=f"no dictionaries in {DICTIONARIES}")


def text_files() -> list[Path]:
    """The imgCIF and CBF files of the corpus, none where it is absent."""
    return sorted(path for folder in ("imgcif", "cbf_full", "cbf_mini") for path in (CORPUS / folder).glob("*"))
