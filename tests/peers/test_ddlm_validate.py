"""cod-tools as a second opinion: each of its findings is ours too, or a reason says why it is none.

The binary sections of CBF files are taken out first, for it reads text only. `python
tests/peers/test_ddlm_validate.py` prints the counts.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import CORPUS, DICTIONARIES, EXAMPLE, ROOT, needs_corpus, needs_dictionaries

import imgcif_core
from imgcif_core import FileReport, Finding

pytestmark = [
    pytest.mark.peers,
    needs_dictionaries,
    pytest.mark.skipif(shutil.which("ddlm_validate") is None, reason="cod-tools is not installed"),
]


@dataclass(frozen=True)
class Kind:
    """One kind of message: its form, the rules that say the same, and why what is left is no fault."""

    pattern: str
    rules: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Note:
    """One message: kind, the item that it is about, and the value or second item."""

    kind: str
    item: str
    other: str
    text: str


KINDS = {
    "parse": Kind(r": ERROR, (.*)", ("SYN",)),
    "unknown name": Kind(r"definition of the '([^']+)' data item was not found", ("DIC001", "DIC002")),
    "state": Kind(r"data item '([^']+)' value '([^']*)' must be one of the enum", ("DIC006", "DIC007")),
    "range": Kind(r"data item '([^']+)' value '([^']*)' should be in range", ("DIC011",)),
    "link": Kind(r"data item '([^']+)' contains value '([^']*)' that was not found", ("REL001", "AXI001", "DIC015")),
    "absent parent": Kind(
        r"the '([^']+)' data item is required by the '([^']+)' data item",
        ("REL002", "REL006", "REL021", "DIC020"),
        "DDLm makes no parent table mandatory, and a null or an only row points to nothing that could be missing",
    ),
    "absent key": Kind(
        r"the '([^']+)' data item must be provided in the loop containing the \[([^\]]*)\]",
        ("REL005", "REL006", "DIC020"),
        "a table of one row needs no key to tell its rows apart",
    ),
    "looped set": Kind(
        r"data item '([^']+)' must not appear in a loop",
        ("DIC012",),
        "a Set may stand in a loop of one row, or of several rows that its keys tell apart",
    ),
    "repeated key": Kind(
        r"data items \['([^']+)'.*act as a composite loop key",
        ("REL004",),
        "the sections of one array have their own rows: the dictionary's key lacks the section (overlay)",
    ),
}


def text_of(path: Path) -> bytes:
    """A file with each binary section replaced by a question mark."""
    document = imgcif_core.read(path)
    data, parts, position = document.source.data, [], 0
    for section in document.sections:
        parts += [data[position : section.start], b"?"]
        position = section.end
    return b"".join([*parts, data[position:]])


def lines_about(path: Path) -> list[str]:
    """What ddlm_validate says about a file."""
    result = subprocess.run(
        ["ddlm_validate", "--dictionaries", str(DICTIONARIES / "cif_img.dic"), str(path)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "COD_TOOLS_DDLM_IMPORT_PATH": str(DICTIONARIES)},
    )
    return [line for line in (result.stdout + result.stderr).splitlines() if path.name in line]


def notes(path: Path) -> Iterator[Note]:
    """The messages about a file by their kinds; one of no known kind is an error of this test."""
    for line in lines_about(path):
        if "die on ERROR" in line:
            continue
        for name, kind in KINDS.items():
            match = re.search(kind.pattern, line)
            if match:
                yield Note(name, match[1], match[2] if match.lastindex == 2 else "", line)
                break
        else:
            raise AssertionError(f"a message of a new kind: {line}")


def is_ours(note: Note, report: FileReport) -> bool:
    """True if a finding of ours says the same."""
    kind = KINDS[note.kind]
    return any(finding.rule.startswith(kind.rules) and _is_about(finding, note) for finding in report.findings)


def _is_about(finding: Finding, note: Note) -> bool:
    """True if a finding names the item, or the same value that leads nowhere."""
    if note.kind == "parse":
        return True
    said = f"{finding.message} {finding.location.item or ''} {finding.reference}".lower()
    names = [note.item, note.other] if note.kind == "absent parent" else [note.item]
    same_value = note.kind == "link" and repr(note.other).lower() in said
    return same_value or any(name.lower() in said for name in names)


def compared(path: Path, folder: Path) -> list[tuple[Note, bool]]:
    """The messages about a real file, and whether they are ours too."""
    copy = folder / path.name.removesuffix(".gz")
    copy.write_bytes(text_of(path))
    (report,) = imgcif_core.check(path).files
    return [(note, is_ours(note, report)) for note in notes(copy)]


def real_files() -> list[Path]:
    """The files that both programs can judge."""
    return sorted([*(CORPUS / "imgcif").glob("*"), *(CORPUS / "cbf_full").glob("*")])


@needs_corpus
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_each_message_about_a_real_file_is_ours_or_has_its_reason(path: Path, tmp_path: Path) -> None:
    left = [note.text for note, ours in compared(path, tmp_path) if not ours and not KINDS[note.kind].reason]
    assert left == []


def test_the_complete_example_has_no_complaint_but_known_false_ones() -> None:
    # cod-tools knows neither implied keys nor keys that exist only as aliases, and follows links of nulls.
    false = ("measurement_device", "radiation_id", "_diffrn_measurement.device", "_exptl_crystal.id")
    left = [line for line in lines_about(EXAMPLE) if not any(name in line for name in false)]
    assert left == []


def test_the_faulty_example_is_refused_by_both() -> None:
    said = "\n".join(lines_about(ROOT / "examples" / "faulty.cif"))
    for fault in ("beam_line", "upward", "PANEL1"):
        assert fault in said


def main() -> None:
    """Print how many messages of each kind are ours, and why the others are no faults."""
    from tempfile import TemporaryDirectory

    counts: Counter[tuple[str, bool]] = Counter()
    with TemporaryDirectory() as folder:
        for path in real_files():
            counts.update((note.kind, ours) for note, ours in compared(path, Path(folder)))
    for name, kind in KINDS.items():
        print(f"{name:14} {counts[name, True]:4} ours, {counts[name, False]:4} explained. {kind.reason}")
    print(f"{'all':14} {sum(counts.values()):4}")


if __name__ == "__main__":
    main()
