"""Print the models that dxtbx reads from image files, as JSON by path: run by the Python that has dxtbx.

A file that dxtbx does not read gives its error in place of models.
"""

import json
import os
import sys


def models_of(path):
    """Panels, beam, goniometer and scan of the first experiment of a file."""
    from dxtbx.model.experiment_list import ExperimentListFactory

    experiment = ExperimentListFactory.from_filenames([path])[0]
    panels = [
        {
            "name": panel.get_name(),
            "size": panel.get_image_size(),
            "pixel_size": panel.get_pixel_size(),
            "origin": panel.get_origin(),
            "fast": panel.get_fast_axis(),
            "slow": panel.get_slow_axis(),
        }
        for panel in experiment.detector
    ]
    beam = experiment.beam
    found = {
        "panels": panels,
        "wavelength": beam.get_wavelength(),
        "source": [-part for part in beam.get_unit_s0()],
        "goniometer": None,
        "scan": None,
    }
    goniometer, scan = experiment.goniometer, experiment.scan
    if goniometer is not None:
        found["goniometer"] = {
            "axis": goniometer.get_rotation_axis_datum(),
            "fixed": goniometer.get_fixed_rotation(),
            "setting": goniometer.get_setting_rotation(),
        }
        if hasattr(goniometer, "get_axes"):
            found["goniometer"]["names"] = list(goniometer.get_names())
            found["goniometer"]["axes"] = [list(axis) for axis in goniometer.get_axes()]
            found["goniometer"]["angles"] = list(goniometer.get_angles())
    if scan is not None:
        found["scan"] = {"oscillation": scan.get_oscillation(), "images": scan.get_num_images()}
    return found


def main():
    """Print one JSON object; what the libraries print themselves goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    found = {}
    for path in sys.argv[1:]:
        try:
            found[path] = models_of(path)
        except Exception as error:  # any failure of the reader is an answer here
            found[path] = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    with os.fdopen(out, "w") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    main()
