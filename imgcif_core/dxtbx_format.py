"""A format class for dxtbx: `dials.import file.cif` reads an imgCIF whose images are on this machine.

dxtbx finds it by its entry point. Images are looked for in the folders that the variable IMGCIF_LOCAL
names and beside the file; of a file with several sweeps IMGCIF_SCAN names the scan to read.
"""

import logging
import os
from typing import Any

try:
    from dxtbx import IncorrectFormatError, flumpy
    from dxtbx.format.Format import Format
    from dxtbx.format.FormatMultiImage import FormatMultiImage
    from dxtbx.model.beam import BeamFactory
    from dxtbx.model.detector import DetectorFactory
    from dxtbx.model.goniometer import GoniometerFactory
    from dxtbx.model.scan import ScanFactory
except ImportError as missing:
    # dxtbx imports every format that is announced: one that fails there would keep it from reading anything.
    MISSING = str(missing)
    Format = FormatMultiImage = object
else:
    MISSING = ""

from imgcif_core.formats import TEXT_SUFFIXES

_HEAD = 1 << 20


class FormatImgCIF(FormatMultiImage):
    """An imgCIF of text that describes a sweep and points to its images."""

    @staticmethod
    def understand(image_file: str) -> bool:
        """True for a text with axes and array layouts and without images of its own."""
        if not str(image_file).lower().endswith(TEXT_SUFFIXES):
            return False
        if MISSING:
            logging.getLogger(__name__).warning(
                "imgCIF is not read through this dxtbx, which lacks what the format class needs (%s): "
                "make an experiment list with imgcif export --to expt",
                MISSING,
            )
            return False
        try:
            with open(image_file, "rb") as stream:
                head = stream.read(_HEAD)
        except OSError:
            return False
        needed = (b"data_", b"_axis.", b"_array_structure_list")
        return all(word in head for word in needed) and b"--CIF-BINARY-FORMAT-SECTION--" not in head

    def __init__(self, image_file: str, **kwargs: Any) -> None:
        if not self.understand(image_file):
            raise IncorrectFormatError(self, image_file)
        FormatMultiImage.__init__(self, **kwargs)
        Format.__init__(self, image_file, **kwargs)

    def _start(self) -> None:
        """Read the text; imported here, so that the start of dxtbx does not feel it."""
        from imgcif_core.cif.reader import open_source, read
        from imgcif_core.ddlm.bundled import load_bundled
        from imgcif_core.export.reader import SweepReader, local_folders

        document = read(open_source(str(self._image_file), None))
        folders = local_folders(os.environ)
        scan = os.environ.get("IMGCIF_SCAN") or None
        self._reader: Any = SweepReader(document, load_bundled(), folders, scan)

    def _goniometer(self) -> Any:
        from imgcif_core.export.expt import goniometer_model

        sweep = self._reader.sweep
        return GoniometerFactory.from_dict(goniometer_model(sweep)) if sweep.circles else None

    def _detector(self) -> Any:
        from imgcif_core.export.expt import detector_model

        detector = DetectorFactory.from_dict(detector_model(self._reader.plan, self._reader.sweep))
        for panel in detector:
            _correct_parallax(panel, self._reader.sweep.wavelength)
        return detector

    def _beam(self) -> Any:
        from imgcif_core.export.expt import beam_model

        return BeamFactory.from_dict(beam_model(self._reader.plan, self._reader.sweep))

    def _scan(self) -> Any:
        from imgcif_core.export.expt import scan_model

        sweep = self._reader.sweep
        if not sweep.circles:
            return None
        # One file holds all images for dxtbx, which numbers those of such a file from 1.
        model = {**scan_model(sweep), "image_range": [1, sweep.frames]}
        return ScanFactory.from_dict(model)

    def get_num_images(self) -> int:
        """The number of images of the sweep."""
        return len(self._reader)

    def get_raw_data(self, index: int | None = None) -> Any:
        """The pixels of an image, counted from 0: an array, or one for each panel."""
        found = tuple(_as_flex(part) for part in self._reader.panels(index or 0))
        return found[0] if len(found) == 1 else found

    def get_detectorbase(self, index: int | None = None) -> Any:
        """Old programs ask for this; there is none."""
        raise NotImplementedError("imgCIF has no detectorbase")


def _correct_parallax(panel: Any, wavelength: float) -> None:
    """Let a sensor of known material and thickness be corrected for the depth of absorption, as dxtbx does."""
    from cctbx import eltbx  # noqa: F401
    from cctbx.eltbx import attenuation_coefficient
    from dxtbx.model import ParallaxCorrectedPxMmStrategy

    material, thickness = panel.get_material(), panel.get_thickness()
    if not material or not thickness > 0:
        return
    try:
        table = attenuation_coefficient.get_table(material)
    except RuntimeError:
        return
    absorption = table.mu_at_angstrom(wavelength) / 10.0
    panel.set_mu(absorption)
    panel.set_px_mm_strategy(ParallaxCorrectedPxMmStrategy(absorption, thickness))


def _as_flex(image: Any) -> Any:
    """Pixels as dxtbx takes them: 32-bit integers or doubles; unsigned ones beyond their half are negative."""
    import numpy as np

    if image.dtype.kind == "f":
        return flumpy.from_numpy(image.astype(np.float64))
    native = image.astype(image.dtype.newbyteorder("="), copy=False)
    if native.dtype == np.uint32:
        return flumpy.from_numpy(native.view(np.int32))
    return flumpy.from_numpy(native.astype(np.int32))
