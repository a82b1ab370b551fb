"""What the caller asks of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgcif_core.limits import DEFAULT_LIMITS, Limits
from imgcif_core.records import dataclass, field

if TYPE_CHECKING:
    from imgcif_core.model.repositories import Record
    from imgcif_core.net.settings import NetSettings
    from imgcif_core.sources.description import Experiment

ImageDepth = Literal["none", "header", "sample", "all"]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The choices of one run; the defaults are those of the command line.

    `select` and `ignore` hold rule codes, names or prefixes of codes such as `AXI`; `against` is a source to
    compare with, or what it describes; `methods` runs the methods of the dictionary; `local` are folders that
    stand in for servers, and `follow` allows links that lead out of these; `limits` bound what one
    file may take. The command and its workers give a rule `rule_seconds`, the library any time. `records` is
    what repositories tell of the records behind the links, None where nobody asked them. `online` are the bounds
    within which links are followed over the network; None for no network at all.
    """

    profile: str = "auto"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    block: str | None = None
    images: ImageDepth = "header"
    local: Path | Sequence[Path] | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    against: str | Path | Experiment | Sequence[str | Path] | None = None
    methods: bool = False
    debug: bool = False
    follow: bool = False
    limits: Limits = DEFAULT_LIMITS
    rule_seconds: float | None = None
    records: Sequence[Record] | None = None
    online: NetSettings | None = None
