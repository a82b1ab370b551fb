"""Loading DDLm dictionaries with the whole tree of their imports."""

from collections.abc import Iterable
from pathlib import Path

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.bundled import load_attributes
from imgcif_core.ddlm.frames import Attributes, File, Frame, read_file
from imgcif_core.errors import InputError
from imgcif_core.findings import Severity
from imgcif_core.records import dataclass

# What could not be imported at all, and what could be only from another frame than the one that is named.
ABSENT = ("import-file", "import-frame")
GAPS = (*ABSENT, "import-head")


@dataclass(frozen=True, slots=True)
class DictionaryProblem:
    """What is wrong in a dictionary, and where."""

    code: str
    message: str
    place: Place
    severity: Severity = Severity.ERROR

    @property
    def line(self) -> int:
        """The line in which it stands."""
        return self.place.source.line_of(self.place.start) if self.place.source else 0

    def __str__(self) -> str:
        path = self.place.source.path if self.place.source else "?"
        return f"{path}:{self.line}: {self.severity} {self.code} {self.message}"


class Loader:
    """Reads files once each, and resolves imports along a search path of folders.

    What is wrong is kept in `problems`. A lenient loader takes the Head of a dictionary where the
    frame that a Full import names is not there.
    """

    def __init__(self, search: Iterable[Path], *, is_lenient: bool = False) -> None:
        self._search = list(search)
        self._is_lenient = is_lenient
        self._files: dict[Path, File] = {}
        self._by_name: dict[str, File] = {}
        self._resolved: set[int] = set()
        self.problems: list[DictionaryProblem] = []
        self.order: list[File] = []

    def file(self, path: Path) -> File:
        """The frames of one file."""
        key = path.resolve()
        if key not in self._files:
            self._files[key] = read_file(path)
            self.order.append(self._files[key])
            if path.parent not in self._search:
                self._search.append(path.parent)
        return self._files[key]

    def definitions(self, file: File, visiting: tuple[Path, ...] = ()) -> dict[str, list[Frame]]:
        """All frames by lower-case definition id, the importing layer first."""
        found: dict[str, list[Frame]] = {}
        for frame in file.frames.values():
            self._merge_contents(frame, ())
            found.setdefault(frame.id.lower(), []).append(frame)
        for frame in list(file.frames.values()):
            for request in frame.imports:
                if request.get("mode", "Contents").lower() == "full":
                    self._graft(found, frame, request, (*visiting, file.path))
        return found

    def _graft(
        self, found: dict[str, list[Frame]], frame: Frame, request: dict[str, str], visiting: tuple[Path, ...]
    ) -> None:
        """Add the definitions that a Full import brings."""
        other = self._find(frame, request)
        if other is None:
            return
        if other.path in visiting:
            self._complain("import-cycle", f"{frame.name} imports {other.path.name}, which imports it", frame)
            return
        wanted = other.named(request.get("save", ""))
        if wanted is None:
            head = other.head() if self._is_lenient else None
            self._missing(frame, request, head)
            if head is None:
                return
            wanted = head
        imported = self.definitions(other, visiting)
        whole = wanted.first("_definition.class") == "Head"
        chosen = imported if whole else _with_children(imported, wanted)
        duplicate = request.get("dupl", "Exit").lower()
        for identifier, frames in chosen.items():
            if whole and frames[0] is wanted:
                continue
            if identifier not in found:
                found[identifier] = list(frames)
            elif duplicate == "replace":
                found[identifier] = [*frames, *found[identifier]]
            else:
                if duplicate == "exit":
                    self._complain("import-duplicate", f"{identifier} is defined here and imported", frame)
                found[identifier] = [*found[identifier], *frames]

    def _merge_contents(self, frame: Frame, visiting: tuple[str, ...]) -> None:
        """Bring in the attributes of Contents imports, whole categories of attributes at a time."""
        if id(frame) in self._resolved:
            return
        key = f"{frame.source.path}#{frame.name.lower()}"
        if key in visiting:
            self._complain("import-cycle", f"{frame.name} imports itself", frame)
            return
        for request in frame.imports:
            if request.get("mode", "Contents").lower() != "contents":
                continue
            other = self._find(frame, request)
            template = other.named(request.get("save", "")) if other else None
            if template is None:
                if other is not None:
                    self._missing(frame, request)
                continue
            self._merge_contents(template, (*visiting, key))
            duplicate = request.get("dupl", "Exit").lower()
            for category, attributes in template.groups.items():
                if category == "definition":
                    # The identity of a frame stays its own; a date of change may come along.
                    rest = {name: values for name, values in attributes.items() if name != "_definition.id"}
                    self._join(frame, category, rest, "ignore")
                elif category != "import":
                    self._join(frame, category, attributes, duplicate)
        self._resolved.add(id(frame))

    def _join(self, frame: Frame, category: str, attributes: Attributes, duplicate: str) -> None:
        """Add the imported attributes of one category; a loop comes whole or not at all."""
        own = frame.groups.setdefault(category, {})
        repeated = own.keys() & attributes.keys()
        if duplicate == "exit":
            for name in sorted(repeated):
                if own[name] != attributes[name]:
                    self._complain("import-duplicate", f"{name} of {frame.name} is given here and imported", frame)
        facts = load_attributes().category(category)
        if repeated and facts is not None and not facts.is_set:
            if duplicate == "replace":
                frame.groups[category] = {name: list(values) for name, values in attributes.items()}
            return
        for name, values in attributes.items():
            if name not in own or duplicate == "replace":
                own[name] = list(values)

    def _find(self, frame: Frame, request: dict[str, str]) -> File | None:
        """The file of an import, by its name on the search path."""
        name = request.get("file", "").rpartition("/")[2]
        if name in self._by_name:
            return self._by_name[name]
        for folder in self._search:
            path = folder / name
            if name and path.is_file():
                found = self._usable(path, frame)
                if found is not None:
                    self._by_name[name] = found
                    self._compare_versions(found, frame, request)
                return found
        if request.get("miss", "Exit").lower() != "ignore":
            message = f"{frame.name} imports {name or '?'}, which is in no folder of the search path"
            self._complain("import-file", message, frame)
        return None

    def _usable(self, path: Path, frame: Frame) -> File | None:
        """An imported file, unless it cannot be used."""
        try:
            return self.file(path)
        except InputError as error:
            self._complain("import-file", f"{frame.name} imports {path.name}, which cannot be used ({error})", frame)
            return None

    def _compare_versions(self, file: File, frame: Frame, request: dict[str, str]) -> None:
        """Dictionaries of the same major version are compatible; another one may lack what is wanted."""
        wanted, given = request.get("version", ""), file.version
        if wanted not in (".", "?", "") and given and wanted.partition(".")[0] != given.partition(".")[0]:
            message = f"{frame.name} imports {file.path.name} of version {wanted}, but its version is {given}"
            self._complain("import-version", message, frame)

    def _missing(self, frame: Frame, request: dict[str, str], instead: Frame | None = None) -> None:
        if request.get("miss", "Exit").lower() != "ignore":
            save, file = request.get("save", "?"), request.get("file", "?").rpartition("/")[2]
            taken = f" - its Head {instead.name} is taken" if instead else ""
            code = "import-head" if instead else "import-frame"
            self._complain(code, f"{frame.name} imports {save}, which {file} lacks{taken}", frame)

    def _complain(self, code: str, message: str, frame: Frame) -> None:
        self.problems.append(DictionaryProblem(code, message, frame.place()))


def _with_children(definitions: dict[str, list[Frame]], wanted: Frame) -> dict[str, list[Frame]]:
    """A definition, and if it is a category all that lies below it."""
    chosen = {wanted.id.lower()}
    grew = True
    while grew:
        below = {
            identifier
            for identifier, frames in definitions.items()
            if frames[0].first("_name.category_id").lower() in chosen
        }
        grew = not below <= chosen
        chosen |= below
    return {identifier: frames for identifier, frames in definitions.items() if identifier in chosen}
