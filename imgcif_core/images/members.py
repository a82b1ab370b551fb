"""What an archive holds: members, and the names that may leave it."""

import re
from typing import NamedTuple

from imgcif_core.images.limits import BytesError
from imgcif_core.records import dataclass, field

_DRIVE = re.compile(r"[A-Za-z]:")


class Member(NamedTuple):
    """One entry of an archive: kind is file, folder, link, device or encrypted; size in bytes."""

    name: str
    size: int
    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The members of an archive in its order, and why the list may not be whole.

    `fault` tells what stopped the listing; the members before it are there.
    """

    members: tuple[Member, ...]
    fault: BytesError | None = None
    by_name: dict[str, Member] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, members: list[Member], fault: BytesError | None = None) -> "Listing":
        """A listing with its index; of two members of one name the later one counts, as in tar."""
        return cls(tuple(members), fault, {plain_name(member.name): member for member in members})

    @property
    def is_complete(self) -> bool:
        """True if every member was seen."""
        return self.fault is None

    def find(self, name: str) -> Member | None:
        """The member of a name; a leading `./` does not count."""
        return self.by_name.get(plain_name(name))


def plain_name(name: str) -> str:
    """A member name without what does not change its place: leading `./`, a closing slash."""
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return name.rstrip("/") if name.endswith("/") else name


def danger_of(name: str) -> str | None:
    """Why unpacking a member of this name could write outside the folder, None where it cannot."""
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "is absolute"
    if ".." in name and ".." in name.replace("\\", "/").split("/"):
        return "has .. in it"
    if "\0" in name:
        return "has a NUL in it"
    return None
