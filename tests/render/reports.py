"""Reports made by hand, for the tests of all formats."""

from typing import Any

from imgcif_core.findings import (
    Blockage,
    DictionaryIdentity,
    Edit,
    FileReport,
    Finding,
    Location,
    Outcomes,
    Report,
    Severity,
    Span,
    Unchecked,
)

# What a file may hold to attack whatever shows it: colour and title sequences of terminals, their
# one-character forms, NUL, a change of the writing direction, markup, workflow commands, lone surrogates.
ATTACK = "\x1b[2J\x1b]0;x\x07\x9b31m\x00\r\n::error::x ##[error]y \u202e<script>'\"&]]>\ud800\ufffe\x7f"
DICTIONARY = DictionaryIdentity("CIF_IMG", "1.8.9", "2026-05-14", "d" * 64, "bundled")


def at(line: int, column: int, length: int = 1, **place: Any) -> Location:
    return Location(span=Span(line, column, line, column + length), **place)


def finding(
    rule: str = "AXI002", severity: Severity = Severity.ERROR, message: str = "axis phi is odd", **more: Any
) -> Finding:
    return Finding(rule, more.pop("name", "axis-odd"), severity, message, **more)


def single(*findings: Finding, path: str = "a.cif", outcomes: Outcomes | None = None) -> Report:
    entry = FileReport(path, "a" * 64, "metadata", "core", findings, outcomes or Outcomes())
    return Report("0.1.0", (DICTIONARY,), (entry,))


CYCLE = finding(
    message="axis phi depends on itself through kappa - expected a chain that ends at .",
    name="axis-dependency-cycle",
    help="point kappa at omega",
    reference="_axis.depends_on",
    location=at(12, 22, 5, block="scan1", category="axis", item="_axis.depends_on", key={"id": "phi"}),
    count=3,
    more=(at(13, 22, 3), at(15, 22, 5)),
    data={"axis": "phi"},
    source_line="phi   rotation       kappa  1 0 0",
    edits=(Edit(13, 22, 13, 25, "omega", True), Edit(15, 22, 15, 27, ".", False)),
)
LENGTH = finding(
    "SRC001",
    Severity.WARNING,
    "wavelength is 979.5 Å - expected 0.1 Å to 10 Å",
    name="wavelength-unlikely",
    location=at(4, 41, 5),
    source_line="_diffrn_radiation_wavelength.wavelength 979.5",
)
WHOLE = finding("MTA001", Severity.INFO, "no frame is described", name="no-frames", help="add frames")
OUTCOMES = Outcomes(
    clean=("SYN001", "SYN002"),
    not_applicable=("BIN001",),
    blocked=(Blockage("DET001", ("AXI002",)), Blockage("DET002", ("AXI002",))),
    not_checked=(Unchecked("EXT001", "network use is off"), Unchecked("EXT002", "network use is off")),
    crashed=(Unchecked("CON001", "ValueError: no"),),
)
FIRST = FileReport("data/a b.cif", "a" * 64, "metadata", "core", (WHOLE, LENGTH, CYCLE), OUTCOMES)
SECOND = FileReport("c.cbf", "c" * 64, "full-cbf", "full-cbf", ())
REPORT = Report("0.1.0", (DICTIONARY,), (FIRST, SECOND))

HOSTILE = Report(
    "0.1.0",
    (DICTIONARY,),
    (
        FileReport(
            f"{ATTACK}.cif",
            "",
            "metadata",
            ATTACK,
            (
                finding(
                    message=ATTACK,
                    help=ATTACK,
                    location=at(1, 3, 4, block=ATTACK, item=ATTACK, key={"id": ATTACK}),
                    data={ATTACK: ATTACK},
                    source_line=ATTACK,
                    edits=(Edit(1, 3, 1, 7, ATTACK, True),),
                ),
                finding(message=ATTACK, location=Location(block=ATTACK)),
            ),
            Outcomes(not_checked=(Unchecked("EXT001", ATTACK),), crashed=(Unchecked("CON001", ATTACK),)),
        ),
    ),
)
