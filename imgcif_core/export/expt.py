"""DIALS experiment lists: beam, goniometer, detector, scans and images, as dxtbx reads them.

Source: the frame of dxtbx is that of imgCIF; a panel's origin is the outer corner of its first pixel;
axes of a goniometer are listed from the sample outwards.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from imgcif_core.export.numbers import in_one_file, numbered, tidy, tidy_list
from imgcif_core.export.sweeps import Plan, Sweep
from imgcif_core.sources.description import PanelFacts

_NO_LOOKUP: dict[str, Any] = {"mask": None, "gain": None, "pedestal": None, "dx": None, "dy": None, "params": {}}
# What a 32-bit counter holds: the limit where the file states none.
_UNLIMITED = 2.0**31


def write_expt(plan: Plan) -> tuple[str, list[str]]:
    """The text of an experiment list, and what it does not carry."""
    lists: dict[str, list[Any]] = {name: [] for name in ("imageset", "beam", "detector", "goniometer", "scan")}
    left_out = list(plan.left_out)
    experiments = []
    for sweep in plan.sweeps:
        scan = scan_model(sweep)
        entry: dict[str, Any] = {"__id__": "Experiment", "identifier": ""}
        entry["beam"] = _index(lists["beam"], beam_model(plan, sweep))
        entry["detector"] = _index(lists["detector"], detector_model(plan, sweep))
        if sweep.circles:
            entry["goniometer"] = _index(lists["goniometer"], goniometer_model(sweep))
            entry["scan"] = _index(lists["scan"], scan)
        if sweep.turning is not None and sweep.turning.step < 0:
            left_out.append(f"scan {sweep.id or 1}: {sweep.turning.id} turns backwards; axis and angles are reversed")
        images = _images(sweep)
        if images is None:
            left_out.append(_no_images(sweep))
        else:
            entry["imageset"] = len(lists["imageset"])
            lists["imageset"].append(images)
        experiments.append(entry)
    left_out += _defaults(plan)
    data = {
        "__id__": "ExperimentList",
        "experiment": experiments,
        **lists,
        "crystal": [],
        "profile": [],
        "scaling_model": [],
    }
    # One model a line: readable, and written by the compiled encoder, which knows no indents.
    parts = [f"{json.dumps(name)}: {_listed(part)}" for name, part in data.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n", list(dict.fromkeys(left_out))


def _listed(part: Any) -> str:
    """A list with an entry a line, or a plain value."""
    if not isinstance(part, list) or not part:
        return json.dumps(part)
    return "[\n" + ",\n".join(f" {json.dumps(entry)}" for entry in part) + "\n]"


def _index(known: list[Any], model: Any) -> int:
    """The place of a model in its list; one that is there already is shared."""
    if model in known:
        return known.index(model)
    known.append(model)
    return len(known) - 1


def beam_model(plan: Plan, sweep: Sweep) -> dict[str, Any]:
    """The beam; what the file does not state is left to the defaults of dxtbx."""
    beam: dict[str, Any] = {
        "__id__": "monochromatic",
        "direction": tidy_list(sweep.source),
        "wavelength": tidy(sweep.wavelength),
        "divergence": 0.0,
        "sigma_divergence": 0.0,
        "flux": 0.0,
        "transmission": 1.0,
    }
    if plan.polarization is not None:
        beam["polarization_fraction"] = tidy(plan.polarization[0])
        beam["polarization_normal"] = tidy_list(plan.polarization[1])
    if plan.probe in ("x-ray", "electron", "neutron"):
        beam["probe"] = plan.probe
    return beam


def detector_model(plan: Plan, sweep: Sweep) -> dict[str, Any]:
    """The panels below a root that stands in the laboratory frame; arrays of their own are groups."""
    panels = [_panel(plan, panel) for panel in sweep.panels]
    leaves = [{"panel": index} for index in range(len(panels))]
    arrays = list(dict.fromkeys(sweep.arrays))
    children: list[Any] = leaves
    if 1 < len(arrays) < len(panels):
        children = [
            {**_group(name), "children": [leaf for leaf, own in zip(leaves, sweep.arrays, strict=True) if own == name]}
            for name in arrays
        ]
    return {"panels": panels, "hierarchy": {**_group(""), "children": children}}


def _group(name: str) -> dict[str, Any]:
    """A part of the detector that stands in the frame of the laboratory."""
    return {
        "name": name,
        "type": "",
        "fast_axis": [1.0, 0.0, 0.0],
        "slow_axis": [0.0, 1.0, 0.0],
        "origin": [0.0, 0.0, 0.0],
        "raw_image_offset": [0, 0],
        "image_size": [0, 0],
        "pixel_size": [0.0, 0.0],
        "trusted_range": [0.0, 0.0],
        "thickness": 0.0,
        "material": "",
        "mu": 0.0,
        "identifier": "",
        "mask": [],
        "gain": 1.0,
        "pedestal": 0.0,
        "px_mm_strategy": {"type": "SimplePxMmStrategy"},
    }


def trusted_range(panel: PanelFacts) -> list[float]:
    """Limits between the values that count and those that do not, half a count beside each.

    dxtbx counted the limits among the bad values up to version 3.11 and counts them among the good ones
    since 3.12: halves mean the same to both.
    """
    low = max(0.0, panel.underload) if panel.underload is not None else 0.0
    high = panel.overload if panel.overload is not None and panel.overload > low + 1.0 else _UNLIMITED
    return [tidy(low - 0.5), tidy(high - 0.5)]


def _panel(plan: Plan, panel: PanelFacts) -> dict[str, Any]:
    """One panel."""
    return {
        **_group(panel.name),
        "type": "SENSOR_PAD",
        "fast_axis": tidy_list(panel.fast),
        "slow_axis": tidy_list(panel.slow),
        "origin": tidy_list(panel.corner),
        "raw_image_offset": list(panel.raw_offset),
        "image_size": list(panel.size),
        "pixel_size": tidy_list(panel.pixel_size),
        "trusted_range": trusted_range(panel),
        "thickness": tidy(panel.thickness or 0.0),
        "material": plan.facts.get("sensor_material", ""),
        "identifier": plan.facts.get("detector", ""),
        "gain": tidy(panel.gain or 1.0),
    }


def goniometer_model(sweep: Sweep) -> dict[str, Any]:
    """The circles from the sample outwards; dxtbx takes positive steps only."""
    circles = list(reversed(sweep.forwards))
    turning = next((index for index, circle in enumerate(circles) if circle.step != 0), len(circles) - 1)
    return {
        "axes": [tidy_list(circle.vector) for circle in circles],
        "angles": [tidy(circle.start) for circle in circles],
        "names": [circle.id for circle in circles],
        "scan_axis": turning,
    }


def scan_model(sweep: Sweep) -> dict[str, Any]:
    """The range of images; numbers are those in the names of the files, where these have any."""
    first = sweep.number
    if sweep.images is not None:
        names = numbered(sweep.images)
        if names is not None:
            first = names[1]
        elif in_one_file(sweep.images):
            first = int(sweep.images.frame[0])
    turning = (sweep.turning or sweep.circles[-1]).forwards if sweep.circles else None
    start, step = (turning.start, turning.step) if turning is not None else (0.0, 0.0)
    return {
        "image_range": [first, first + sweep.frames - 1],
        "batch_offset": 0,
        "oscillation": [tidy(start), tidy(step)],
        "exposure_time": [tidy(sweep.exposure_time or 0.0)] * sweep.frames,
        "epochs": _epochs(sweep),
        "valid_image_ranges": {},
    }


def _epochs(sweep: Sweep) -> list[float]:
    """The times of the frames in seconds since 1970, evenly between the first and the last; else zeros."""
    times = [_epoch(date) for date in sweep.dates]
    if times[0] is None or times[1] is None or times[1] < times[0]:
        return [times[0] or 0.0] * sweep.frames
    found: list[float] = np.linspace(times[0], times[1], sweep.frames).round(6).tolist()
    return found


def _epoch(date: str | None) -> float | None:
    """Seconds since 1970 of a date; one without a zone is taken as UTC."""
    try:
        found = datetime.fromisoformat(date or "")
    except ValueError:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def _images(sweep: Sweep) -> dict[str, Any] | None:
    """The set of images: numbered files, frames of one file, or a list of stills."""
    images = sweep.images
    if images is None:
        return None
    if not sweep.circles:
        names = [images.files[index] for index in images.file.tolist()]
        found = {"__id__": "ImageSet", "images": names, **_NO_LOOKUP}
        if images.path is not None or len(images.files) < len(images):
            found["single_file_indices"] = (images.frame - 1).tolist()
        return found
    names_of = numbered(images)
    if names_of is not None:
        head, _, width, tail = names_of
        return {"__id__": "ImageSequence", "template": f"{head}{'#' * width}{tail}", **_NO_LOOKUP}
    if in_one_file(images):
        indices = (images.frame - 1).tolist()
        return {"__id__": "ImageSequence", "template": images.files[0], "single_file_indices": indices, **_NO_LOOKUP}
    return None


def _no_images(sweep: Sweep) -> str:
    """Why a sweep has no images."""
    name = f"scan {sweep.id or 1}"
    if sweep.images is None:
        return f"{name}: its images are several arrays, or not linked; give them to dials.import with this geometry"
    return f"{name}: its files are not numbered one after the other, so that no template names them"


def _defaults(plan: Plan) -> Sequence[str]:
    """What the file does not say, and dxtbx therefore takes for granted."""
    found = []
    if plan.polarization is None:
        found.append("polarization is not given; dxtbx takes its default")
    if any(panel.overload is None for sweep in plan.sweeps for panel in sweep.panels):
        found.append("overload is not given for every panel; none is written")
    if any(panel.undefined_value is not None and panel.undefined_value >= 0 for s in plan.sweeps for panel in s.panels):
        found.append("the value of undefined pixels lies among the trusted ones; mask it in DIALS")
    return found
