"""CrystFEL geometry files: panels of detectors for serial crystallography, with HDF5 images.

CrystFEL's frame has z along the beam and y up; x completes the right-handed set. With x and z
reversed it is a frame with z towards the source. Corners are outer corners of pixels, in pixels.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.inputs import read_text
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.sources.description import (
    Origin,
    Provenance,
)
from imgcif_core.sources.geomdata import ELECTRON_PER_V, ELECTRON_V_ANGSTROM, read_frame_data
from imgcif_core.sources.geomdraft import GeomDraft, GeomPanel
from imgcif_core.sources.statements import NO_ITEM, Fate, Statement

MAX_PANELS = 100_000
_LARGEST = 1e12
_TERM = re.compile(r"([+-]?)\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)?\s*\*?\s*([xyz])")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµ]*)\Z")
_LENGTHS = {"": 1e3, "m": 1e3, "mm": 1.0, "cm": 10.0, "um": 1e-3}
_ENERGIES = {"": 1e-3, "ev": 1e-3, "kev": 1.0, "mev": 1e3}
_NOT_PANELS = re.compile(r"(bad|rigid_group|group)")


def read_geom(path: str | Path, data_files: Sequence[str] = (), reach: Reach = OWN_FOLDER) -> GeomDraft:
    """The geometry in a file, for the images in data files if any are given, whose links lead where `reach` allows.

    Raises
    ------
    InputError
        If the file cannot be read, defines no panel, or lacks something that every panel needs.
    """
    if data_files:
        from imgcif_core.sources.isolated import call

        found: GeomDraft = call("geometry", path, list(data_files), list(reach.folders), reach.is_following)
        return found
    return read_geom_and_data(path)


def read_geom_and_data(
    path: str | Path, data_files: Sequence[str] = (), folders: Sequence[str] = (), is_following: bool = False
) -> GeomDraft:
    """The same in this very process."""
    name = str(path)
    text = read_text(path, errors="replace")
    top, panels = parse_geom(text, name)
    draft = GeomDraft(name, tuple(panels), notes=(), statements=_statements(text, bool(data_files)))
    return with_data(_with_beam(draft, top), top, data_files, Reach(tuple(folders), is_following))


def parse_geom(text: str, name: str) -> tuple[dict[str, str], list[GeomPanel]]:
    """The settings of the whole file, and its panels in order."""
    defaults: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        body = line.partition(";")[0].strip()
        if not body:
            continue
        key, equals, value = body.partition("=")
        if not equals:
            raise InputError(f"{name}: line {number} is no `name = value`")
        key, value = key.strip(), value.strip()
        panel, slash, item = key.partition("/")
        if not slash:
            defaults[key] = value
        elif not _NOT_PANELS.match(panel):
            # Defaults count as they stand when a panel is first named.
            own.setdefault(panel, dict(defaults))[item] = value
    if not own:
        raise InputError(f"{name}: defines no panel")
    if len(own) > MAX_PANELS:
        raise InputError(f"{name}: defines {len(own)} panels, more than {MAX_PANELS}")
    groups = _groups(defaults)
    return defaults, [_panel(panel, values, groups.get(panel, ()), name) for panel, values in own.items()]


_USED = {"photon_energy", "wavelength", "electron_voltage", "clen", "coffset", "res", "data", "max_adu", "fs", "ss"}
_USED |= {"min_fs", "max_fs", "min_ss", "max_ss", "corner_x", "corner_y", "adu_per_photon"}
_MASKS = ("mask", "mask_file", "mask_good", "mask_bad", "flag_lessthan", "flag_morethan", "flag_equal", "no_index")


def _statements(text: str, has_data: bool) -> tuple[Statement, ...]:
    """What becomes of every setting of a geometry file; those of panels that are left out, once for all panels."""
    found: dict[str, Statement] = {}
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition(";")[0].partition("="))
        if not equals:
            continue
        panel, _, item = key.rpartition("/")
        fate, reason = _fate(panel or key if panel.startswith("bad") or not panel else panel, item, value, has_data)
        is_shared = fate is Fate.LEFT_OUT and bool(panel) and not panel.startswith("bad")
        place = f"{item} of panels" if is_shared else key
        found.setdefault(place, Statement(place, value, fate, reason))
    return tuple(found.values())


def _fate(panel: str, item: str, value: str, has_data: bool) -> tuple[Fate, str]:
    """What becomes of one setting."""
    if panel.startswith("bad"):
        return Fate.LEFT_OUT, "imgCIF has no regions of bad pixels"
    if item.startswith(("rigid_group", "group")):
        is_set = "collection" in item
        return (Fate.LEFT_OUT, NO_ITEM) if is_set else (Fate.USED, "")
    if item.rstrip("0123456789") in _MASKS:
        return Fate.LEFT_OUT, "imgCIF has no masks of pixels"
    if item in _USED or re.fullmatch(r"dim\d", item):
        if value.startswith("/") and item != "data" and not has_data:
            return Fate.ASKED, ""
        return Fate.USED, ""
    return Fate.LEFT_OUT, NO_ITEM


def _groups(defaults: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The rigid groups of each panel, the largest first."""
    members = {
        key.removeprefix("rigid_group_"): [part.strip() for part in value.split(",")]
        for key, value in defaults.items()
        if key.startswith("rigid_group_") and not key.startswith("rigid_group_collection")
    }
    found: dict[str, tuple[str, ...]] = {}
    for group in sorted(members, key=lambda name: -len(members[name])):
        for panel in members[group]:
            found[panel] = (*found.get(panel, ()), group)
    return found


def _panel(panel: str, values: Mapping[str, str], group: tuple[str, ...], name: str) -> GeomPanel:
    """One panel from its own settings and the defaults before it."""

    def number(item: str, default: float | None = None) -> float:
        if item not in values:
            if default is None:
                raise InputError(f"{name}: panel {panel} has no {item}")
            return default
        found = _NUMBER.match(values[item])
        if found is None or found[2] or not abs(float(found[1])) < _LARGEST:
            raise InputError(f"{name}: panel {panel}, {item} = {values[item]} is no number")
        return float(found[1])

    first = int(number("min_fs")), int(number("min_ss"))
    last = int(number("max_fs")), int(number("max_ss"))
    if last[0] < first[0] or last[1] < first[1]:
        raise InputError(f"{name}: panel {panel} ends at {last}, before it begins at {first}")
    res = number("res")
    if res <= 0:
        raise InputError(f"{name}: panel {panel} has {res:g} pixels per metre")
    gain = number("adu_per_photon", 0.0) if "adu_per_photon" in values else 0.0
    fast, slow = (_vector(values.get(item, default), name, panel) for item, default in (("fs", "x"), ("ss", "y")))
    if np.linalg.norm(np.cross(fast, slow)) < 1e-6:
        raise InputError(f"{name}: panel {panel} has fs and ss that are parallel")
    dims = [values[key] for key in sorted(key for key in values if re.fullmatch(r"dim\d", key))]
    return GeomPanel(
        panel,
        first,
        (last[0] - first[0] + 1, last[1] - first[1] + 1),
        (number("corner_x"), number("corner_y")),
        fast,
        slow,
        res,
        _length(values.get("clen"), name, panel),
        1e3 * number("coffset", 0.0),
        values.get("data"),
        tuple(dims),
        number("max_adu") if "max_adu" in values else None,
        gain or None,
        group,
    )


def _vector(text: str, name: str, panel: str) -> np.ndarray:
    """A direction such as `+0.0048x -0.99y`: (3,)."""
    found = np.zeros(3)
    rest = _TERM.sub("", text).strip()
    terms = _TERM.findall(text)
    if rest or not terms:
        raise InputError(f"{name}: panel {panel} has a direction {text!r}, expected such as +0.1x -0.9y")
    if any(factor and not float(factor) < _LARGEST for _, factor, _ in terms):
        raise InputError(f"{name}: panel {panel} has a direction {text!r}, which is beyond all measure")
    for sign, factor, letter in terms:
        found["xyz".index(letter)] += (-1.0 if sign == "-" else 1.0) * float(factor or 1.0)
    return found


def _length(text: str | None, name: str, panel: str) -> float | str | None:
    """A camera length in mm, or where it lies in the data."""
    if text is None or text.startswith("/"):
        return text
    found = _NUMBER.match(text)
    if found is None or found[2].lower() not in _LENGTHS:
        raise InputError(f"{name}: panel {panel}, clen = {text} is neither a length nor a path")
    return float(f"{float(found[1]) * _LENGTHS[found[2].lower()]:.12g}")


def _with_beam(draft: GeomDraft, top: Mapping[str, str]) -> GeomDraft:
    """The wavelength from photon energy, wavelength or electron voltage, where these are numbers."""
    for name, scales, probe, convert in (
        ("wavelength", {"": 1e10, "m": 1e10, "a": 1.0}, None, float),
        ("photon_energy", _ENERGIES, "x-ray", wavelength_of),
        ("electron_voltage", {"": 1.0, "v": 1.0, "kv": 1e3, "mv": 1e6}, "electron", electron_wavelength),
    ):
        found = _NUMBER.match(top.get(name, ""))
        if found is None:
            continue
        scale = scales.get(found[2].lower())
        if scale is None:
            raise InputError(f"{draft.path}: {name} = {top[name]} has an unknown unit")
        value = float(found[1]) * scale
        if value == 0:
            continue
        if not 1e-12 < value < _LARGEST:
            raise InputError(f"{draft.path}: {name} = {top[name]} is beyond all measure")
        source = Provenance(Origin.FILE, draft.path, name)
        draft = draft.with_fact("wavelength", float(f"{convert(value):.12g}"), source)
        return draft.with_fact("probe", probe, source) if probe else draft
    return draft


def wavelength_of(energy: float) -> float:
    """The wavelength in ångström of photons of an energy in keV."""
    return float(f"{HC_KEV_ANGSTROM / energy:.12g}")


def electron_wavelength(volts: float) -> float:
    """The relativistic de Broglie wavelength of electrons, in ångström.

    h / sqrt(2 m e V (1 + e V / 2 m c^2)), CODATA 2018.
    """
    return float(f"{ELECTRON_V_ANGSTROM / np.sqrt(volts * (1.0 + ELECTRON_PER_V * volts)):.10g}")


def with_data(draft: GeomDraft, top: Mapping[str, str], data_files: Sequence[str], reach: Reach) -> GeomDraft:
    """The draft with the frames of data files, and with what these hold of energy and camera length."""
    paths = {panel.data for panel in draft.panels}
    if not data_files:
        return draft
    if len(paths) != 1 or None in paths:
        raise InputError(
            f"{draft.path}: the panels lie in {len(paths)} datasets, which are not linked; give one `data`"
        )
    lengths = {panel.clen for panel in draft.panels if isinstance(panel.clen, str)}
    keys = ("photon_energy", "wavelength", "electron_voltage")
    wanted = {key: top[key] for key in keys if top.get(key, "").startswith("/")}
    data = read_frame_data(draft, data_files, str(paths.pop()), wanted, sorted(lengths), reach)
    draft = replace(draft, data=data, notes=(*draft.notes, *data.notes))
    source = Provenance(Origin.FILE, data_files[0], ", ".join(wanted.values()))
    if data.wavelengths is not None and len(data.wavelengths):
        values = data.wavelengths
        draft = draft.with_fact("wavelength", float(f"{np.mean(values):.12g}"), source)
        draft = replace(draft, wavelengths=values if len(values) > 1 and np.ptp(values) > 0 else None)
        probe = "electron" if "electron_voltage" in wanted else "x-ray" if "photon_energy" in wanted else None
        draft = draft.with_fact("probe", draft.probe or probe, source)
    if data.distance is not None:
        length = data.distance + draft.panels[0].coffset
        draft = draft.with_fact("distance", length, Provenance(Origin.FILE, data_files[0], lengths.pop()))
    return draft
