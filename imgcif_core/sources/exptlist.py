"""What becomes of every value of a DIALS experiment list, apart from zeros and empty texts, which say nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imgcif_core.sources.statements import NO_ITEM, Fate, Statement

_USED: dict[str, set[str]] = {
    "beam": {
        "direction",
        "wavelength",
        "wavelength_range",
        "polarization_normal",
        "polarization_fraction",
        "flux",
        "probe",
    },
    "goniometer": {"rotation_axis", "fixed_rotation", "setting_rotation", "axes", "angles", "names", "scan_axis"},
    "scan": {"image_range", "oscillation", "exposure_time", "epochs", "oscillation_width", "time_of_flight"},
    "imageset": {"template", "images", "single_file_indices"},
    "detector": {"name", "fast_axis", "slow_axis", "origin", "raw_image_offset", "image_size", "pixel_size"}
    | {"trusted_range", "thickness", "material", "gain", "identifier", "panel"},
}
_PROCESSING = "it is a result or a choice of the processing, not of the measurement"
_REASONS = {
    "mu": "it follows from material, thickness and wavelength",
    "mask": "imgCIF has no regions of bad pixels",
    "batch_offset": _PROCESSING,
    "px_mm_strategy": _PROCESSING,
    "params": _PROCESSING,
    "sample_to_source_distance": NO_ITEM,
}
_RESULTS = ("crystal", "profile", "scaling_model")
_SILENT = ("__id__", "type")
# The unit matrices of frames that turn nothing, and the transmission of an open beam.
_DEFAULTS = {"transmission": 1.0, "pedestal": 0.0}


def statements_of(data: Mapping[str, Any]) -> tuple[Statement, ...]:
    """A statement for each kind of value of each model, with its first value."""
    found: dict[str, Statement] = {}
    for part, used in _USED.items():
        for record in _records(data.get(part)):
            for name, value in _leaves(record):
                if _is_silent(name, value):
                    continue
                fate = Fate.USED if name in used else Fate.LEFT_OUT
                reason = "" if fate is Fate.USED else _REASONS.get(name, NO_ITEM)
                place = f"{part}/{name}"
                found.setdefault(place, Statement(place, _shown(value), fate, reason))
    for part in _RESULTS:
        if data.get(part):
            found[part] = Statement(part, f"({len(data[part])})", Fate.LEFT_OUT, _PROCESSING)
    return tuple(found.values())


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    """The models of one kind."""
    for entry in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if isinstance(entry, Mapping):
            yield entry


def _leaves(record: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Name and value of everything in a model; panels, groups and properties are entered."""
    for name, value in record.items():
        if name in ("panels", "children", "hierarchy", "properties") and depth < 32:
            for entry in [value] if isinstance(value, Mapping) else _records(value):
                yield from _leaves(entry, depth + 1)
        else:
            yield str(name), value


def _is_silent(name: str, value: Any) -> bool:
    """True for what says nothing: nulls, zeros, empty texts and lists, defaults."""
    if name in _SILENT or value is None or value == "" or value == [] or value == {}:
        return True
    if name in _DEFAULTS and value == _DEFAULTS[name]:
        return True
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value == 0
    return isinstance(value, list) and all(isinstance(entry, (int, float)) and entry == 0 for entry in value)


def _shown(value: Any) -> str:
    """A value on one line, of long ones the beginning."""
    return str(value[:50] if isinstance(value, list) else value)[:100]
