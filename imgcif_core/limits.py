"""How much is read, unpacked, kept and computed for one input that somebody else made, each limit with its reason."""

import threading
import time
from dataclasses import fields, replace
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.records import dataclass

MIB = 1 << 20
GIB = 1 << 30
# Below this size, in bytes, an input stays within the limits as they are; those of larger ones grow with them.
SMALL_INPUT = 10_000_000
# Text of many equal rows packs some twenty to one; what packs better by far holds nothing. Small files may.
TEXT_RATIO, FREE_TEXT = 200, 64 * MIB
_UNITS = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000, "ki": 1 << 10, "mi": MIB, "gi": GIB, "ti": 1 << 40}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of work on one input; sizes in bytes, times in seconds."""

    # The largest single-crystal collections hold some 100,000 images.
    members: int = 1_000_000
    # A listing of a packed archive reads all of it: a day's work of a fast detector.
    expanded_bytes: int = 1 << 40
    # One member: a stack of some thousand images of 16 Mpixel.
    member_bytes: int = 16 * GIB
    # Gzip cannot do better than 1,032 to 1; a blank image, packed twice, does.
    ratio: int = 2000
    # Small files reach high ratios without harm.
    free_bytes: int = 256 * MIB
    # Long names and extended headers of tar archives, all names together, the directory of zip archives.
    header_bytes: int = 1 * MIB
    names_bytes: int = 256 * MIB
    directory_bytes: int = 256 * MIB
    # Memory of an xz decoder: its strongest preset needs 65 MiB.
    decoder_bytes: int = 256 * MIB
    # A text with its tables, unpacked.
    bytes: int = 4 * GIB
    # Memory of the process that decodes and unpacks; images of the largest detectors need a third of it.
    memory: int = 1 * GIB
    # Room for unpacked members.
    disk: int = 1 * GIB
    # Computing and waiting for one file and all that it leads to; None for any time.
    cpu: float | None = 60.0
    wall: float | None = None

    def allowed(self, packed: int, most: int) -> int:
        """The number of bytes that `packed` bytes may expand to."""
        return min(most, max(self.free_bytes, self.ratio * packed))

    def text_from(self, packed: int) -> int:
        """The number of bytes of text that `packed` bytes may expand to: of small files no more than fits in memory."""
        most = min(self.bytes, max(FREE_TEXT, TEXT_RATIO * packed))
        return min(most, self.memory // 4) if packed < SMALL_INPUT else most

    def memory_for(self, size: int) -> int:
        """The memory that a check of a text of a size on disk may take."""
        return int(self.memory * max(1.0, size / SMALL_INPUT))

    def image_bytes(self) -> int:
        """The bytes that one image may take, decoded."""
        return image_bytes_of(self.memory)

    def disk_for(self, packed: int) -> int:
        """The room that members of an archive of a size may take at a time."""
        return max(self.disk, 50 * packed)

    def with_settings(self, settings: list[str]) -> "Limits":
        """These limits with some set as NAME=VALUE; sizes may end in k, M, G or Ki, Mi, Gi.

        Raises
        ------
        UsageError
            If there is no such limit, or the value is none.
        """
        found = self
        for entry in settings:
            name, _, text = entry.partition("=")
            if name not in {field.name for field in fields(self)}:
                raise UsageError(f"--limit {entry}: expected one of {', '.join(f.name for f in fields(self))}")
            value: Any = _amount(entry, text, is_time=name in ("cpu", "wall"))
            found = replace(found, **{name: value})
        return found


def _amount(entry: str, text: str, *, is_time: bool) -> float | None:
    """A number of bytes, members or seconds."""
    if is_time and text.casefold() == "none":
        return None
    digits = text.rstrip("kKMGTiB").strip()
    unit = text[len(digits) :].strip().removesuffix("B").casefold()
    try:
        value = float(digits) * _UNITS[unit]
    except (ValueError, KeyError):
        raise UsageError(f"--limit {entry}: expected a number such as 500, 60.5, 200M or 2GiB") from None
    if not 0 < value < 1 << 62:
        raise UsageError(f"--limit {entry}: expected a number above 0")
    return value if is_time else int(value)


DEFAULT_LIMITS = Limits()


def image_bytes_of(memory: int) -> int:
    """The bytes that one image may take of so much memory: it is held some five times while spots are looked for."""
    return 3 * memory // 16


def shared_image_bytes(half: int) -> int:
    """The bytes that one of two images at a time may take: each is held by two processes, besides what counts it."""
    return half // 7


class Budget:
    """The time that is left for one check, whatever process computes; it grows with what is read.

    `size` is that of the input as it lies on disk, in bytes; times are in seconds.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, size: int = 0) -> None:
        self._limits, self._size = limits, size
        self._elsewhere = 0.0
        self._lock = threading.Lock()
        self._began = time.monotonic(), time.process_time()

    def admit(self, size: int) -> None:
        """Count a further input, such as a file of images."""
        with self._lock:
            self._size += size

    def charge(self, seconds: float) -> None:
        """Count what another process has computed."""
        with self._lock:
            self._elsewhere += seconds

    @property
    def cpu(self) -> float | None:
        """The computing time that all may take together, None for any."""
        return None if self._limits.cpu is None else self._limits.cpu * max(1.0, self._size / SMALL_INPUT)

    @property
    def cpu_left(self) -> float | None:
        """The computing time that is left, at least 0; None for any."""
        most = self.cpu
        return None if most is None else max(0.0, most - (time.process_time() - self._began[1] + self._elsewhere))

    @property
    def wall_left(self) -> float | None:
        """The time on the clock that is left, at least 0; None for any."""
        if self._limits.wall is None:
            return None
        return max(0.0, self._limits.wall - (time.monotonic() - self._began[0]))

    def is_up(self) -> str:
        """Why no further work may begin, or an empty text."""
        if self.wall_left == 0.0:
            return f"the time for one file, {self._limits.wall:g} s, is used up (--limit wall=SECONDS allows more)"
        if self.cpu_left == 0.0:
            return f"the computing time for one file, {self.cpu:g} s, is used up (--limit cpu=SECONDS allows more)"
        return ""
