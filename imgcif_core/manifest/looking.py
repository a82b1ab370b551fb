"""Where to look for the data behind the links of a file, and with what bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgcif_core.images.limits import Limits
from imgcif_core.images.local import LocalData
from imgcif_core.records import dataclass, field

if TYPE_CHECKING:
    from imgcif_core.net.links import Link
    from imgcif_core.net.network import Network
    from imgcif_core.net.settings import NetSettings


@dataclass(frozen=True, slots=True)
class Looking:
    """Copies on this machine (`local`, `maps`, `follow`) and the bounds of the network, None for no network.

    `base` is the folder that relative links start from; without `digests` copies are not read.
    """

    base: Path | None = None
    local: tuple[Path, ...] = ()
    maps: Mapping[str, str] = field(default_factory=dict)
    follow: bool = False
    digests: bool = True
    online: NetSettings | None = None
    limits: Limits = field(default_factory=Limits)

    def copies(self) -> LocalData:
        """What lies on this machine; to be closed."""
        return LocalData(
            base=self.base, local=self.local or None, maps=self.maps, follow=self.follow, limits=self.limits
        )


@contextmanager
def afresh(looking: Looking) -> Iterator[Looking]:
    """The same without answers of earlier runs, so that what is confirmed is as old as its date says.

    What one look is told serves the next one of the block, such as that of a check.
    """
    if looking.online is None:
        yield looking
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="imgcif-", ignore_cleanup_errors=True) as folder:
        yield replace(looking, online=replace(looking.online, cache=Path(folder)))


def network_of(looking: Looking, links: Collection[Link]) -> Network | None:
    """The network of a look, None where none is to be used; to be closed."""
    if looking.online is None:
        return None
    from imgcif_core.net.network import Network

    members = {link.uri: link.members for link in links}
    return Network(looking.online, expected=lambda uri: members.get(uri, ()))
