"""Three sound files for planted faults: a kappa diffractometer, a detector of modules, a CBF with its image."""

import base64
import hashlib
import struct

KAPPA = r"""#\#CIF_2.0
data_lysozyme_2
_audit.block_code  lysozyme_2
_audit.creation_date  2026-04-10
_audit.creation_method  'written by hand'
_audit_author.name  'Moreau, L.'
_audit_contact_author.name  'Moreau, L.'
_audit_contact_author.email  moreau@example.org
_audit_conform.dict_name  CIF_IMG
_audit_conform.dict_version  1.8.9
_database.dataset_DOI  10.5281/zenodo.5512345
_chemical.name_common  lysozyme
_cell.length_a  79.1(1)
_cell.length_b  79.1(1)
_cell.length_c  37.9(1)
_cell.angle_alpha  90
_cell.angle_beta  90
_cell.angle_gamma  90
_space_group.name_H-M_alt  'P 43 21 2'
_exptl_crystal.id  X1
_diffrn.id  D1
_diffrn.crystal_id  X1
_diffrn.ambient_temperature  100(2)
_diffrn_source.diffrn_id  D1
_diffrn_source.facility  'North Ring'
_diffrn_source.beamline  X04
_diffrn_radiation.diffrn_id  D1
_diffrn_radiation.probe  x-ray
_diffrn_radiation.wavelength_id  L1
_diffrn_radiation.polarizn_source_ratio  0.99
_diffrn_radiation.polarizn_source_norm  0
_diffrn_radiation_wavelength.id  L1
_diffrn_radiation_wavelength.value  0.97950
_diffrn_radiation_wavelength.wt  1
_diffrn_measurement.diffrn_id  D1
_diffrn_measurement.id  KAPPA
_diffrn_measurement.number_of_axes  3
_diffrn_detector.diffrn_id  D1
_diffrn_detector.id  DET
_diffrn_detector.make  'Hybrid counter 2M'
_diffrn_detector.number_of_axes  2
_diffrn_detector_element.id  E1
_diffrn_detector_element.detector_id  DET
loop_
  _diffrn_measurement_axis.measurement_id
  _diffrn_measurement_axis.axis_id
  KAPPA omega
  KAPPA kappa
  KAPPA phi
loop_
  _diffrn_detector_axis.detector_id
  _diffrn_detector_axis.axis_id
  DET tth
  DET dist
loop_
  _axis.id
  _axis.type
  _axis.equipment
  _axis.depends_on
  _axis.vector[1]
  _axis.vector[2]
  _axis.vector[3]
  _axis.offset[1]
  _axis.offset[2]
  _axis.offset[3]
  omega  rotation     goniometer  .      1        0        0   0 0 0
  kappa  rotation     goniometer  omega  0.64279  0.76604  0   0 0 0
  phi    rotation     goniometer  kappa  1        0        0   0 0 0
  tth    rotation     detector    .      1        0        0   0 0 0
  dist   translation  detector    tth    0        0       -1   0 0 0
  ydir   translation  detector    dist   0       -1        0  -75.0 80.0 0
  xdir   translation  detector    ydir   1        0        0   0 0 0
  source   general    source      .      0        0        1   . . .
  gravity  general    gravity     .      0       -1        0   . . .
_array_structure.id  IMG
_array_structure.byte_order  little_endian
_array_structure.encoding_type  'unsigned 32-bit integer'
_array_structure.compression_type  none
loop_
  _array_structure_list.array_id
  _array_structure_list.index
  _array_structure_list.dimension
  _array_structure_list.precedence
  _array_structure_list.direction
  _array_structure_list.axis_set_id
  IMG 1 1000 1 increasing xdir
  IMG 2 1200 2 increasing ydir
loop_
  _array_structure_list_axis.axis_set_id
  _array_structure_list_axis.axis_id
  _array_structure_list_axis.displacement
  _array_structure_list_axis.displacement_increment
  xdir xdir 0.075 0.150
  ydir ydir 0.075 0.150
loop_
  _array_element_size.array_id
  _array_element_size.index
  _array_element_size.size
  IMG 1 0.000150
  IMG 2 0.000150
_array_intensities.array_id  IMG
_array_intensities.binary_id  1
_array_intensities.linearity  linear
_array_intensities.gain  1.0
_array_intensities.gain_esd  0.1
_array_intensities.overload  120000
_array_intensities.undefined_value  4294967295
loop_
  _diffrn_scan.id
  _diffrn_scan.frame_id_start
  _diffrn_scan.frame_id_end
  _diffrn_scan.frames
  _diffrn_scan.integration_time
  _diffrn_scan.date_start
  _diffrn_scan.date_end
  S1 f1 f4 4 0.2 2026-04-10T09:00:00Z 2026-04-10T09:00:01Z
  S2 f5 f7 3 0.2 2026-04-10T09:05:00Z 2026-04-10T09:05:01Z
loop_
  _diffrn_scan_axis.scan_id
  _diffrn_scan_axis.axis_id
  _diffrn_scan_axis.angle_start
  _diffrn_scan_axis.angle_range
  _diffrn_scan_axis.angle_increment
  _diffrn_scan_axis.displacement_start
  _diffrn_scan_axis.displacement_range
  _diffrn_scan_axis.displacement_increment
  S1 omega  10.0  1.0  0.25  .  .  .
  S1 kappa   0.0  0.0  0.0   .  .  .
  S1 phi     0.0  0.0  0.0   .  .  .
  S1 tth    12.0  0.0  0.0   .  .  .
  S1 dist    .    .    .     150.0 0.0 0.0
  S2 omega  40.0  0.0  0.0   .  .  .
  S2 kappa  30.0  0.0  0.0   .  .  .
  S2 phi   -20.0  0.9  0.3   .  .  .
  S2 tth    12.0  0.0  0.0   .  .  .
  S2 dist    .    .    .     150.0 0.0 0.0
loop_
  _diffrn_scan_frame.scan_id
  _diffrn_scan_frame.frame_id
  _diffrn_scan_frame.frame_number
  _diffrn_scan_frame.integration_time
  _diffrn_scan_frame.time_period
  S1 f1 1 0.20 0.25
  S1 f2 2 0.20 0.25
  S1 f3 3 0.20 0.25
  S1 f4 4 0.20 0.25
  S2 f5 1 0.20 0.25
  S2 f6 2 0.20 0.25
  S2 f7 3 0.20 0.25
loop_
  _diffrn_data_frame.id
  _diffrn_data_frame.detector_element_id
  _diffrn_data_frame.array_id
  _diffrn_data_frame.binary_id
  f1 E1 IMG 1
  f2 E1 IMG 2
  f3 E1 IMG 3
  f4 E1 IMG 4
  f5 E1 IMG 5
  f6 E1 IMG 6
  f7 E1 IMG 7
loop_
  _array_data.array_id
  _array_data.binary_id
  _array_data.external_data_id
  IMG 1 h1
  IMG 2 h2
  IMG 3 h3
  IMG 4 h4
  IMG 5 h5
  IMG 6 h6
  IMG 7 h7
loop_
  _array_data_external_data.id
  _array_data_external_data.format
  _array_data_external_data.uri
  _array_data_external_data.path
  _array_data_external_data.frame
  h1 HDF5 https://zenodo.org/records/5512345/files/lyso_1.h5 /entry/data/data 1
  h2 HDF5 https://zenodo.org/records/5512345/files/lyso_1.h5 /entry/data/data 2
  h3 HDF5 https://zenodo.org/records/5512345/files/lyso_1.h5 /entry/data/data 3
  h4 HDF5 https://zenodo.org/records/5512345/files/lyso_1.h5 /entry/data/data 4
  h5 HDF5 https://zenodo.org/records/5512345/files/lyso_2.h5 /entry/data/data 1
  h6 HDF5 https://zenodo.org/records/5512345/files/lyso_2.h5 /entry/data/data 2
  h7 HDF5 https://zenodo.org/records/5512345/files/lyso_2.h5 /entry/data/data 3
"""

# Two modules side by side before a beam that passes between them; each has an array of its own.
MODULES = r"""#\#CIF_2.0
data_stills_9
_audit.block_code  stills_9
_audit.creation_date  2026-04-11
_database.dataset_DOI  10.5281/zenodo.5512399
_diffrn.id  D1
_diffrn_source.diffrn_id  D1
_diffrn_source.facility  'South Laser'
_diffrn_source.beamline  SPB
_diffrn_radiation.diffrn_id  D1
_diffrn_radiation.probe  x-ray
_diffrn_radiation.wavelength_id  L1
_diffrn_radiation_wavelength.id  L1
_diffrn_radiation_wavelength.value  1.3000
_diffrn_detector.diffrn_id  D1
_diffrn_detector.id  JF
_diffrn_detector.make  'Adaptive gain modules'
_diffrn_detector.number_of_axes  1
_diffrn_detector_axis.detector_id  JF
_diffrn_detector_axis.axis_id  rail
loop_
  _diffrn_detector_element.id
  _diffrn_detector_element.detector_id
  left JF
  right JF
loop_
  _axis.id
  _axis.type
  _axis.equipment
  _axis.equipment_component
  _axis.depends_on
  _axis.vector[1]
  _axis.vector[2]
  _axis.vector[3]
  _axis.offset[1]
  _axis.offset[2]
  _axis.offset[3]
  rail     translation detector table  .       0 0 -1    0   0  0
  left_m   rotation    detector left   rail    0 0  1  -84   20 0
  left_y   translation detector left_s left_m  0 -1 0    0   0  0
  left_x   translation detector left_s left_y  1 0  0    0   0  0
  right_m  rotation    detector right  rail    0 0  1    4   20 0
  right_y  translation detector right_s right_m 0 -1 0   0   0  0
  right_x  translation detector right_s right_y 1 0  0   0   0  0
  source   general     source   .      .       0 0  1    .   .  .
loop_
  _array_structure.id
  _array_structure.byte_order
  _array_structure.encoding_type
  _array_structure.compression_type
  A1 little_endian 'unsigned 16-bit integer' none
  A2 little_endian 'unsigned 16-bit integer' none
loop_
  _array_structure_list.array_id
  _array_structure_list.index
  _array_structure_list.dimension
  _array_structure_list.precedence
  _array_structure_list.direction
  _array_structure_list.axis_set_id
  A1 1 1024 1 increasing s1x
  A1 2  512 2 increasing s1y
  A2 1 1024 1 increasing s2x
  A2 2  512 2 increasing s2y
loop_
  _array_structure_list_axis.axis_set_id
  _array_structure_list_axis.axis_id
  _array_structure_list_axis.displacement
  _array_structure_list_axis.displacement_increment
  s1x left_x  0.0375 0.075
  s1y left_y  0.0375 0.075
  s2x right_x 0.0375 0.075
  s2y right_y 0.0375 0.075
loop_
  _array_intensities.array_id
  _array_intensities.binary_id
  _array_intensities.linearity
  _array_intensities.gain
  _array_intensities.overload
  A1 1 linear 1.0 60000
  A2 1 linear 1.0 60000
loop_
  _diffrn_scan.id
  _diffrn_scan.frame_id_start
  _diffrn_scan.frame_id_end
  _diffrn_scan.frames
  RUN1 shot1 shot3 3
loop_
  _diffrn_scan_axis.scan_id
  _diffrn_scan_axis.axis_id
  _diffrn_scan_axis.displacement_start
  _diffrn_scan_axis.displacement_range
  _diffrn_scan_axis.displacement_increment
  RUN1 rail 110.0 0 0
loop_
  _diffrn_scan_frame.scan_id
  _diffrn_scan_frame.frame_id
  _diffrn_scan_frame.frame_number
  RUN1 shot1 1
  RUN1 shot2 2
  RUN1 shot3 3
loop_
  _diffrn_data_frame.id
  _diffrn_data_frame.detector_element_id
  _diffrn_data_frame.array_id
  _diffrn_data_frame.binary_id
  shot1 left  A1 1
  shot1 right A2 1
  shot2 left  A1 2
  shot2 right A2 2
  shot3 left  A1 3
  shot3 right A2 3
loop_
  _array_data.array_id
  _array_data.binary_id
  _array_data.external_data_id
  A1 1 a1
  A1 2 a2
  A1 3 a3
  A2 1 b1
  A2 2 b2
  A2 3 b3
loop_
  _array_data_external_data.id
  _array_data_external_data.format
  _array_data_external_data.uri
  _array_data_external_data.path
  _array_data_external_data.frame
  a1 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod1/data 1
  a2 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod1/data 2
  a3 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod1/data 3
  b1 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod2/data 1
  b2 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod2/data 2
  b3 HDF5 https://zenodo.org/records/5512399/files/run1.h5 /mod2/data 3
"""

CBF_HEAD = r"""###CBF: VERSION 1.5
data_frame_0001
_diffrn.id  DIF
_diffrn.crystal_id  XTAL
_diffrn_source.diffrn_id  DIF
_diffrn_source.device  synch
_diffrn_radiation.diffrn_id  DIF
_diffrn_radiation.probe  x-ray
_diffrn_radiation.wavelength_id  W
_diffrn_radiation_wavelength.id  W
_diffrn_radiation_wavelength.wavelength  1.1000
_diffrn_radiation_wavelength.wt  1.0
_diffrn_measurement.diffrn_id  DIF
_diffrn_measurement.id  GONIO
_diffrn_measurement.number_of_axes  1
_diffrn_measurement_axis.measurement_id  GONIO
_diffrn_measurement_axis.axis_id  PHI
_diffrn_detector.diffrn_id  DIF
_diffrn_detector.id  CCD
_diffrn_detector.type  'small CCD'
_diffrn_detector.number_of_axes  1
_diffrn_detector_axis.detector_id  CCD
_diffrn_detector_axis.axis_id  DETZ
_diffrn_detector_element.id  EL
_diffrn_detector_element.detector_id  CCD
loop_
_axis.id
_axis.type
_axis.equipment
_axis.depends_on
_axis.vector[1]
_axis.vector[2]
_axis.vector[3]
_axis.offset[1]
_axis.offset[2]
_axis.offset[3]
SRC general source . 0 0 1 . . .
GRAV general gravity . 0 -1 0 . . .
PHI rotation goniometer . 1 0 0 . . .
DETZ translation detector . 0 0 -1 0 0 0
DETY translation detector DETZ 0 -1 0 -1.2 1.0 0
DETX translation detector DETY 1 0 0 0 0 0
loop_
_diffrn_scan.id
_diffrn_scan.frame_id_start
_diffrn_scan.frame_id_end
_diffrn_scan.frames
_diffrn_scan.date_start
_diffrn_scan.date_end_estimated
SC1 FRAME1 FRAME1 1 2026-04-12T10:00:00Z 2026-04-12T10:00:03Z
loop_
_diffrn_scan_axis.scan_id
_diffrn_scan_axis.axis_id
_diffrn_scan_axis.angle_start
_diffrn_scan_axis.angle_range
_diffrn_scan_axis.angle_increment
_diffrn_scan_axis.displacement_start
_diffrn_scan_axis.displacement_range
_diffrn_scan_axis.displacement_increment
SC1 PHI 5.0 1.0 1.0 . . .
SC1 DETZ . . . 60.0 0.0 0.0
_diffrn_scan_frame.scan_id  SC1
_diffrn_scan_frame.frame_id  FRAME1
_diffrn_scan_frame.frame_number  1
_diffrn_scan_frame.integration_time  2.0
_diffrn_scan_frame.date  2026-04-12T10:00:00Z
loop_
_diffrn_scan_frame_axis.frame_id
_diffrn_scan_frame_axis.axis_id
_diffrn_scan_frame_axis.angle
_diffrn_scan_frame_axis.displacement
FRAME1 PHI 5.0 .
FRAME1 DETZ . 60.0
_diffrn_data_frame.id  FRAME1
_diffrn_data_frame.detector_element_id  EL
_diffrn_data_frame.array_id  image_1
_diffrn_data_frame.binary_id  1
_array_structure.id  image_1
_array_structure.encoding_type  'signed 32-bit integer'
_array_structure.compression_type  none
_array_structure.byte_order  little_endian
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
_array_structure_list.axis_set_id
image_1 1 24 1 increasing DETX
image_1 2 20 2 increasing DETY
loop_
_array_structure_list_axis.axis_set_id
_array_structure_list_axis.axis_id
_array_structure_list_axis.displacement
_array_structure_list_axis.displacement_increment
DETX DETX 0.05 0.1
DETY DETY 0.05 0.1
_array_intensities.array_id  image_1
_array_intensities.binary_id  1
_array_intensities.linearity  linear
_array_intensities.gain  1.0
_array_intensities.gain_esd  0.1
_array_intensities.overload  65000
loop_
_array_element_size.array_id
_array_element_size.index
_array_element_size.size
image_1 1 0.0001
image_1 2 0.0001
loop_
_array_data.array_id
_array_data.binary_id
_array_data.data
image_1 1
"""


def section() -> str:
    """An uncompressed image of 24 x 20 pixels as a section in base 64."""
    pixels = [10 + (column * 7 + row * 13) % 29 for row in range(20) for column in range(24)]
    data = struct.pack(f"<{len(pixels)}i", *pixels)
    text = base64.encodebytes(data).decode("ascii")
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii")
    return f""";
--CIF-BINARY-FORMAT-SECTION--
Content-Type: application/octet-stream
Content-Transfer-Encoding: BASE64
X-Binary-Size: {len(data)}
X-Binary-ID: 1
X-Binary-Element-Type: "signed 32-bit integer"
X-Binary-Element-Byte-Order: LITTLE_ENDIAN
Content-MD5: {digest}
X-Binary-Number-of-Elements: 480
X-Binary-Size-Fastest-Dimension: 24
X-Binary-Size-Second-Dimension: 20

{text}
--CIF-BINARY-FORMAT-SECTION----
;
"""


BASES = {"kappa": KAPPA, "modules": MODULES, "cbf": CBF_HEAD + section()}
