"""A table of all sources of the corpus: what is written, asked, refused, how true it is, and what is left out.

Run as `python -m create.corpus_table` in the folder `tests`, with the corpus where `IMGCIF_SHARED` says. Sources
that ask are created a second time with answers that fit no instrument in particular, so that errors, warnings and
the comparison with the source are told of them too; where one of these answers places the detector, no deviation
from the truth is given.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from create.truth import crystfel_corners, deviation, experiments_of, poses_of, truth_of
from shared import CORPUS

from imgcif_core import CheckOptions, check
from imgcif_core.create.loop import Creation, Wishes, create
from imgcif_core.errors import ImgcifError
from imgcif_core.findings import Severity
from imgcif_core.sources.statements import Fate

FOLDERS = ("expt", "cbf_mini", "cbf_full", "smv", "hdf5", "tiff", "xfel", "archive", "other", "imgcif")
ANSWERS = {
    "principal_axis": 3.0,
    "rotation_sense": "clockwise",
    "two_theta_axis": 3.0,
    "two_theta_sense": "clockwise",
    "first_pixel": "top left",
    "fast_direction": "horizontal",
    "beam_centre": (100.0, 100.0),
    "pixel_size": (0.1, 0.1),
    "size": (512, 512),
    "distance": 300.0,
    "wavelength": 1.0,
    "start": 0.0,
    "increment": 0.0,
    "frames": 1,
    "quadrants": ((11.4, 299.0), (-11.5, 8.0), (254.5, -16.0), (278.5, 275.0)),
    **{f"{name}_axis": "leave out" for name in ("omega", "kappa", "chi", "phi")},
}
_PLACING = {"first_pixel", "fast_direction", "beam_centre", "pixel_size", "size", "distance", "quadrants"}
_LONGEST = 90


def sources() -> Iterator[str]:
    """All files of the corpus that may be a source, by their path in it."""
    for folder in FOLDERS:
        yield from sorted(str(path.relative_to(CORPUS)) for path in (CORPUS / folder).rglob("*") if path.is_file())


def row(name: str, folder: Path, left_out: dict[str, dict[str, list[str]]]) -> list[str]:
    """One line of the table; what is left out is gathered by reason."""
    path = CORPUS / name
    try:
        made = create(path)
        plain = create(path, wishes=Wishes(knowledge=False))
    except ImgcifError as error:
        return [name, "refused: " + str(error).replace(f"{path}: ", "").replace(str(CORPUS), "")[:_LONGEST], *[""] * 7]
    asked = [entry.key for entry in made.needed]
    counts = [f"{len(one.needed)} + {len(one.questions) - len(one.needed)}" for one in (made, plain)]
    for reason, shown in _left_out(path):
        left_out.setdefault(reason, {}).setdefault(name, []).append(shown)
    result = f"asked {len(asked)}: {', '.join(asked)}" if asked else "written"
    if asked:
        with contextlib.suppress(ImgcifError):
            made = create(path, wishes=Wishes(answers={key: ANSWERS[key] for key in asked if key in ANSWERS}))
    report = made.report
    if report is None or not made.text:
        return [name, result, *counts, *[""] * 5]
    if report.count(Severity.ERROR):
        result = "not written: the source has errors"
    target = folder / "made.cif"
    target.write_text(made.text, encoding="utf-8")
    number = sum(1 for reason in left_out.values() for other in reason if other == name)
    return [
        name,
        result,
        *counts,
        _deviation(name, made, asked),
        f"{report.count(Severity.ERROR)}",
        f"{report.count(Severity.WARNING)}",
        _against(target, path),
        f"{str(made.witness).partition(':')[0].partition(',')[0]}; {number} reasons",
    ]


def _left_out(path: Path) -> Iterator[tuple[str, str]]:
    """Reason and name of each value that is left out."""
    from imgcif_core.sources.series import read_inputs

    for entry in read_inputs([str(path)]).statements:
        if entry.fate is Fate.LEFT_OUT:
            yield entry.reason, entry.place


def _deviation(name: str, made: Creation, asked: list[str]) -> str:
    """The largest deviation of a corner from the truth, in mm."""
    if _PLACING & set(asked):
        return "answered"
    try:
        truth = truth_of(name)
        if name.endswith(".geom"):
            (part,) = experiments_of(made.text)
            own = [panel.corners() for panel in part.scans[0].panels]
            return f"{abs(own - crystfel_corners(truth, None)).max():.1g}"
        found = deviation(made.text, list(poses_of(truth)), centres=name.startswith(("cbf_full", "imgcif")))
    except (OSError, KeyError, ValueError, AssertionError, TypeError):
        return "no truth"
    return f"{found.corners:.1g}"


def _against(target: Path, path: Path) -> str:
    """What a comparison with the source itself finds."""
    (report,) = check(target, options=CheckOptions(against=str(path), select=("CMP",))).files
    found = [entry.rule for entry in report.findings if str(entry.severity) != "info"]
    reasons = [entry.reason for entry in report.outcomes.not_checked if entry.rule.startswith("CMP")]
    return ", ".join(dict.fromkeys(found)) or (reasons[0].partition(": ")[2][:_LONGEST] if reasons else "same")


HEADS = (
    "source",
    "result",
    "asked (needed + other)",
    "without table",
    "corners off, mm",
    "errors",
    "warnings",
    "--against",
    "second reading; left out",
)


def main() -> None:
    """Print the table, then what is left out and why."""
    left_out: dict[str, dict[str, list[str]]] = {}
    lines = [list(HEADS), ["---"] * len(HEADS)]
    with tempfile.TemporaryDirectory() as folder:
        for name in sources():
            lines.append(row(name, Path(folder), left_out))
            print(" | ".join(["", *lines[-1], ""]).strip(), file=sys.stderr, flush=True)
    print("\n".join(" | ".join(["", *line, ""]).strip() for line in lines))
    for reason, by_source in sorted(left_out.items()):
        print(f"\n**{reason}**\n")
        for name, shown in by_source.items():
            print(f"- {name}: {', '.join(dict.fromkeys(shown))}")


if __name__ == "__main__":
    main()
