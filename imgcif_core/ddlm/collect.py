"""From the frames of dictionaries to their methods and tabulated defaults."""

from collections.abc import Mapping, Sequence

from imgcif_core.cif.containers import Cell, decode_container
from imgcif_core.ddlm.load import Frame
from imgcif_core.ddlm.methods import PURPOSES, Method, Methods, Tabulated


def collect_methods(definitions: Mapping[str, Sequence[Frame]]) -> Methods:
    """The methods and tabulated defaults of merged definitions; the innermost definition counts alone."""
    by_id: dict[str, tuple[Method, ...]] = {}
    tabulated: dict[str, Tabulated] = {}
    for identifier, frames in definitions.items():
        methods = tuple(methods_of(frames[0]))
        if methods:
            by_id[identifier] = methods
        table = _table_of(frames[0])
        if table is not None:
            tabulated[identifier] = table
    return Methods(by_id, tabulated)


def methods_of(frame: Frame) -> list[Method]:
    """The methods that stand in one frame; one without a purpose evaluates."""
    expressions = frame.block.columns.get("_method.expression")
    if expressions is None:
        return []
    purposes = frame.block.columns.get("_method.purpose")
    found = []
    for row in range(len(expressions)):
        if expressions.is_null[row]:
            continue
        given = purposes.text(row) if purposes is not None and row < len(purposes) else ""
        purpose = next((name for name in PURPOSES if name.lower() == given.lower()), "Evaluation")
        source = frame.document.source
        line = source.line_of(int(expressions.starts[row]))
        found.append(Method(frame.id, purpose, expressions.text(row), source.path, line, frame.layer))
    return found


def _table_of(frame: Frame) -> Tabulated | None:
    """The tabulated defaults of a definition, its own or those of a template."""
    index = frame.all("_enumeration.def_index_ids") or frame.all("_enumeration.def_index_id")
    names = tuple(name.lower() for text in index for name in _parts(text))
    for category in ("_enumeration_defaults", "_enumeration_default"):
        keys, values = frame.all(f"{category}.index"), frame.all(f"{category}.value")
        if names and keys and values:
            return Tabulated(names, {tuple(_parts(key)): value for key, value in zip(keys, values, strict=False)})
    return None


def _parts(text: str) -> list[str]:
    """The elements of a list, or the text itself where it is none."""
    if not text.startswith("["):
        return [text]
    raw = text.encode("utf-8")
    found = decode_container(raw, 0, len(raw))
    return [entry.text for entry in found if isinstance(entry, Cell)] if isinstance(found, list) else [text]
