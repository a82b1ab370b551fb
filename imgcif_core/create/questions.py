"""Questions in plain words for what no file says, and the reading of answers."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from imgcif_core.create import quantities
from imgcif_core.create.addresses import checked_address, checked_doi
from imgcif_core.create.quantities import wavelength
from imgcif_core.errors import InputError, UsageError
from imgcif_core.formats import IMAGES
from imgcif_core.inputs import read_text
from imgcif_core.records import dataclass
from imgcif_core.sources.draft import CORNERS, clock_direction

_LONGEST_TEXT = 500
VIEW = "Stand at the source and look along the beam, past the crystal, at the detector."


class Refused(UsageError):
    """An answer that does not fit its question; `reason` says why, without the answer."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Question:
    """One fact that only a person can tell.

    `is_needed` says that nothing is written without an answer; `example` is an answer as it may be
    typed, or put after `key =` in a file of answers. `proposal` is the answer that `ground` speaks for;
    it holds only once a person has confirmed it. `unit` is that of a number without one; `refusal` says
    why the answer before was not taken.
    """

    key: str
    text: str
    example: str
    is_needed: bool = True
    choices: tuple[str, ...] = ()
    proposal: str = ""
    ground: str = ""
    unit: str = ""
    refusal: str = ""


def _number(text: Any) -> float:
    """A finite number without a unit."""
    return quantities.number(text)


def _angle(text: Any) -> float:
    """An angle in degrees."""
    return quantities.number(text, quantities.ANGLES)


def _distance(text: Any) -> float:
    """The distance of a detector in mm."""
    value = quantities.number(text, quantities.LENGTHS)
    return quantities.plausible(value, text, 5.0, 1e5, "mm", "if metres are meant, say so, such as 0.58 m")


def _numbers(text: Any) -> list[float]:
    """Numbers in a list, or in a text between blanks, commas or `x`."""
    return quantities.numbers(text)


def _pair(text: Any) -> tuple[float, float]:
    """Two numbers."""
    first, second = quantities.numbers(text, quantities.NONE, 2)
    return first, second


def _pixels(text: Any) -> tuple[float, float]:
    """A place in pixels, or in mm where that unit is written."""
    return quantities.pixels_or_mm(text)


def _pairs(text: Any) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers."""
    if not isinstance(text, (list, tuple)):
        flat = _numbers(text)
        text = list(zip(flat[::2], flat[1::2], strict=True)) if len(flat) % 2 == 0 else []
    pairs = tuple(_pair(entry) for entry in text)
    if len(pairs) != 4:
        raise ValueError("expected four pairs of numbers")
    return pairs


def _sizes(text: Any) -> tuple[float, float]:
    """One length for both directions, or two, in mm."""
    values = quantities.numbers(text, quantities.LENGTHS)
    if len(values) not in (1, 2) or min(values) <= 0:
        raise ValueError("expected one or two numbers above zero")
    entries = text if isinstance(text, (list, tuple)) else (text, text)
    for value, entry in zip(values, entries, strict=False):
        quantities.plausible(value, entry, 5e-4, 10.0, "mm", "if micrometres are meant, say so, such as 172 um")
    return values[0], values[-1]


def _counts(text: Any) -> tuple[int, int]:
    """Two whole numbers above zero."""
    fast, slow = _pair(text)
    if fast != int(fast) or slow != int(slow) or min(fast, slow) < 1:
        raise ValueError("expected two whole numbers above zero")
    return int(fast), int(slow)


def clock(text: Any) -> float:
    """A time on the face of a clock in hours: 3, "3:00", "half past" as 3:30, or "90 degrees"."""
    words = str(text).strip().lower()
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})(?: *o'?clock)?", words):
        hours = int(found[1]) + int(found[2]) / 60.0
    elif found := re.fullmatch(r"([\d.]+) *(?:deg(?:rees)?|°)", words):
        hours = _number(found[1]) / 30.0
    elif found := re.fullmatch(r"([\d.]+)(?: *o'?clock)?", words):
        hours = _number(found[1])
    else:
        raise ValueError("expected a time such as 3:00, or an angle such as 90 degrees")
    if not 0 <= hours <= 12:
        raise ValueError("expected a time between 0:00 and 12:00")
    return hours % 12.0


LEAVE_OUT = "leave out"


def _direction(text: Any) -> tuple[float, float, float] | str:
    """Three numbers, an hour on the clock as a direction across the beam, or the wish to leave it out."""
    if isinstance(text, str) and text.strip().lower() in (LEAVE_OUT, "unknown", "none"):
        return LEAVE_OUT
    if isinstance(text, str) and re.fullmatch(r"\s*\d{1,2}:\d{2}.*", text):
        right, up, back = clock_direction(clock(text))
        return float(right), float(up), float(back)
    values = _numbers(text)
    if len(values) != 3 or not 1e-9 < sum(value * value for value in values) < 1e9:
        raise ValueError(f"expected three numbers, an hour, or {LEAVE_OUT!r}")
    return values[0], values[1], values[2]


def _places(text: Any) -> tuple[tuple[int, int], ...]:
    """Pairs of whole numbers from 0."""
    if not isinstance(text, (list, tuple)):
        flat = _numbers(text)
        text = list(zip(flat[::2], flat[1::2], strict=True)) if len(flat) % 2 == 0 else []
    pairs = [_pair(entry) for entry in text]
    if not pairs or any(value != int(value) or value < 0 for pair in pairs for value in pair):
        raise ValueError("expected a pair of whole numbers from 0 for each panel")
    return tuple((int(fast), int(slow)) for fast, slow in pairs)


def _count(text: Any) -> int:
    """A whole number above zero."""
    return _counts([text, 1])[0]


def _choice(*choices: str) -> Callable[[Any], str]:
    """One of some words, or an unmistakable beginning of one."""

    def read(text: Any) -> str:
        words = " ".join(str(text).strip().lower().replace("-", " ").split())
        same = [choice for choice in choices if choice == words] or [
            c for c in choices if words and c.startswith(words)
        ]
        if len(same) != 1:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return same[0]

    return read


def _text(text: Any) -> str:
    """One line of text that is not empty."""
    words = str(text).strip() if isinstance(text, (str, int, float)) and not isinstance(text, bool) else ""
    if not words or not words.isprintable() or len(words) > _LONGEST_TEXT:
        raise ValueError(f"expected one line of text of at most {_LONGEST_TEXT} characters")
    return words


def _urls(text: Any) -> str | tuple[str, ...]:
    """One address, or several in a list or between blanks."""
    given = text.split() if isinstance(text, str) else list(text) if isinstance(text, (list, tuple)) else []
    if not given or not all(isinstance(entry, str) for entry in given):
        raise ValueError("expected an address, or a list of them")
    try:
        urls = tuple(checked_address(entry, "the address") for entry in given)
    except UsageError as error:
        raise ValueError(str(error)) from None
    return urls[0] if len(urls) == 1 else urls


def _doi(text: Any) -> str:
    """A DOI."""
    try:
        return checked_doi(str(text), "the DOI")
    except UsageError:
        raise ValueError("expected a DOI") from None


def _root(text: Any) -> str:
    """A folder within an archive; a dot for none."""
    words = _text(text)
    if words.startswith("/") or "\\" in words or ".." in words.split("/"):
        raise ValueError("expected a folder within the archive, such as data/run1, or a dot for none")
    return "" if words == "." else words.strip("/")


SENSES = ("clockwise", "anticlockwise")
PROBES = ("x ray", "electron", "neutron", "gamma")
FORMATS = tuple(entry.word.lower() for entry in IMAGES if entry.word and entry.in_dictionary)

_CATALOGUE: dict[str, tuple[Question, Callable[[Any], Any]]] = {}


def _add(
    key: str,
    read: Callable[[Any], Any],
    text: str,
    example: str,
    needed: bool = True,
    choices: Iterable[str] = (),
    unit: str = "",
) -> None:
    _CATALOGUE[key] = (Question(key, text, example, needed, tuple(choices), unit=unit), read)


_add("wavelength", wavelength, "What was the wavelength of the radiation, in angstrom?", "0.9795", unit="angstrom")
_add("distance", _distance, "How far was the detector from the crystal along the beam, in mm?", "250.0", unit="mm")
_add("pixel_size", _sizes, "How large is a pixel, in mm (one number, or two: along fast and slow)?", "0.172", unit="mm")
_add("size", _counts, "How many pixels has an image along its fast and its slow direction?", "[2463, 2527]")
_add(
    "beam_centre",
    _pixels,
    "Where would the direct beam hit the detector, in pixels from the outer corner of the first pixel\n"
    "of the image, along the fast and then the slow direction? (or in mm from there, with that unit)",
    "[1224.5, 1260.2]",
)
_add(
    "start",
    _angle,
    "At which angle did the rotation axis stand when the first image began, in degrees?",
    "0.0",
    unit="degrees",
)
_add(
    "increment",
    _angle,
    "By how many degrees did the crystal turn for each image (0 for stills)?",
    "0.1",
    unit="degrees",
)
_add(
    "principal_axis",
    clock,
    f"{VIEW} To which hour on the face of\n"
    "a clock does the main rotation axis point, from the crystal towards the motor that holds it?",
    '"3:00"',
)
_add(
    "rotation_sense",
    _choice(*SENSES),
    "Look from the crystal along the main rotation axis towards the motor. Does the crystal turn clockwise\n"
    "or anticlockwise while the angle grows?",
    '"clockwise"',
    choices=SENSES,
)
_add(
    "two_theta_axis",
    clock,
    "The source gives an angle of the detector arm (two theta), but not the axis about which the arm turns.\n"
    f"{VIEW} To which hour on the face of\n"
    "a clock does that axis point, from the crystal (either end of it will do)?",
    '"3:00"',
)
_add(
    "two_theta_sense",
    _choice(*SENSES),
    "Look from the crystal along the axis of the detector arm to the hour that you named. Does the detector\n"
    "turn clockwise or anticlockwise while two theta grows?",
    '"clockwise"',
    choices=SENSES,
)
for _name in ("omega", "kappa", "chi", "phi"):
    _add(
        f"{_name}_axis",
        _direction,
        f"The axis {_name} stands at an angle that is not zero, and its direction is not known. With all angles at\n"
        "zero, which direction does it have: [right, up, back to the source] as somebody at the source sees it,\n"
        "or an hour on the clock if it lies across the beam? Seen from the crystal along that direction the\n"
        'crystal turns clockwise while the angle grows. Say "leave out" where nobody knows.',
        "[0.0, 0.0, 1.0]",
    )
_add(
    "panel_places",
    _places,
    "The detector has several panels, and nothing tells where each lies in the stored image. Which pixel of\n"
    "the image is the first of each panel: [fast, slow] counted from 0, in the order of the panels?",
    "[[0, 0], [0, 212]]",
    False,
)
_add(
    "images_per_file",
    _count,
    "How many images does each data file hold (the last one may hold fewer)?",
    "1000",
    False,
)
_add(
    "first_pixel",
    _choice(*CORNERS),
    f"{VIEW} In which corner\nof the detector is the pixel that comes first in the file?",
    '"top left"',
    choices=CORNERS,
)
_add(
    "fast_direction",
    _choice("horizontal", "vertical"),
    "From that first pixel, is the next one in the file its neighbour in the horizontal or in the vertical direction?",
    '"horizontal"',
    choices=("horizontal", "vertical"),
)
_add(
    "quadrants",
    _pairs,
    "Where are the four quadrants of the detector: x and y of each in mm, as EXtra-geom counts them?",
    "[[11.4, 299.0], [-11.5, 8.0], [254.5, -16.0], [278.5, 275.0]]",
)
_add(
    "missing_frames",
    _choice("split", "stop"),
    "Numbers are missing among the files. Shall each unbroken run become a scan of its own (split)?",
    '"split"',
    choices=("split", "stop"),
)
_add("frames", _count, "How many images are there?", "1")
_add("format", _choice(*FORMATS), "Which format have the image files?", '"cbf"', choices=FORMATS)
_add("probe", _choice(*PROBES), "Which radiation was used?", '"x-ray"', False, PROBES)
_add("facility", _text, "At which facility were the data measured? (leave out for a laboratory)", '"Diamond"', False)
_add("beamline", _text, "On which beamline?", '"I04"', False)
_add("source", _text, "In a laboratory: make and model of the source or diffractometer?", '"Rigaku Synergy-S"', False)
_add("detector", _text, "Make and model of the detector?", '"PILATUS3 6M"', False)
_add(
    "archive_url",
    _urls,
    "What is the address of the archive that holds the images? (the first two of several will do, where they\n"
    "differ in a number; or {number} in the place of the number of the scan)",
    '"https://example.org/run_1.zip"',
    False,
)
_add(
    "url_base",
    _urls,
    "What is the address of the folder that holds the images one by one?",
    '"https://example.org/images"',
    False,
)
_add(
    "root",
    _root,
    "In which folder within the archive do the names of the images begin? (a dot for none)",
    '"data/run1"',
    False,
)
_add("doi", _doi, "What is the DOI of the data?", '"10.5281/zenodo.123456"', False)


def question(key: str) -> Question:
    """The question of a key."""
    return _CATALOGUE[key][0]


def keys() -> tuple[str, ...]:
    """All keys that answers may have."""
    return tuple(_CATALOGUE)


def read_answer(key: str, text: Any) -> Any:
    """The value of an answer.

    Raises
    ------
    UsageError
        If no question has that key; `Refused` if the answer does not fit the question.
    """
    if key not in _CATALOGUE:
        raise UsageError(f"no question has the key {key!r}; there are {', '.join(_CATALOGUE)}")
    try:
        return _CATALOGUE[key][1](text)
    except ValueError as error:
        shown = repr(text) if len(repr(text)) <= 80 else f"{repr(text)[:80]}..."
        message = f"answer {key} = {shown}: {error}, for example {_CATALOGUE[key][0].example}"
        raise Refused(message, str(error)) from None


def load_answers(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers and CIF items (table `items`) of a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read as TOML.
    UsageError
        If an answer does not fit its question.
    """
    import tomllib

    try:
        data = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and arrays of a thousand levels are other exceptions.
        raise InputError(f"{path}: no TOML ({str(error)[:200] or 'nested too deep'})") from None
    items = data.pop("items", {})
    if not isinstance(items, Mapping):
        raise UsageError(f"{path}: items is no table of CIF items")
    return {key: read_answer(key, value) for key, value in data.items()}, dict(items)


def listing(questions: Iterable[Question]) -> str:
    """Questions as a person reads them, in the form of a file of answers."""
    lines = []
    for entry in sorted(questions, key=lambda one: not one.is_needed):
        lines += [f"# {line}" for line in entry.text.split("\n")]
        if entry.choices:
            lines.append(f"# One of: {', '.join(entry.choices)}.")
        if not entry.is_needed:
            lines.append("# (not needed)")
        if entry.proposal:
            lines.append(f"# Proposed, to be confirmed: {entry.ground}.")
        lines += [f"# {entry.key} = {entry.proposal or entry.example}", ""]
    return "\n".join(lines)
