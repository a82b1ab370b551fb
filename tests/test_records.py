"""Records behave as the data classes of the standard library do."""

import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from imgcif_core import records
from imgcif_core.findings import Finding, Location, Severity, Span


def made(dataclass: Callable[..., Any], field: Callable[..., Any], **options: bool) -> type:
    @dataclass(**options)
    class Record:
        name: str
        size: int = 3
        parts: list[int] = field(default_factory=list)
        hidden: int = field(default=0, repr=False, compare=False)

        def double(self) -> int:
            return 2 * self.size

    return Record


OPTIONS = [{"frozen": True, "slots": True}, {"frozen": True}, {"slots": True}, {}, {"slots": True, "eq": False}]


@pytest.fixture(params=OPTIONS, ids=str)
def both(request: pytest.FixtureRequest) -> tuple[type, type]:
    options = request.param
    return made(records.dataclass, records.field, **options), made(dataclasses.dataclass, dataclasses.field, **options)


def outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except Exception as error:
        return type(error)


ACTS = {
    "repr": lambda Record: repr(Record("a")).rpartition(".")[2],
    "positions": lambda Record: Record("a", 4, [1]).parts,
    "names": lambda Record: Record(size=1, name="b").name,
    "missing": lambda Record: Record(),
    "unknown": lambda Record: Record("a", other=1),
    "too many": lambda Record: Record("a", 1, [], 0, 5),
    "own list": lambda Record: Record("a").parts is Record("a").parts,
    "equal": lambda Record: Record("a", hidden=1) == Record("a", hidden=2),
    "other": lambda Record: Record("a") == Record("b"),
    "foreign": lambda Record: Record("a") == ("a", 3, [], 0),
    # Both are alive at once: where identity is hashed, one may come to lie where another has been.
    "hash": lambda Record: len({hash(record) for record in [Record("a", 1, ()), Record("a", 1, ())]}),
    "change": lambda Record: setattr(Record("a"), "size", 1),
    "delete": lambda Record: delattr(Record("a"), "size"),
    "fields": lambda Record: [entry.name for entry in dataclasses.fields(Record)],
    "dictionary": lambda Record: dataclasses.asdict(Record("a", 1, [2])),
    "replace": lambda Record: dataclasses.replace(Record("a"), size=7).double(),
    "is one": lambda Record: dataclasses.is_dataclass(Record("a")),
    "match": lambda Record: Record.__match_args__,
}


@pytest.mark.parametrize("name", ACTS)
def test_a_record_is_a_data_class(name: str, both: tuple[type, type]) -> None:
    ours, theirs = both
    assert outcome(lambda: ACTS[name](ours)) == outcome(lambda: ACTS[name](theirs))


def test_a_record_inherits_fields() -> None:
    @records.dataclass(frozen=True)
    class Base:
        name: str

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", self.name.upper())

    @records.dataclass(frozen=True)
    class Child(Base):
        size: int = 1

    assert (Child("a", 2).name, Child("a").size) == ("A", 1)
    assert dataclasses.replace(Child("a"), size=5) == Child("a", 5)
    assert Child("a") != Base("a")


def test_a_record_that_compares_by_itself_is_hashed_by_its_fields() -> None:
    @records.dataclass(frozen=True, slots=True)
    class Own:
        size: int

        def __eq__(self, other: object) -> bool:
            return True

    assert Own(1) == Own(2)
    assert hash(Own(1)) == hash((1,))


def test_findings_go_to_other_processes() -> None:
    finding = Finding(
        "SYN001", "x", Severity.ERROR, "m", location=Location("b", key={"id": "1"}, span=Span(1, 2, 3, 4))
    )
    assert pickle.loads(pickle.dumps(finding)) == finding


def test_no_class_of_the_package_is_generated_at_the_start() -> None:
    script = (
        "import dataclasses\n"
        "def refuse(*_): raise AssertionError('generated')\n"
        "dataclasses._process_class = refuse\n"
        "import imgcif_core.cli\n"
        "from imgcif_core.checks.registry import load_rules\n"
        "load_rules()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
