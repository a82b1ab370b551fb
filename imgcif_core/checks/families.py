"""The families of rules: one list, read by the registry, the profiles, the pages and the scaffold of new rules."""

from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Rules of one subject: the letters of their codes, what they are about, and the package that holds them.

    `question` is the question of readiness that most of its errors answer with a no; a family that `is_of_instrument`
    can judge only by a dictionary that defines the instrument of imgCIF.
    """

    letters: str
    title: str
    package: str
    question: str = ""
    is_of_instrument: bool = True


FAMILIES = (
    Family("SYN", "Syntax", "", "read", is_of_instrument=False),
    Family("DIC", "Dictionary", "dictionary", is_of_instrument=False),
    Family("REL", "Relations between tables", "relations", "interpret"),
    Family("AXI", "Axis tree", "axes", "interpret"),
    Family("DET", "Detector and array layout", "detector", "interpret"),
    Family("SCN", "Scans and frames", "scans", "interpret"),
    Family("SRC", "Source and beam", "radiation", "interpret"),
    Family("EXT", "External data", "external", "fetch"),
    Family("BIN", "Embedded binaries", "binary", "fetch"),
    Family("IMG", "Image content", "images", "picture"),
    Family("MTA", "Completeness", "completeness", "describe"),
    Family("CON", "Consistency of what is said twice", "consistency", "interpret"),
    Family("CMP", "Comparison with a source", "comparison", "interpret"),
)
FAMILY_OF = {family.letters: family for family in FAMILIES}
# Rules of those families that judge by whatever dictionary is used.
FOR_ANY_DICTIONARY = frozenset(
    {"REL001", "REL002", "REL004", "REL005", "REL006", "REL008", "REL017", "MTA006", "MTA025", "CON026", "CON027"}
)
