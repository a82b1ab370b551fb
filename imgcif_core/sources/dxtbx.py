"""Every format that dxtbx knows: its models, fetched as a list of experiments from where dxtbx lives.

dxtbx is imported here if it can be; else a Python that has it is asked: `dials.python`, or the one
that the environment variable IMGCIF_DXTBX_PYTHON names.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imgcif_core.errors import InputError
from imgcif_core.sources.description import Experiment, Origin, Provenance

KIND = "dxtbx"
VARIABLE = "IMGCIF_DXTBX_PYTHON"
_PYTHONS = ("dials.python", "libtbx.python", "cctbx.python", "/usr/bin/python3", "python3")
_SECONDS = 900
_SCRIPT = """
import json, sys
from dxtbx.model.experiment_list import ExperimentListFactory
found = ExperimentListFactory.from_filenames(sys.argv[1:], load_models=True)
sys.stdout.write("\\n=====\\n" + json.dumps(found.to_dict()))
"""


def find_python() -> str | None:
    """A Python in which dxtbx can be imported; None if there is none."""
    named = os.environ.get(VARIABLE)
    for candidate in (named,) if named else (sys.executable, *_PYTHONS):
        path = shutil.which(candidate) if candidate else None
        if path and _has_dxtbx(path):
            return path
    return None


def _has_dxtbx(python: str) -> bool:
    """True if a Python finds dxtbx."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('dxtbx') is None)"
    try:
        return _run(python, code, seconds=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(python: str, code: str, *names: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run code with absolute names of files in a folder from which no module of a stranger is imported.

    Older Pythons know no safe path, so that it runs where its own program lies.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [python, "-c", code, *names],
        capture_output=True,
        text=True,
        timeout=seconds,
        errors="replace",
        env=environment,
        cwd=Path(python).parent if Path(python).is_absolute() else None,
    )


def read_dxtbx(path: str | Path, others: Sequence[str] = ()) -> Experiment:
    """The experiment that dxtbx finds in an image or master, or in several images.

    Raises
    ------
    InputError
        If no Python has dxtbx, or dxtbx cannot read the file.
    """
    python = find_python()
    if python is None:
        raise InputError(
            f"{path}: not a format that is read here, and no dxtbx was found to read it; "
            f"set {VARIABLE} to a Python that has it"
        )
    from imgcif_core.sources.expt import describe

    names = [str(Path(name).resolve()) for name in (path, *others)]
    try:
        run = _run(python, _SCRIPT, *names, seconds=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{path}: dxtbx did not answer ({error})") from None
    _, mark, text = run.stdout.rpartition("\n=====\n")
    if run.returncode or not mark:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"{path}: dxtbx cannot read it - {reason[:200]}")
    experiment = describe(json.loads(text), str(path))
    known = {name: Provenance(Origin.KNOWLEDGE, "dxtbx", str(path)) for name in experiment.provenance}
    return replace(experiment, kind="dials", provenance=known)
