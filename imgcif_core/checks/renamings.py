"""Names and words that are met in files and stand for others: data, each with its reason.

Only what is known from programs and older dictionaries is listed, with one meaning each; where a
name could mean two things it is better not to guess.
"""

from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Renaming:
    """The name that was meant, and why; `is_certain` where it can mean nothing else."""

    name: str
    reason: str
    is_certain: bool = True


_LINKS = "links to files outside stand in a table of their own"
_NOTES = "the wavelength stands in a table of its own"
_TIMES = "the dictionary calls the exposure of a frame its integration time"
_AXIS = "a setting along a pixel axis is a displacement"

NAMES = {
    "_diffrn_radiation.wavelength": Renaming("_diffrn_radiation_wavelength.value", _NOTES),
    "_diffrn_radiation.wavelength_value": Renaming("_diffrn_radiation_wavelength.value", _NOTES),
    "_diffrn_radiation.wavelength_wavelength": Renaming("_diffrn_radiation_wavelength.value", _NOTES),
    "_diffrn.wavelength": Renaming("_diffrn_radiation_wavelength.value", _NOTES),
    "_diffrn_source.wavelength": Renaming("_diffrn_radiation_wavelength.value", _NOTES),
    "_diffrn_scan.wavelength": Renaming("_diffrn_radiation_wavelength.value", _NOTES, False),
    "_diffrn_source.probe": Renaming("_diffrn_radiation.probe", "the probe belongs to the radiation"),
    "_diffrn_source.radiation_probe": Renaming("_diffrn_radiation.probe", "the probe belongs to the radiation"),
    "_diffrn.probe": Renaming("_diffrn_radiation.probe", "the probe belongs to the radiation"),
    "_diffrn_source.type": Renaming("_diffrn_source.make", "an older name for the make of the source", False),
    "_diffrn_source.source": Renaming("_diffrn_source.device", "an older name for the kind of the source", False),
    "_diffrn_source.name": Renaming("_diffrn_source.facility", "the facility is named by its own item", False),
    "_diffrn_source.synchrotron": Renaming("_diffrn_source.facility", "the facility is named by its own item", False),
    "_diffrn_source.pdbx_synchrotron_site": Renaming("_diffrn_source.facility", "the name in files of the PDB"),
    "_diffrn_source.pdbx_synchrotron_beamline": Renaming("_diffrn_source.beamline", "the name in files of the PDB"),
    "_diffrn_source.pdbx_wavelength": Renaming("_diffrn_radiation_wavelength.value", "the name in files of the PDB"),
    "_audit.block_id": Renaming("_audit.block_code", "a block is identified by its code"),
    "_audit.block_name": Renaming("_audit.block_code", "a block is identified by its code"),
    "_audit.doi": Renaming("_database.dataset_DOI", "the DOI of the data set belongs to DATABASE", False),
    "_database.doi": Renaming("_database.dataset_DOI", "the DOI of the data set"),
    "_database.data_doi": Renaming("_database.dataset_DOI", "the DOI of the data set"),
    "_diffrn_refln.h": Renaming("_diffrn_refln.index_h", "an index is called by its name"),
    "_diffrn_refln.k": Renaming("_diffrn_refln.index_k", "an index is called by its name"),
    "_diffrn_refln.l": Renaming("_diffrn_refln.index_l", "an index is called by its name"),
    "_refln.h": Renaming("_refln.index_h", "an index is called by its name"),
    "_refln.k": Renaming("_refln.index_k", "an index is called by its name"),
    "_refln.l": Renaming("_refln.index_l", "an index is called by its name"),
    "_diffrn_scan_frame.exposure_time": Renaming("_diffrn_scan_frame.integration_time", _TIMES, False),
    "_diffrn_scan_frame.exposure": Renaming("_diffrn_scan_frame.integration_time", _TIMES),
    "_diffrn_scan.exposure_time": Renaming("_diffrn_scan.integration_time", _TIMES, False),
    "_diffrn_scan_frame.exposure_period": Renaming("_diffrn_scan_frame.time_period", "from start to start"),
    "_diffrn_scan_frame.number": Renaming("_diffrn_scan_frame.frame_number", "the number of the frame in its scan"),
    "_diffrn_scan_frame.id": Renaming("_diffrn_scan_frame.frame_id", "the frame is named by frame_id here"),
    "_diffrn_scan.scan_id": Renaming("_diffrn_scan.id", "the table of scans has the plain id"),
    "_diffrn_scan.number_of_frames": Renaming("_diffrn_scan.frames", "the number of frames"),
    "_diffrn_data_frame.frame_id": Renaming("_diffrn_data_frame.id", "the table of frames has the plain id"),
    "_diffrn_detector.detector_id": Renaming("_diffrn_detector.id", "the table of detectors has the plain id"),
    "_diffrn_detector.manufacturer": Renaming("_diffrn_detector.make", "the maker and the model"),
    "_diffrn_detector.model": Renaming("_diffrn_detector.make", "the maker and the model", False),
    "_diffrn_detector.distance": Renaming(
        "_diffrn_measurement.sample_detector_distance", "the distance belongs to the measurement", False
    ),
    "_diffrn_measurement.detector_distance": Renaming(
        "_diffrn_measurement.sample_detector_distance", "the distance from the sample to the detector"
    ),
    "_diffrn_measurement.distance": Renaming(
        "_diffrn_measurement.sample_detector_distance", "the distance from the sample to the detector"
    ),
    "_array_structure_list_axis.start": Renaming("_array_structure_list_axis.displacement", _AXIS, False),
    "_array_structure_list_axis.increment": Renaming("_array_structure_list_axis.displacement_increment", _AXIS, False),
    "_array_structure_list.size": Renaming("_array_structure_list.dimension", "the number of elements"),
    "_array_structure.array_id": Renaming("_array_structure.id", "the table of arrays has the plain id"),
    "_array_element_size.pixel_size": Renaming("_array_element_size.size", "the size along one dimension, in metres"),
    "_array_intensities.undefined": Renaming(
        "_array_intensities.undefined_value", "the mark of pixels without a value"
    ),
    "_diffrn_radiation_wavelength.polarizn_source_ratio": Renaming(
        "_diffrn_radiation.polarizn_source_ratio", "the polarization belongs to the radiation"
    ),
    "_diffrn_radiation_wavelength.polarizn_source_norm": Renaming(
        "_diffrn_radiation.polarizn_source_norm", "the polarization belongs to the radiation"
    ),
    "_array_intensities.saturation": Renaming("_array_intensities.overload", "the level of saturation"),
    "_array_intensities.saturation_value": Renaming("_array_intensities.overload", "the level of saturation"),
    "_axis.axis_id": Renaming("_axis.id", "the table of axes has the plain id"),
    "_axis.dependson": Renaming("_axis.depends_on", "the underscore is lost"),
    "_axis.parent": Renaming("_axis.depends_on", "the axis that carries this one"),
    "_array_data.external_format": Renaming("_array_data_external_data.format", _LINKS),
    "_array_data.external_location_uri": Renaming("_array_data_external_data.uri", _LINKS),
    "_array_data.external_uri": Renaming("_array_data_external_data.uri", _LINKS),
    "_array_data.external_path": Renaming("_array_data_external_data.path", _LINKS),
    "_array_data.external_frame": Renaming("_array_data_external_data.frame", _LINKS),
    "_array_data.external_archive_path": Renaming("_array_data_external_data.archive_path", _LINKS),
    "_array_data.external_archive_format": Renaming("_array_data_external_data.archive_format", _LINKS),
    "_array_data.external_compression": Renaming("_array_data_external_data.file_compression", _LINKS),
    "_array_data.external_data_uri": Renaming("_array_data_external_data.uri", _LINKS),
    "_array_data_external_data.url": Renaming("_array_data_external_data.uri", "an address is called uri"),
    "_array_data_external_data.location_uri": Renaming("_array_data_external_data.uri", "an address is called uri"),
    "_array_data_external_data.compression": Renaming(
        "_array_data_external_data.file_compression", "how the file itself is packed"
    ),
    "_array_data_external_data.external_id": Renaming("_array_data_external_data.id", "the table has the plain id"),
    "_array_data_external_data.archive_member": Renaming(
        "_array_data_external_data.archive_path", "the path of the member in the archive"
    ),
    "_array_data.external_id": Renaming("_array_data.external_data_id", "the pointer to the row of the link"),
}

# Names that nothing in the dictionary replaces, with what a file says instead.
NOWHERE = {
    "_diffrn_data_frame.scan_id": "the scan of a frame is told by _diffrn_scan_frame.scan_id",
    "_diffrn_data_frame.detector_id": "the detector is told by the element: _diffrn_detector_element.detector_id",
    "_diffrn_frame_data.detector_id": "the detector is told by the element: _diffrn_detector_element.detector_id",
    "_diffrn_data_frame.frame_number": "the number of a frame is told by _diffrn_scan_frame.frame_number",
    "_diffrn_scan_frame.scale_factor": "imgCIF describes raw data; scale factors of frames have no item",
    "_diffrn_detector.type": "give maker and model in _diffrn_detector.make, the kind in _diffrn_detector.description",
}

# States by item: what is written, in lower case without blanks and signs, and the state that it means.
STATES = {
    "_diffrn_source.device": {
        "synchrotron": "synch",
        "synchrotronradiation": "synch",
        "storagering": "synch",
        "rotatinganode": "rot-anode",
        "rotanode": "rot-anode",
        "sealedtube": "tube",
        "sealedxraytube": "tube",
        "xraytube": "tube",
        "electronmicroscope": "elect-micro",
        "reactor": "nuclear",
        "nuclearreactor": "nuclear",
        "spallationsource": "spallation",
    },
    "_diffrn_radiation.probe": {
        "xray": "x-ray",
        "xrays": "x-ray",
        "photon": "x-ray",
        "photons": "x-ray",
        "neutrons": "neutron",
        "electrons": "electron",
        "gammas": "gamma",
    },
    "_axis.type": {
        "rot": "rotation",
        "rotational": "rotation",
        "trans": "translation",
        "translational": "translation",
        "linear": "translation",
    },
    "_axis.equipment": {"gonio": "goniometer", "goniostat": "goniometer", "det": "detector", "beam": "source"},
    "_array_data_external_data.archive_format": {
        "targz": "TGZ",
        "tarbz2": "TBZ",
        "tbz2": "TBZ",
        "tarxz": "TXZ",
        "zipfile": "ZIP",
    },
    "_array_data_external_data.file_compression": {"gzip": "GZ", "bzip2": "BZ2", "bz": "BZ2"},
    "_array_data_external_data.format": {
        "h5": "HDF5",
        "hdf": "HDF5",
        "nexus": "HDF5",
        "nxmx": "HDF5",
        "tif": "TIFF",
        "minicbf": "CBF",
        "img": "SMV",
        "adsc": "SMV",
    },
    "_array_structure.byte_order": {
        "little": "little_endian",
        "littleendian": "little_endian",
        "le": "little_endian",
        "big": "big_endian",
        "bigendian": "big_endian",
        "be": "big_endian",
    },
    "_array_structure_list.direction": {"inc": "increasing", "dec": "decreasing"},
}


def plain_word(text: str) -> str:
    """A word without case, blanks and signs."""
    return "".join(character for character in text.lower() if character.isalnum())


def known_state(identifier: str, text: str) -> str | None:
    """The state of an item that a word is known to mean."""
    return STATES.get(identifier.lower(), {}).get(plain_word(text))
