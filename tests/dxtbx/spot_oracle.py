"""Run by the Python that has DIALS: its spot finder on arrays of numpy files, printed as JSON."""

import json
import sys

import numpy as np
from dials.algorithms.image.threshold import DispersionThreshold
from dials.array_family import flex
from dials.model.data import PixelList, PixelListLabeller

found = []
for name in sys.argv[1:]:
    array = np.load(name)
    image = flex.double(np.ascontiguousarray(array, float))
    strong = flex.bool(flex.grid(image.all()))
    DispersionThreshold(image.all(), (3, 3), 6.0, 3.0, 0.0, 2)(image, flex.bool(array >= 0), strong)
    labels = PixelListLabeller()
    labels.add(PixelList(0, image, strong))
    boxes = flex.PixelListShoeboxCreator(labels, 0, 0, True, 3, 1000, False).result()
    # The centre of the first pixel is at 0.5 there.
    found.append([[x - 0.5, y - 0.5] for x, y, _ in boxes.centroid_valid().px_position()] if len(boxes) else [])
print("=====" + json.dumps(found))
