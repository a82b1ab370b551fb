"""Write a DIALS experiment list of 8 scans: `make_expt.py 100000 -o large.expt`."""

import argparse
import json
from pathlib import Path

import numpy as np

SCANS = 8
NAMES = ("GON_PHI", "GON_OMEGA")
AXES = ([0.914, 0.279, -0.297], [1.0, 0.0, 0.0])


def detector(two_theta: float) -> dict:
    """A flat detector 160 mm away on an arm that turns about X."""
    sine, cosine = np.sin(np.radians(two_theta)), np.cos(np.radians(two_theta))
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    panel = {
        "name": "Panel",
        "identifier": "PILATUS 2M",
        "fast_axis": (turn @ [0.0, 1.0, 0.0]).tolist(),
        "slow_axis": (turn @ [1.0, 0.0, 0.0]).tolist(),
        "origin": (turn @ [-148.95, -127.28, -160.0]).tolist(),
        "image_size": [1475, 1679],
        "pixel_size": [0.172, 0.172],
        "trusted_range": [0, 791926],
        "thickness": 0.32,
        "material": "Si",
        "gain": 1.0,
    }
    return {"panels": [panel]}


def experiments(frames: int) -> dict:
    """The whole list, the frames shared out among the scans."""
    counts = [frames // SCANS + (number < frames % SCANS) for number in range(SCANS)]
    return {
        "__id__": "ExperimentList",
        "experiment": [
            {
                "__id__": "Experiment",
                "beam": 0,
                "detector": number % 3,
                "goniometer": number,
                "scan": number,
                "imageset": number,
            }
            for number in range(SCANS)
        ],
        "beam": [{"direction": [0.0, 0.0, 1.0], "wavelength": 0.6889, "__id__": "monochromatic", "probe": "x-ray"}],
        "detector": [detector(angle) for angle in (30.0, 0.0, -55.0)],
        "goniometer": [
            {"axes": list(AXES), "angles": [10.0 * number, 0.0], "names": list(NAMES), "scan_axis": 1}
            for number in range(SCANS)
        ],
        "scan": [
            {
                "image_range": [1, count],
                "oscillation": [-90.0, 0.01],
                "exposure_time": [0.2] * count,
                "epochs": [1.6e9 + number for number in range(count)],
            }
            for count in counts
        ],
        "imageset": [
            {"__id__": "ImageSequence", "template": f"/data/run/scan_{number + 1:02d}_######.cbf"}
            for number in range(SCANS)
        ],
        "crystal": [],
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.write_text(json.dumps(experiments(options.frames)), encoding="utf-8")


if __name__ == "__main__":
    main()
