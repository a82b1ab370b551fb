"""Groups of touching pixels."""

import numpy as np


def touching(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The number of the connected group of each pixel, corners touch: (n,) int; pixels in the order of rows."""
    width = int(columns.max()) + 2
    keys = rows.astype(np.int64) * width + columns
    links = []
    for step in (1, width, width - 1, width + 1):
        at = np.minimum(np.searchsorted(keys, keys + step), len(keys) - 1)
        found = np.flatnonzero(keys[at] == keys + step)
        links.append(np.stack([found, at[found]]))
    first, second = np.concatenate(links, axis=1)
    label = np.arange(len(keys))
    while True:
        low = np.minimum(label[first], label[second])
        before = label.copy()
        np.minimum.at(label, first, low)
        np.minimum.at(label, second, low)
        label = label[label]
        if (label == before).all():
            return np.unique(label, return_inverse=True)[1]
