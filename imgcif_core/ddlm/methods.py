"""The methods and tabulated defaults of dictionaries, as text; nothing here parses or runs them."""

import hashlib
from collections.abc import Mapping

from imgcif_core.records import cached_property, dataclass, field

PURPOSES = ("Evaluation", "Definition", "Validation")


@dataclass(frozen=True, slots=True)
class Method:
    """One method: the definition that it belongs to, its purpose, its text, and where the text begins."""

    id: str
    purpose: str
    text: str
    file: str
    line: int
    layer: str


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Defaults by the values of other items: `index` names them, `values` are the texts by their texts."""

    index: tuple[str, ...]
    values: Mapping[tuple[str, ...], str]


@dataclass(frozen=True)
class Methods:
    """What dictionaries say in methods, by lower-case definition id."""

    by_id: Mapping[str, tuple[Method, ...]] = field(default_factory=dict)
    tabulated: Mapping[str, Tabulated] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_id)

    def __len__(self) -> int:
        return sum(map(len, self.by_id.values()))

    def all(self) -> list[Method]:
        """Every method, in the order of definitions."""
        return [method for methods in self.by_id.values() for method in methods]

    def of(self, identifier: str, purpose: str) -> tuple[Method, ...]:
        """The methods of one purpose that a definition has."""
        found = self.by_id.get(identifier.lower(), ())
        return tuple(method for method in found if method.purpose == purpose)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all texts: the same methods have the same digest."""
        digest = hashlib.sha256()
        for method in self.all():
            digest.update(f"{method.id}\0{method.purpose}\0{method.text}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def joined(self, other: "Methods") -> "Methods":
        """These and those of another dictionary, where both define an item these first."""
        by_id = dict(self.by_id)
        for identifier, methods in other.by_id.items():
            purposes = {method.purpose for method in by_id.get(identifier, ())}
            by_id[identifier] = (
                *by_id.get(identifier, ()),
                *(method for method in methods if method.purpose == "Validation" or method.purpose not in purposes),
            )
        return Methods(by_id, {**other.tabulated, **self.tabulated})
