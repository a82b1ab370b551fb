"""The files of dictionaries as save frames with their attributes.

What follows the syntax of CIF 2.0 to the letter is read by `quick`; the document with a position for every
value is made when somebody asks for it, as lint does.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from imgcif_core.cif.containers import Cell, decode_container, leaves
from imgcif_core.cif.document import Block, Document, Place, Source
from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.bundled import load_attributes
from imgcif_core.ddlm.quick import RawFrame, quick_frames
from imgcif_core.ddlm.recognise import DictionaryKind, dictionary_kind
from imgcif_core.ddlm.spellings import import_requests, with_present_names
from imgcif_core.errors import InputError
from imgcif_core.records import cached_property, dataclass, field

Attributes = dict[str, list[str]]
# More than ten times the largest official dictionary; a frame takes some kilobytes of memory.
MAX_BYTES = 16 << 20
UNREAD = ("_description.", "_description_example.")
_NULLS = (".", "?")
_ASSIGNMENT = re.compile(r"(?<![\w.])_?([a-z]\w*\.[a-z]\w*)\s*=(?!=)", re.I)


_NONE: Attributes = {}
_PLAIN_LIST = re.compile(r"\[[\w \t.+-]*\]")


@cache
def _category_of(attribute: str) -> str:
    """The category of attributes to which a name belongs."""
    return attribute.partition(".")[0].lstrip("_")


@dataclass(slots=True)
class Frame:
    """One save frame: its attributes by category of attributes, and where it stands.

    `methods` are the purposes, texts and first bytes of the methods that stand in the frame itself.
    """

    name: str
    layer: str
    file: "File"
    index: int
    start: int
    end: int
    groups: dict[str, Attributes] = field(default_factory=dict)
    imports: list[dict[str, str]] = field(default_factory=list)
    methods: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The definition id, or the frame code where a template has none."""
        return self.first("_definition.id") or self.name

    @property
    def source(self) -> Source:
        """The text in which the frame stands."""
        return self.file.source

    @property
    def block(self) -> Block:
        """The frame as the parser reads it, with the position of every value."""
        return self.file.document.blocks[0].frames[self.index]

    def first(self, attribute: str, default: str = "") -> str:
        """The first value of an attribute."""
        values = self.groups.get(_category_of(attribute), _NONE).get(attribute)
        return values[0] if values else default

    def all(self, attribute: str) -> list[str]:
        """All values of an attribute."""
        return self.groups.get(_category_of(attribute), _NONE).get(attribute, [])

    def place(self) -> Place:
        """The heading of the frame."""
        return Place(self.source, self.start, self.end, self.name)

    def at(self, attribute: str, row: int = 0) -> Place:
        """The place of a value, or the heading of the frame where an import brings the attribute."""
        column = self.block.columns.get(attribute)
        if column is None or row >= len(column):
            return self.place()
        return Place(self.source, int(column.starts[row]), int(column.ends[row]), self.name, None, attribute)


@dataclass
class File:
    """One dictionary or template file; `head_attributes` are those of the dictionary as a whole."""

    path: Path
    source: Source
    head_attributes: Attributes = field(default_factory=dict)
    block_name: str = ""
    is_template: bool = False
    frames: dict[str, Frame] = field(default_factory=dict)

    @cached_property
    def document(self) -> Document:
        """The text as the parser reads it, with all that is wrong with its syntax."""
        return read(self.source)

    def _top(self, name: str) -> str:
        return next(iter(self.head_attributes.get(name, ())), "")

    @property
    def title(self) -> str:
        """The title of the dictionary, or the name of its block."""
        return self._top("_dictionary.title") or self.block_name

    @property
    def version(self) -> str:
        """The version that the dictionary states."""
        return self._top("_dictionary.version")

    @property
    def date(self) -> str:
        """The date that the dictionary states."""
        return self._top("_dictionary.date")

    def head(self) -> Frame | None:
        """The definition of class Head."""
        heads = (frame for frame in self.frames.values() if frame.first("_definition.class") == "Head")
        return next(heads, None)

    def named(self, name: str) -> Frame | None:
        """The frame of a code or a definition id, in any case."""
        key = name.lower()
        if key in self.frames:
            return self.frames[key]
        return next((frame for frame in self.frames.values() if frame.id.lower() == key), None)


def read_file(path: Path) -> File:
    """The frames of a file; what is no DDLm dictionary is refused.

    Raises
    ------
    InputError
        If the file cannot be read, or is no DDLm dictionary.
    """
    source = open_source(path)
    if len(source.data) > MAX_BYTES:
        size = len(source.data) / 1e6
        raise InputError(f"{path}: is {size:.0f} MB long - dictionaries of up to {MAX_BYTES >> 20} MB are read")
    file = File(path, source)
    frames = quick_frames(source.data, UNREAD)
    kind = _kind_of(frames) if frames is not None else ""
    if frames is None or not kind:
        kind = dictionary_kind(file.document)
        if kind in ("DDL1", "DDL2"):
            raise InputError(f"{path}: is a {kind} dictionary - expected one written in DDLm")
        if not kind and not any(block.frames for block in file.document.blocks):
            raise InputError(f"{path}: is no DDLm dictionary (no save frame found)")
        frames = [_raw_frame(block) for block in (file.document.blocks[0], *file.document.blocks[0].frames)]
    head, *rest = frames
    file.head_attributes, file.block_name, file.is_template = head.values, head.name, kind == "template"
    title = file.title
    for index, raw in enumerate(rest):
        file.frames.setdefault(raw.name.lower(), _frame(raw, title, file, index))
    return file


def _kind_of(frames: list[RawFrame]) -> DictionaryKind:
    """The kind of a dictionary where it can be told from the frames alone, else an empty text."""
    if any("_definition.id" in frame.values for frame in frames[1:]):
        return "DDLm"
    classes = frames[0].values.get("_dictionary.class", [""])
    return "template" if classes[0].lower() == "template" else ""


def _raw_frame(block: Block) -> RawFrame:
    """A frame from the columns of the parser."""
    values = {
        name: [""] * len(column) if name.startswith(UNREAD) else column.texts()
        for name, column in block.columns.items()
    }
    methods = block.columns.get("_method.expression")
    starts = [int(start) for start in methods.starts] if methods is not None else []
    return RawFrame(block.name, block.start, block.end, values, starts)


def _frame(raw: RawFrame, layer: str, file: File, index: int) -> Frame:
    """The attributes of one save frame."""
    frame = Frame(raw.name, layer, file, index, raw.start, raw.end)
    values = with_present_names(raw.values)
    frame.imports = import_requests(values)
    for name, texts in values.items():
        if name == "_import.get":
            continue
        if name == "_method.expression":
            purposes = values.get("_method.purpose", [])
            purposes = purposes + [""] * (len(texts) - len(purposes))
            frame.methods = [
                method for method in zip(purposes, texts, raw.methods, strict=False) if method[1] not in _NULLS
            ]
            texts = [_assigned(text) for text in texts]
        category = _category_of(name)
        if category not in frame.groups:
            frame.groups[category] = {}
        frame.groups[category][name] = texts
    return frame


def _assigned(method: str) -> str:
    """The attributes of its own definition that a method sets, with blanks between; nothing else of the method."""
    names = dict.fromkeys(f"_{match[1].lower()}" for match in _ASSIGNMENT.finditer(method))
    return " ".join(name for name in names if load_attributes().lookup(name) is not None)


def parts_of(text: str) -> list[str]:
    """The elements of a list, or the text itself where it is none."""
    if not text.startswith("["):
        return [text]
    if _PLAIN_LIST.fullmatch(text):
        return text[1:-1].split()
    raw = text.encode("utf-8")
    found = decode_container(raw, 0, len(raw))
    return [entry.text for entry in found if isinstance(entry, Cell)] if isinstance(found, list) else [text]


def words_in(texts: list[str]) -> Iterator[list[str]]:
    """The leaves of each value: those of a list, or the text itself."""
    for text in texts:
        raw = text.encode("utf-8")
        yield [cell.text for cell in leaves(decode_container(raw, 0, len(raw)))] if text.startswith("[") else [text]
