"""One image of a file as a small picture: the strongest pixel of each block, dark on light, codes left transparent."""

import struct
import zlib
from contextlib import closing

import numpy as np

from imgcif_core.checks.images.survey import ImageReader
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.images.measure import Levels, code_mask
from imgcif_core.limits import Budget
from imgcif_core.model.detector import Panel
from imgcif_core.model.external import build_external
from imgcif_core.model.frame_images import FrameImage, FrameImages
from imgcif_core.model.storage import StoredArrays
from imgcif_core.render.sheet import Picture
from imgcif_core.tables import Tables

BLOCKS = 360
# Shares of pixels that are drawn white and black, so that a few strong spots do not hide the rest.
_WHITE, _BLACK = 20.0, 99.8
_STEPS = 40
_LOOKED_AT = 64


def picture_of(
    document: Document, tables: Tables, panel: Panel, options: CheckOptions, local: LocalData
) -> tuple[Picture | None, str]:
    """The first image of a panel that is at hand, in stored pixels from the first centre, and what is said of it."""
    if options.images == "none":
        return None, "No image is drawn: images were not to be read."
    arrays = StoredArrays(tables)
    frames = FrameImages(arrays)
    external = build_external(tables)
    if not frames.data or not (frames.data.has("data") or len(external)):
        return None, ""
    candidates = _candidates(frames)
    image = next((entry for entry in candidates if _is_of(entry, panel)), None)
    if image is None:
        is_shared = panel.section_id is not None and any(entry.array_id == panel.array_id for entry in candidates)
        reason = "each image holds several panels" if is_shared else f"none of panel {panel.id} is listed"
        return None, f"No image is drawn: {reason}."
    budget = Budget(options.limits, document.source.size)
    with closing(Helper(memory=max(options.limits.memory, 1), budget=budget)) as helper:
        reader = ImageReader(arrays, frames, document, external, local, helper)
        try:
            pixels = reader.pixels(image)
        except BytesError as fault:
            return None, f"No image is drawn: {fault}."
    size = panel.size
    if pixels.ndim != 2 or pixels.shape != (size[1], size[0]) or pixels.dtype.kind not in "iuf":
        shape = " x ".join(map(str, pixels.shape[::-1]))
        return None, f"No image is drawn: it has {shape} pixels, where {size[0]} x {size[1]} are described."
    array = arrays[image.array_id]
    found = shrunk(pixels, Levels(array.overload, array.underload, array.undefined))
    name = image.frame_id or str(image.position + 1)
    return found, f"The image behind the detector is that of frame {name}; pixels that hold codes are left out."


def _candidates(frames: FrameImages) -> list[FrameImage]:
    """The first images of the file."""
    found = []
    for image in frames.chosen(sample=True):
        found.append(image)
        if len(found) >= _LOOKED_AT:
            break
    return found


def _is_of(image: FrameImage, panel: Panel) -> bool:
    """True if an image is that of a panel, as a whole."""
    return image.data_row >= 0 and image.array_id == panel.array_id and image.section_id == panel.section_id


def shrunk(pixels: np.ndarray, levels: Levels) -> Picture:
    """A picture of (slow, fast) pixels in blocks, the strongest pixel of each."""
    slow, fast = pixels.shape[0], pixels.shape[1]
    block = max(1, -(-max(slow, fast) // BLOCKS))
    codes = code_mask(pixels, levels)
    values = np.where(codes, -np.inf, pixels.astype(np.float32))
    edges = np.arange(0, slow, block), np.arange(0, fast, block)
    strongest = np.maximum.reduceat(np.maximum.reduceat(values, edges[0], axis=0), edges[1], axis=1)
    shown = np.isfinite(strongest)
    grey = np.full(strongest.shape, 255, dtype=np.uint8)
    if shown.any():
        low, high = np.percentile(strongest[shown], [_WHITE, _BLACK])
        share = np.sqrt(np.clip((np.where(shown, strongest, low) - low) / max(high - low, 1e-9), 0.0, 1.0))
        grey = (255 - np.round(share * _STEPS) * (255 / _STEPS)).astype(np.uint8)
    alpha = np.where(shown, 255, 0).astype(np.uint8)
    height, width = len(edges[0]), len(edges[1])
    return Picture(png(np.stack([grey, alpha], axis=-1)), (width, height), (block, 0, 0, block, -0.5, -0.5))


def png(grey: np.ndarray) -> bytes:
    """A PNG file of grey values with opacity: (height, width, 2) uint8."""
    height, width = grey.shape[0], grey.shape[1]
    lines = np.zeros((height, 1 + 2 * width), dtype=np.uint8)
    lines[:, 1:] = grey.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 4, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
