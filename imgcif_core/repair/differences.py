"""What edits change, as a unified diff of the stretches around them; the rest is not looked at."""

from collections.abc import Sequence

from imgcif_core.cif.document import Source
from imgcif_core.repair.apply import Patch, patched

CONTEXT = 3
WIDEST = 2000


def unified(source: Source, patches: Sequence[Patch], name: str | None = None) -> str:
    """The unified diff of a file before and after its patches; empty where nothing changes."""
    label = name if name is not None else source.path
    lines: list[str] = []
    shift = 0
    for first, last, inside in _stretches(source, patches):
        hunks, shift = _hunks(source, first, last, inside, shift)
        lines += hunks
    if not lines:
        return ""
    return "\n".join([f"--- {_visible(label)}", f"+++ {_visible(label)}", *lines]) + "\n"


def _stretches(source: Source, patches: Sequence[Patch]) -> list[tuple[int, int, list[Patch]]]:
    """Lines around patches, near ones taken together: first and last line, both counted from 1 and included."""
    found: list[tuple[int, int, list[Patch]]] = []
    for patch in patches:
        first = max(1, source.line_of(patch.start) - CONTEXT)
        last = min(len(source.line_starts), source.line_of(patch.end) + CONTEXT)
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]), [*found[-1][2], patch])
        else:
            found.append((first, last, [patch]))
    return found


def _hunks(source: Source, first: int, last: int, inside: list[Patch], shift: int) -> tuple[list[str], int]:
    """The hunks of one stretch, and how far the lines after it have moved."""
    import difflib

    begin = int(source.line_starts[first - 1])
    stop = int(source.line_starts[last]) if last < len(source.line_starts) else len(source.data)
    old = source.data[begin:stop]
    new = patched(old, [Patch(patch.start - begin, patch.end - begin, patch.text) for patch in inside])
    before, after = _lines(old), _lines(new)
    hunks: list[str] = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=len(before) > 2000).get_grouped_opcodes(CONTEXT):
        one, other = group[0], group[-1]
        old_at, new_at = first + one[1], first + shift + one[3]
        hunks.append(f"@@ -{_range(old_at, other[2] - one[1])} +{_range(new_at, other[4] - one[3])} @@")
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                hunks += [f" {line}" for line in before[i1:i2]]
            else:
                hunks += [f"-{line}" for line in before[i1:i2]]
                hunks += [f"+{line}" for line in after[j1:j2]]
    return hunks, shift + len(after) - len(before)


def _range(start: int, count: int) -> str:
    """Start and count as a diff writes them."""
    if count == 1:
        return str(start)
    return f"{start if count else start - 1},{count}"


def _lines(data: bytes) -> list[str]:
    """Lines as text, without their ends; bytes that are no text are shown as escapes."""
    text = data.decode("utf-8", "backslashreplace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [_visible(line[:WIDEST]) for line in lines]


def _visible(text: str) -> str:
    """Text without characters that steer a terminal."""
    return "".join(
        character if character.isprintable() or character == "\t" else f"\\x{ord(character):02x}" for character in text
    )
