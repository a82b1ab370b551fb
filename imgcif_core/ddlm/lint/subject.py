"""What a check of a dictionary looks at."""

from collections.abc import Iterator

from imgcif_core.ddlm.frames import File, Frame
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.findings import Severity
from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """A dictionary under check: its file, its merged definitions, and the attributes that DDLm knows.

    `definitions` holds the frames of each definition id, those of the checked file before imported ones.
    """

    file: File
    definitions: dict[str, list[Frame]]
    dictionary: Dictionary
    ddl: Dictionary

    @property
    def is_template(self) -> bool:
        """True for a file of attributes to be imported, which defines nothing by itself."""
        return self.kind == "template"

    @property
    def kind(self) -> str:
        """The class of the dictionary in lower case: instance unless it says otherwise."""
        column = self.file.document.blocks[0].columns.get("_dictionary.class")
        return column.text(0).lower() if column is not None and len(column) else "instance"

    @property
    def frames(self) -> list[Frame]:
        """The frames of the file itself."""
        return list(self.file.frames.values())

    @property
    def has_gaps(self) -> bool:
        """True if something that is imported is not to be had, so that what is not defined may be defined there."""
        return bool(self.dictionary.gaps)

    def defines(self, name: str) -> bool:
        """True for a defined item, alias or category."""
        return self.dictionary.lookup(name) is not None or name.lower() in self.definitions

    def items(self) -> Iterator[tuple[Frame, Item]]:
        """The definitions of items that stand in the file, with their facts."""
        for frame in self.frames:
            if scope_of(frame) == "item" and not self.is_template:
                item = self.dictionary.lookup(frame.id)
                if item is not None and self.definitions[item.id.lower()][0] is frame:
                    yield frame, item

    def categories(self) -> Iterator[Frame]:
        """The definitions of categories that stand in the file."""
        return (frame for frame in self.frames if scope_of(frame) == "category" and not self.is_template)


def info(code: str, message: str, frame: Frame, attribute: str = "", row: int = 0) -> DictionaryProblem:
    """Advice: what is allowed, and better done in another way."""
    return DictionaryProblem(code, message, frame.at(attribute, row), Severity.INFO)


def scope_of(frame: Frame) -> str:
    """The scope of a definition in lower case; DDLm takes what says nothing for an item."""
    return frame.first("_definition.scope", "Item").lower()


def error(code: str, message: str, frame: Frame, attribute: str = "", row: int = 0) -> DictionaryProblem:
    """A fault: what DDLm forbids."""
    return DictionaryProblem(code, message, frame.at(attribute, row))


def warning(code: str, message: str, frame: Frame, attribute: str = "", row: int = 0) -> DictionaryProblem:
    """A doubt: what DDLm advises against, or what is hardly meant."""
    return DictionaryProblem(code, message, frame.at(attribute, row), Severity.WARNING)
