"""All that a page shows of a file beside its findings, gathered from the model of its blocks."""

from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.checks.flavour import WHY
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.profiles import load_profile
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError, UsageError
from imgcif_core.findings import FileReport
from imgcif_core.images.local import LocalData
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.scattering import resolution
from imgcif_core.model.uris import parse_uri
from imgcif_core.model.vectors import angle_between
from imgcif_core.records import dataclass
from imgcif_core.render.sheet import LinkRow, ScanRow, Sheet
from imgcif_core.show.drawing import MAX_PANELS, Placed, faces, placed, sketches
from imgcif_core.show.instrument import (
    AT_SAMPLE_MM,
    BlockInstrument,
    beam_pixel,
    block_instruments,
    frames_of,
    unplaced,
    wavelength_words,
)
from imgcif_core.show.numbers import frame_number
from imgcif_core.show.picture import picture_of
from imgcif_core.show.places import MAX_PLACES, link_rows
from imgcif_core.show.scanrows import MAX_ROWS, scan_rows
from imgcif_core.show.spots import spot_plots
from imgcif_core.show.text import pair, passport_text, plain
from imgcif_core.tables import Tables

MAX_BLOCKS = 20
_MAX_NAMES = 5
_PASSPORT = 12_000
_DOIS = ("database.dataset_doi", "journal.paper_doi", "citation.doi")


@dataclass(frozen=True, slots=True)
class _Told:
    """The blocks of a document as tables, and the instruments that they describe."""

    tables: tuple[Tables, ...]
    instruments: tuple[BlockInstrument, ...]

    def texts(self, name: str) -> list[str]:
        """The distinct values of an item over all blocks, the first ones."""
        category, _, item = name.partition(".")
        found: dict[str, None] = {}
        for tables in self.tables:
            column = tables.table(category).column(item)
            if column is None:
                continue
            for row in column.distinct()[0][:_MAX_NAMES].tolist():
                if not column.is_null[row] and column.text(row).strip():
                    found[column.text(row).strip()] = None
        return list(found)[:_MAX_NAMES]

    def text(self, *names: str) -> str:
        """The values of the first of some items that is given."""
        return next((", ".join(texts) for texts in map(self.texts, names) if texts), "")


def sheet_of(
    document: Document,
    dictionary: Dictionary,
    entry: FileReport,
    options: CheckOptions | None = None,
    command: str = "",
) -> Sheet:
    """What a page shows of a document that `entry` reports on; `command` repeats the run."""
    chosen = options or CheckOptions()
    blocks = [block for block in document.blocks if chosen.block in (None, block.name) and block.kind != "save"]
    with np.errstate(all="ignore"):
        told = _Told(
            tuple(Tables(block, dictionary) for block in blocks[:MAX_BLOCKS]),
            tuple(_instruments(document, dictionary, {block.name for block in blocks})),
        )
        links, links_in_all = _links(document, told, chosen, entry)
        scans, scans_in_all = _scans(told)
        sheet = _drawn(document, told, chosen)
        return Sheet(
            facts=tuple(_facts(document, told, links)),
            figures=sheet.figures,
            sketches=sheet.sketches,
            faces=sheet.faces,
            notes=sheet.notes,
            passport=_passport(document, dictionary) if told.instruments else "",
            scans=scans,
            scans_in_all=scans_in_all,
            links=links,
            links_in_all=links_in_all,
            why_profile=why_profile(entry, chosen),
            command=command,
            spots=spot_plots(document, dictionary, entry, chosen),
        )


def _instruments(document: Document, dictionary: Dictionary, names: set[str]) -> list[BlockInstrument]:
    """The instruments of the blocks that are shown."""
    try:
        found = block_instruments(document, dictionary)
    except (InputError, UsageError):
        return []
    return [entry for entry in found if entry.name in names][:MAX_BLOCKS]


def _passport(document: Document, dictionary: Dictionary) -> str:
    """The instrument in numbers, cut where it is very long."""
    text = passport_text(document, dictionary)
    if len(text) <= _PASSPORT:
        return text
    return text[:_PASSPORT].rpartition("\n")[0] + "\n\n... cut here; `imgcif show` prints all of it"


def why_profile(entry: FileReport, options: CheckOptions) -> str:
    """The profile and why it was taken."""
    if options.profile != "auto":
        title = load_profile(options.profile).title
        return f"{entry.profile}: {title}; asked for" if title else f"{entry.profile}; asked for"
    title = load_profile(entry.profile).title
    return f"{entry.profile}: {title}; chosen because {WHY.get(entry.profile, 'no other fits')}"


def _facts(document: Document, told: _Told, links: Sequence[LinkRow]) -> Iterator[tuple[str, str]]:
    """The lines of the title block; what is not given is said so."""
    names = [block.name for block in document.blocks if block.kind != "save"]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    yield "Data block" if len(names) == 1 else "Data blocks", (", ".join(names[:_MAX_NAMES]) or "none") + more
    yield "DOI", told.text(*_DOIS) or "not given"
    source = [told.text("diffrn_source.facility"), told.text("diffrn_source.beamline")]
    maker = told.text("diffrn_source.make", "diffrn_source.device", "diffrn_source.type")
    yield "Source", ", beamline ".join(filter(None, source)) or maker or "not given"
    yield "Radiation", _radiation(told)
    yield "Detector", _detector(told)
    scans = [shown.scan for entry in told.instruments for shown in entry.scans if shown.scan is not None]
    omitted = sum(entry.omitted for entry in told.instruments)
    counts = [count for scan in scans if (count := frames_of(scan)) is not None]
    frames = sum(counts)
    more = " or more" if omitted or len(counts) < len(scans) else ""
    counted = f"{frames}{more} {'frame' if frames == 1 else 'frames'} in {len(scans) + omitted} "
    if not counts:
        counted = f"number of frames not known, {len(scans) + omitted} "
    yield "Scans", counted + ("scan" if len(scans) + omitted == 1 else "scans") if scans else "none"
    yield "Images", _images(links)
    sample = told.text("chemical.name_common", "chemical.name_systematic", "chemical_formula.sum", "struct.title")
    yield "Sample", sample or "not given"


def _images(links: Sequence[LinkRow]) -> str:
    """Where the images are, in short."""
    words = []
    for row in links[:_MAX_NAMES]:
        place = f"at {parse_uri(row.address).host}" if parse_uri(row.address).host else row.address
        words.append(f"{row.links} {place}")
    return ", ".join(words) + (", ..." if len(links) > _MAX_NAMES else "") or "none"


def _radiation(told: _Told) -> str:
    """Probe, wavelength and energy."""
    waves = [value for entry in told.instruments for value in entry.beam.wavelengths.tolist()]
    known = list(dict.fromkeys(value for value in waves if value > 0))
    probe = next((entry.beam.probe for entry in told.instruments if entry.beam.probe), "") or ""
    if not known:
        words = next((wavelength_words(entry) for entry in told.instruments), "not given")
        return f"{probe or 'probe not given'}, wavelength {words}"
    is_photon = (probe or "x-ray").lower() in ("x-ray", "gamma")
    energy = f" ({HC_KEV_ANGSTROM / known[0]:.4f} keV)" if is_photon else ""
    span = f"{known[0]:g}" if len(known) == 1 else f"{min(known):g} to {max(known):g}"
    one = energy if len(known) == 1 else ""
    return f"{probe or 'probe not given'}, {span} \N{LATIN CAPITAL LETTER A WITH RING ABOVE}{one}"


def _detector(told: _Told) -> str:
    """Make, number of panels and pixels."""
    items = ("diffrn_detector.make", "diffrn_detector.model", "diffrn_detector.description", "diffrn_detector.type")
    make = told.text(*items) or told.text("diffrn_detector.detector", "diffrn_detector.details")
    panels = [panel for entry in told.instruments for panel in entry.detector.panels]
    sizes = list(dict.fromkeys(panel.size for panel in panels if panel.shape == "flat"))
    pixels = f"{sizes[0][0]} x {sizes[0][1]} pixels" if len(sizes) == 1 else ""
    if len(panels) > 1:
        pixels = f"{len(panels)} panels" + (f" of {pixels}" if pixels else "")
    return ", ".join(filter(None, (make or "make not given", pixels)))


def _links(
    document: Document, told: _Told, options: CheckOptions, entry: FileReport
) -> tuple[tuple[LinkRow, ...], int]:
    """The places of the images of all blocks."""
    rows: list[LinkRow] = []
    total = 0
    verdicts = None if entry.links is None else {verdict.uri: verdict for verdict in entry.links}
    local = local_of(document, options)
    try:
        for tables in told.tables:
            found, count = link_rows(document, tables, options, local, verdicts)
            rows += found
            total += count
    finally:
        local.close()
    return tuple(rows[:MAX_PLACES]), total


def local_of(document: Document, options: CheckOptions) -> LocalData:
    """What of the external data is on this machine."""
    return LocalData(
        base=document.source.folder,
        local=options.local,
        maps=options.maps,
        follow=options.follow,
        limits=options.limits,
    )


def _scans(told: _Told) -> tuple[tuple[ScanRow, ...], int]:
    """The scans of all blocks."""
    rows: list[ScanRow] = []
    total = 0
    for entry in told.instruments:
        found, count = scan_rows(entry)
        rows += found
        total += count
    return tuple(rows[:MAX_ROWS]), total


def _drawn(document: Document, told: _Told, options: CheckOptions) -> Sheet:
    """The drawings of the first block whose detector can be placed, and what is not drawn."""
    found = [drawn for drawn in map(placed, told.instruments) if drawn is not None]
    drawn = next((entry for entry in found if entry.panels), next(iter(found), None))
    if drawn is None:
        return Sheet(notes=("No instrument is drawn: the file describes none.",) if told.tables else ())
    picture, said = None, ""
    reference = drawn.reference
    if reference is not None:
        local = local_of(document, options)
        try:
            picture, said = picture_of(document, drawn.entry.tables, reference[0], options, local)
        finally:
            local.close()
    notes = [note for note in (*_notes(drawn, len(told.instruments)), said) if note]
    return Sheet(
        figures=tuple(_figures(drawn)),
        sketches=sketches(drawn),
        faces=faces(drawn, picture),
        notes=tuple(notes),
    )


def _notes(drawn: Placed, instruments: int) -> Iterator[str]:
    """What the drawings show and what they leave out."""
    scan = drawn.shown.scan
    if drawn.panels:
        where = f"scan {scan.id or '(unnamed)'} at the start of frame {frame_number(drawn.shown)}" if scan else "zero"
        others = len({_key(drawn.entry, index) for index in range(len(drawn.entry.scans))}) - 1
        more = (
            f"; {others} other {'position' if others == 1 else 'positions'} of the detector not drawn" if others else ""
        )
        yield f"Drawn: block {drawn.entry.name}, {where if scan else 'all axes at zero'}{more}."
    else:
        yield "No detector is drawn: no panel has a place."
    if instruments > 1:
        yield f"{instruments - 1} more {'block describes' if instruments == 2 else 'blocks describe'} an instrument."
    if len(drawn.panels) > MAX_PANELS:
        yield f"{len(drawn.panels) - MAX_PANELS} more panels not drawn."
    faults = list(unplaced(drawn.entry))
    if faults:
        yield f"{len(faults)} {'panel has' if len(faults) == 1 else 'panels have'} no place: {faults[0][3]}."


def _key(entry: BlockInstrument, index: int) -> bytes:
    """What tells positions of the detector apart."""
    poses = entry.scans[index].poses
    return np.round([(pose.origin[0], pose.fast_step[0]) for pose in poses[:4]], 6).tobytes()


def _figures(drawn: Placed) -> Iterator[tuple[str, str]]:
    """The numbers of the reference panel that are asked for first."""
    if drawn.reference is None:
        return
    panel, pose = drawn.reference
    beam = drawn.entry.beam
    pixel = beam_pixel(pose, beam)
    if len(drawn.panels) > 1:
        yield "Panel", f"{panel.id}, of {len(drawn.panels)}"
    if np.isfinite(pixel).all():
        inside = "" if pose.holds(pixel[None])[0] else ", beside the panel"
        yield (
            "Beam centre",
            f"pixel {pair(pixel)} counted from the centre of the first pixel, as in imgCIF{inside}; "
            f"{pair(pixel + 0.5)} from its outer corner, as in DIALS and NeXus; {pair(pixel + 1.0)} as in XDS",
        )
    else:
        yield "Beam centre", "the beam does not meet the plane of the panel"
    told = pose.normal_distance[0] >= AT_SAMPLE_MM
    tilt = float(angle_between(pose.normal[0] * (np.sign(pose.normal[0] @ beam.direction) or 1.0), beam.direction))
    yield (
        "Distance",
        f"{plain(pose.normal_distance[0])} mm, normal {tilt:.3f}\N{DEGREE SIGN} off the beam" if told else "not told",
    )
    if told:
        away = float(pose.normal[0] @ pose.centre[0]) > 0
        words = "as seen from the sample" if away else "mirrored, as seen from behind"
        yield "Stored", f"{words}: fast \N{MULTIPLICATION SIGN} slow points {'away from' if away else 'to'} the sample"
    if told and beam.wavelength > 0:
        spacing = float(np.min(resolution(pose.corners()[0], beam.wavelength, beam.direction)))
        yield "Resolution", f"{spacing:.4g} \N{LATIN CAPITAL LETTER A WITH RING ABOVE} in the far corner"
