"""What the free texts about the radiation and its source say."""

import re

from imgcif_core.checks.facts import facts
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

PROBES = {"xray": "x-ray", "xrays": "x-ray", "neutron": "neutron", "neutrons": "neutron", "electron": "electron"}
PROBES |= {"electrons": "electron", "gamma": "gamma", "gammaray": "gamma", "gammarays": "gamma"}
_BROAD = re.compile(r"white|pink|laue|polychrom|energy[- ]dispers|time[- ]of[- ]flight|bremsstrahlung", re.IGNORECASE)
_SYNCHROTRON = re.compile(r"\bsynch|undulator|wiggler|bending|storage ring|light source", re.IGNORECASE)
_LASER = re.compile(r"\bx?fel\b|free[- ]electron", re.IGNORECASE)
_TUBE = re.compile(r"tube|anode|micro-?focus|liquid[- ]metal|metal[- ]?jet|in-?house|home source", re.IGNORECASE)
_X_RAY, _NEUTRON = re.compile(r"\bx-?rays?\b", re.IGNORECASE), re.compile(r"\bneutrons?\b", re.IGNORECASE)
# An element, K, and alpha, beta or their IUPAC symbols, in the spellings that CIF files have.
_LINE = re.compile(
    r"(?<![A-Za-z])(?P<element>Cr|Fe|Co|Ni|Cu|Ga|Mo|Rh|Pd|Ag|In|W)[\s_-]*K[\s_~-]*"
    r"(?P<line>\\?a(?:lpha)?|α|\\?b(?:eta)?|β|L~?[23]|M~?3|L)(?![a-z])[\s_~]*(?P<number>[123])?(?P<both>,[23])?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A characteristic line that a text names, and the wavelengths that it may have, in ångström."""

    text: str
    low: float
    high: float


def probe_of(tables: Tables) -> tuple[str, str]:
    """The probe and how it is known: stated, from the type of radiation, or unknown."""
    table = tables.table("diffrn_radiation")
    stated = (table.text("probe") or "").casefold()
    if stated in facts("radiation")["probe"] and stated != "unknown":
        return stated, "stated"
    meant = next((probe for text in radiation_types(tables) if (probe := meant_by(text))), None)
    return (meant, "type") if meant else ("unknown", "unknown")


def meant_by(text: str | None) -> str | None:
    """The probe that a description of the radiation implies."""
    if text is None:
        return None
    whole = PROBES.get(re.sub(r"[^a-z]", "", text.casefold()))
    if whole is None and (line_of(text) is not None or _X_RAY.search(text)):
        return "x-ray"
    return whole or ("neutron" if _NEUTRON.search(text) else None)


def radiation_types(tables: Tables) -> list[str]:
    """The texts that describe the radiation, of the block as a whole and of single wavelengths."""
    texts = tables.table("diffrn_radiation").texts("type")[:50]
    texts += tables.table("diffrn_radiation_wavelength").texts("type")[:50]
    return [text for text in texts if text is not None]


def is_broad(tables: Tables) -> bool:
    """True if the radiation is said to have many wavelengths."""
    return any(_BROAD.search(text) for text in radiation_types(tables))


def source_kind(tables: Tables) -> str:
    """One of synchrotron, laser, laboratory and unknown, as texts and names tell it."""
    table = tables.table("diffrn_source")
    names = ("description", "make", "device", "details", "facility", "type", "source")
    texts = " ".join(text for name in names for text in table.texts(name)[:5] if text) + " "
    texts += " ".join(radiation_types(tables))
    if _LASER.search(texts):
        return "laser"
    if _SYNCHROTRON.search(texts):
        return "synchrotron"
    if _TUBE.search(texts) or any(line_of(text) for text in radiation_types(tables)):
        return "laboratory"
    return "synchrotron" if table.text("facility") and table.text("beamline") else "unknown"


def line_of(text: str | None) -> Line | None:
    """The characteristic line that a text names, None where it names none."""
    match = _LINE.search(text or "")
    if match is None:
        return None
    first, second, beta = facts("radiation")["line"][match["element"].capitalize()]
    name, number = match["line"].lower().replace("~", ""), match["number"]
    if name.startswith(("\\b", "b", "β", "m")):
        return Line(match[0].strip(), beta, beta)
    if name.startswith("l") and len(name) > 1:
        # K-L3 is alpha 1, K-L2 alpha 2, and K-L2,3 the doublet.
        number = None if match["both"] else {"3": "1", "2": "2"}[name[-1]]
    chosen = {"1": (first, first), "2": (second, second)}.get(number or "", (first, second))
    return Line(match[0].strip(), *chosen)
