"""From the frames of dictionaries to their methods and tabulated defaults."""

from collections.abc import Mapping, Sequence

from imgcif_core.ddlm.frames import Frame, parts_of
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
    found = []
    for given, text, start in frame.methods:
        purpose = next((name for name in PURPOSES if name.lower() == given.lower()), "Evaluation")
        found.append(Method(frame.id, purpose, text, frame.source.path, frame.source.line_of(start), frame.layer))
    return found


def _table_of(frame: Frame) -> Tabulated | None:
    """The tabulated defaults of a definition, its own or those of a template."""
    index = frame.all("_enumeration.def_index_ids") or frame.all("_enumeration.def_index_id")
    names = tuple(name.lower() for text in index for name in parts_of(text))
    for category in ("_enumeration_defaults", "_enumeration_default"):
        keys, values = frame.all(f"{category}.index"), frame.all(f"{category}.value")
        if names and keys and values:
            return Tabulated(names, {tuple(parts_of(key)): value for key, value in zip(keys, values, strict=False)})
    return None
