"""What somebody writes who follows a remedy in words: replacements in the file of a failing case, by the case."""

END = r"\Z"
FRAMES = range(1, 7)

FOLLOWED: dict[str, list[tuple[str, str]]] = {
    # Give the outermost axis of the cycle a dot for depends_on.
    "axi/AXI002-axis-dependency-cycle/fail-cycle": [(r"(omega +rotation +goniometer) phi", r"\1 .")],
    "axi/AXI003-axis-vector-not-unit/fail-long": [(r"slow     2  0  0", "slow     1  0  0")],
    "axi/AXI005-several-goniometer-roots/fail-two-roots": [(r"(kappa +rotation +goniometer) \.", r"\1 omega")],
    "axi/AXI007-branched-goniometer/fail-branch": [(r"(phi +rotation +goniometer) omega", r"\1 kappa")],
    "axi/AXI008-equipment-mixed/fail-gravity": [(r"(distance translation detector +)gravity", r"\1.")],
    "axi/AXI009-gravity-axis-form/fail-parent": [(r"(gravity  general     gravity +)omega", r"\1.")],
    # Add rows with the equipment source, of type general, depending on nothing.
    "axi/AXI012-reference-axes-absent/fail-source": [
        (r"(?=  gravity  general)", "  source general source . 0 0 1 . . .\n")
    ],
    "axi/AXI015-pixel-axis-as-positioner/fail-listed": [(r"  DETECTOR slow\n", "")],
    "axi/AXI016-positioner-not-listed/fail-missing": [
        (r"(?<=  DETECTOR distance\n)", "  DETECTOR tilt\n"),
        (r"(detector\.number_of_axes +)2", r"\g<1>3"),
    ],
    "axi/AXI016-positioner-not-listed/fail-without-effect": [
        (r"(distance  translation detector +)\.", r"\1two_theta"),
    ],
    "axi/AXI018-setting-of-wrong-kind/fail-angle": [
        (r"SCAN1 distance 200.0 0.0 0.0 .     .   .", "SCAN1 distance . . . 200.0 0.0 0.0")
    ],
    "axi/AXI019-sample-translation-not-set/fail-unset": [
        (r"(?<=_diffrn_scan_axis.displacement_increment\n)", "  SCAN1 stage . . . 0.0 0.0 0.0\n"),
    ],
    "axi/AXI020-coincident-rotations/fail-twice": [(r"  tilt2 .*\n", "")],
    "axi/AXI028-axis-listed-for-other-equipment/fail-goniometer-list": [
        (r"GONIOMETER tilt", "GONIOMETER phi"),
    ],
    "bin/BIN003-binary-size-mismatch/fail-surplus": [(r"(?=X-Binary-Size: )", "X-Binary-Size-Padding: 64\r\n")],
    "bin/BIN005-dimensions-and-tables/fail-product": [(r"1 1 55 1 increasing", "1 1 60 1 increasing")],
    "bin/BIN006-element-type-and-tables/fail-width": [(r"signed 16-bit integer'", "signed 32-bit integer'")],
    "bin/BIN007-compression-and-tables/fail-table": [(r"integer' packed", "integer' byte_offset")],
    "bin/BIN009-element-type-missing/fail-absent": [
        (r"(?=X-Binary-Size: )", 'X-Binary-Element-Type: "signed 32-bit integer"\r\n')
    ],
    "bin/BIN016-packed-flags-and-tables/fail-flag": [
        (r"(?<=_array_structure.compression_type\n)", "  _array_structure.compression_type_flag\n"),
        (r"integer' packed", "integer' packed flat"),
    ],
    "con/CON001-pixel-size-and-increment/fail-thousandth": [(r"1\.0e-7", "1.0e-4")],
    "con/CON002-number-of-axes/fail-detector": [(r"(detector.number_of_axes +)2", r"\g<1>1")],
    "con/CON005-wavelength-and-energy/fail-energy": [(r"energy = 12658 eV", "energy = 13051 eV")],
    "con/CON009-raw-with-gain/fail-raw": [(r"linearity            raw", "linearity            linear")],
    "con/CON012-exposure-under-other-name/fail-period": [
        (r"_diffrn_scan_frame.exposure_time", "_diffrn_scan_frame.time_period")
    ],
    "con/CON013-scan-without-frames/fail-cut": [
        (r"  SCAN3 \. \. .*\n", ""),
        (r"  SCAN3 .*\n", ""),
    ],
    "con/CON015-exposure-pause-period/fail-sum": [(r"0\.75 1\.0 0\.05", "0.75 1.0 0.25")],
    "con/CON016-binning-and-bin-size/fail-none": [(r"(pixel_fast_bin_size +)2", r"\g<1>1")],
    "con/CON026-space-group-names-disagree/fail-number": [(r"IT_number 18", "IT_number 19")],
    "det/DET001-storage-order/fail-repeated": [(r"1900 1 increasing", "1900 2 increasing")],
    # Let one direction depend on the other, and give the offset to the one that is carried last.
    "det/DET004-two-origins/fail-siblings-with-offsets": [
        (r"(slow     translation detector   distance 0 -1  0) +0.0  95.05", r"\1 0.0 0.0"),
        (r"(fast     translation detector) +distance( 1  0  0) +-80.05    0.0", r"\1 slow \2 -80.05 95.05"),
    ],
    "det/DET008-half-pixel-sign/fail-sign": [(r"fast fast -0.05", "fast fast 0.05")],
    "det/DET009-decreasing-index/fail-decreasing": [(r"1900 2 decreasing", "1900 2 increasing")],
    "det/DET010-panel-upstream/fail-sign": [(r"(distance translation detector +\. +)0  0  1", r"\g<1>0 0 -1")],
    "det/DET019-known-detector-size/fail-transposed": [
        (r"1 1 2527 1", "1 1 2463 1"),
        (r"1 2 2463 2", "1 2 2527 2"),
    ],
    "det/DET021-sensor-thickness/fail-micrometres": [(r"layer_thickness        450", "layer_thickness 0.45")],
    "det/DET022-angular-steps/fail-both": [(r"0\.025 0\.1 \.", "0.025 . .")],
    "det/DET025-element-size/fail-centimetres": [(r"0\.07\n", "0.0001\n")],
    "dic/DIC008-wrong-type/fail-text-column": [(r"PANEL 1 image(\d)", r"PANEL 1 \1")],
    "dic/DIC013-null-key/fail-rows-of-dots": [(r"  \. \. \. \. \.\n", "")],
    "dic/DIC018-mandatory-item-missing/fail-no-date": [
        (r"(?<=_diffrn_scan.frames\n)", "  _diffrn_scan.date_start\n  _diffrn_scan.date_end_estimated\n"),
        (r"SCAN1 frame01 frame06 6", "SCAN1 frame01 frame06 6 2026-03-01T10:00:00Z 2026-03-01T10:00:04Z"),
    ],
    "syn/SYN003-cbf-magic/fail-no-section": [(r"\A.*\n", "#\\\\#CIF_1.1\n")],
    "ddlm/set/fail-atom-sites": [(r"'some text 2'\n", "")],
    "ddlm/container/fail-atom-type-scat-cromer-mann-as-single": [(r"_as 1\.5", "_as [1.5 1.5 1.5 1.5]")],
    "ext/EXT001-data-not-reachable/fail-dangling-pointer": [
        (END, "  E9 CBF https://zenodo.org/records/7654321/files/quartz_01.tar.bz2 TBZ quartz_01/quartz_00003.cbf\n"),
        (r"  E3 CBF .*\n", ""),
    ],
    "ext/EXT002-data-embedded-and-external/fail-both": [(r"'pixels in text'", ".")],
    "ext/EXT006-archive-format-and-name/fail-archive-taken-for-image": [
        (r"(?<=data.uri\n)", "  _array_data_external_data.archive_format\n  _array_data_external_data.archive_path\n"),
        (r"(quartz_0000\d).tar.bz2", r"\1.tar.bz2 TBZ \1.cbf"),
    ],
    "ext/EXT006-archive-format-and-name/fail-no-path": [
        (r"(?<=data.archive_format\n)", "  _array_data_external_data.archive_path\n"),
        (r"(quartz_0000\d).tar.bz2 TBZ", r"\1.tar.bz2 TBZ \1.cbf"),
    ],
    "ext/EXT010-frame-not-given/fail-no-frame": [
        (r"(?<=external_data.path\n)", "  _array_data_external_data.frame\n"),
        *[(rf"(E{number} HDF5 .*)\n", rf"\1 {number}\n") for number in FRAMES],
    ],
    "ext/EXT021-file-compression-and-name/fail-not-stated": [
        (r"(?<=data.archive_path\n)", "  _array_data_external_data.file_compression\n"),
        (r"(quartz_0000\d.cbf.gz)", r"\1 GZ"),
    ],
    "ext/EXT027-all-rows-default-to-one-link/fail-no-pointers": [
        (r"(?<=  _array_data.binary_id\n)", "  _array_data.external_data_id\n"),
        (r"  1 1\n", "  1 1 1\n"),
        *[(rf"  1 {number}\n", f"  1 {number} E{number}\n") for number in FRAMES[1:]],
    ],
    "img/IMG006-undeclared-negative-values/fail-other": [
        (r"(?=_array_intensities.undefined_value)", "_array_intensities.underload 0\n")
    ],
    "img/IMG007-undefined-value-valid/fail-inside": [(r"underload            -10", "underload 0")],
    "mta/MTA002-source-not-named/fail-no-beamline": [(r"(?=_diffrn_source.facility)", "_diffrn_source.beamline B7\n")],
    "mta/MTA008-response-not-given/fail-no-overload": [
        (r"(?=_array_intensities.undefined)", "_array_intensities.overload 65535\n")
    ],
    "mta/MTA010-time-not-given/fail-no-exposure": [
        (r"(?<=_diffrn_scan_frame.frame_number\n)", "  _diffrn_scan_frame.integration_time\n"),
        *[(rf"frame0{number} {number}\n", f"frame0{number} {number} 0.5\n") for number in FRAMES],
    ],
    "mta/MTA014-goniometer-not-described/fail-no-list": [
        (
            r"(?=_diffrn_detector.diffrn_id)",
            "_diffrn_measurement_axis.measurement_id GONIOMETER\n_diffrn_measurement_axis.axis_id omega\n",
        )
    ],
    "mta/MTA018-dictionary-not-declared/fail-no-version": [
        (r"(?=_database.dataset_DOI)", "_audit_conform.dict_version 1.8.9\n")
    ],
    "mta/MTA020-array-not-described/fail-size": [
        (r"(?<=_array_structure_list.index\n)", "  _array_structure_list.dimension\n"),
        (r"  1 1 1 increasing", "  1 1 1600 1 increasing"),
        (r"  1 2 2 increasing", "  1 2 1900 2 increasing"),
    ],
    "mta/MTA021-pixel-size-not-given/fail-neither": [
        (r"(?<=axis.displacement\n)", "  _array_structure_list_axis.displacement_increment\n"),
        (r"(fast fast|slow slow) 0.05", r"\1 0.05 0.1"),
    ],
    "mta/MTA022-panel-in-sample/fail-distance-0": [(r"(SCAN1 distance .* )0.0   0.0 0.0", r"\g<1>200.0 0.0 0.0")],
    "mta/MTA023-nothing-moves/fail-still-standing": [(r"10\.0 0\.0 0\.0 \.", "10.0 3.0 0.5 .")],
    "rel/REL002-parent-table-absent/fail-implicit": [
        (r"(?=loop_\n  _array_structure_list.array_id)", "_array_structure.id 1\n\n")
    ],
    "rel/REL007-orphan-rows/fail-orphan": [(r"  E7 .*\n", "")],
    "rel/REL008-frame-without-data-row/fail-pair": [(r"frame06 PANEL 1 9", "frame06 PANEL 1 6")],
    "rel/REL011-scan-ends/fail-foreign": [(r"frame01 frame99", "frame01 frame06")],
    "rel/REL014-unused-detector-part/fail-fixed": [
        (
            r"(?=_diffrn_detector_element.id)",
            "_diffrn_detector_axis.detector_id DETECTOR\n_diffrn_detector_axis.axis_id distance\n",
        )
    ],
    "rel/REL018-axis-set-missing/fail-set": [(r"increasing faster", "increasing fast")],
    "scn/SCN001-range-and-increment/fail-contradiction": [(r"10\.0 30\.0 0\.5", "10.0 3.0 0.5")],
    "scn/SCN006-detector-axis-at-zero/fail-two-theta": [
        (r"(?=  SCAN2 distance)", "  SCAN2 two_theta 30.0 0.0 0.0 . . .\n")
    ],
    "scn/SCN007-goniometer-axis-without-row/fail-phi": [
        (r"(  (SCAN\d) omega .*\n)", r"\1  \2 kappa 0.0 0.0 0.0 . . .\n  \2 phi 0.0 0.0 0.0 . . .\n")
    ],
    "scn/SCN009-frame-setting-off-scan/fail-start": [(r"omega    -124\.0", "omega    10.0")],
    "scn/SCN011-range-without-increment/fail-no-step": [(r"10\.0 10\.0 0\.0 0\.0", "10.0 10.0 0.0 2.0")],
    "scn/SCN016-exposure-not-positive/fail-zero": [
        (r"  _diffrn_scan_frame.integration_time\n", ""),
        (r"(frame0\d \d) 0\.0", r"\1"),
    ],
    "scn/SCN024-frames-not-counted/fail-not-counted": [
        (r"(?<=_diffrn_scan.frame_id_end\n)", "  _diffrn_scan.frames\n"),
        (r"SCAN1 frame01 frame06 ", "SCAN1 frame01 frame06 6 "),
    ],
    "src/SRC001-wavelength-implausible/fail-absent": [
        (r"(?=_diffrn_measurement.diffrn_id)", "_diffrn_radiation_wavelength.value 0.95\n")
    ],
    "src/SRC003-probe-absent/fail-absent": [
        (r"(?=_diffrn_radiation.wavelength_id)", "_diffrn_radiation.probe x-ray\n")
    ],
    "src/SRC008-divergence-too-large/fail-large": [(r"div_x_source          1\.4", "div_x_source 0.0802")],
    "src/SRC013-wavelength-not-selected/fail-open": [
        (r"(?=_diffrn_radiation.polarizn_source_ratio)", "_diffrn_radiation.wavelength_id W1\n")
    ],
    "syn/SYN013-name-value-pairing/fail-no-value": [(r"_diffrn_source.details\n", "_diffrn_source.details ?\n")],
    "syn/SYN006-loop-value-count/fail-missing-value": [(r"SCAN1 frame03 3\n", "SCAN1 frame03 3 .\n")],
}
