"""What a stranger has to be told about an experiment, and whether it is; rules and readiness ask here alike."""

from imgcif_core.checks.completeness.inputs import Experiment
from imgcif_core.checks.image_headers.texts import only_header
from imgcif_core.checks.radiation.texts import probe_of
from imgcif_core.checks.registry import provider
from imgcif_core.records import dataclass

NAMES = (
    "chemical.name_systematic",
    "chemical.name_common",
    "chemical.name_mineral",
    "chemical.name_structure_type",
    "entity.pdbx_description",
    "struct.title",
)
FORMULAE = ("chemical_formula.sum", "chemical_formula.moiety", "chemical_formula.iupac", "chemical_formula.structural")
DETECTOR = ("diffrn_detector.make", "diffrn_detector.description", "diffrn_detector.details")
EXPOSURE = ("diffrn_scan_frame.integration_time", "diffrn_scan.integration_time", "diffrn_scan_frame.time_period")
DATE = ("diffrn_scan.date_start", "diffrn_scan_frame.date", "diffrn_scan.date_end")
AUTHOR = ("audit_author.name",)
CONTACT = ("audit_contact_author.email", "audit_author.email", "audit_author.id_orcid")


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is not told, in words, and the rule that tells more."""

    words: str
    code: str


def lacking_of_source(experiment: Experiment) -> list[str]:
    """The items that a source still needs: facility and beamline, unless the make of a laboratory source is given."""
    if experiment.has("diffrn_source.make", "diffrn_source.device"):
        return []
    lacking = experiment.lacking("diffrn_source.facility", "diffrn_source.beamline")
    is_described = len(lacking) == 2 and experiment.has("diffrn_source.description")
    return [] if is_described else lacking


@provider("needs")
def needs_of(experiment: Experiment) -> list[Need]:
    """All that a stranger is not told of an experiment."""
    found = []
    blocks = (experiment.tables, *experiment.others)
    if not experiment.has("diffrn_radiation.probe") and all(probe_of(entry)[0] == "unknown" for entry in blocks):
        found.append(Need("kind of radiation", "SRC003"))
    lacking = lacking_of_source(experiment)
    if lacking:
        found.append(Need(" and ".join(name.partition(".")[2] for name in lacking) + " of the source", "MTA002"))
    checks = (
        ("detector make", DETECTOR, "MTA004"),
        ("exposure time", EXPOSURE, "MTA010"),
        ("date", DATE, "MTA010"),
        ("name or formula of the sample", (*NAMES, *FORMULAE), "MTA011"),
        ("author or contact", (*AUTHOR, *CONTACT), "MTA012"),
    )
    told = _told_by_header(experiment)
    found += [Need(words, code) for words, items, code in checks if words not in told and not experiment.has(*items)]
    return found


def _told_by_header(experiment: Experiment) -> set[str]:
    """What the text header tells where there are no tables, by the words of a need."""
    header = only_header(experiment.tables)
    if header is None:
        return set()
    told = {
        "detector make": bool(header.detector),
        "exposure time": header.number("exposure_time", "exposure_period") is not None,
        "date": bool(header.date),
    }
    return {words for words, is_told in told.items() if is_told}
