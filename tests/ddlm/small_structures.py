"""Descriptions of small structures in the patterns of published CIFs; made here, from a seed, of invented crystals."""

import random

STYLES = ("shelxl-97", "shelxl", "olex2", "crystals", "jana", "database", "mineral", "ddlm")
COUNT = 55
_GROUPS = {
    "P -1": ("triclinic", "-P 1", 2, ["x,y,z", "-x,-y,-z"]),
    "P 1 21/c 1": ("monoclinic", "-P 2ybc", 14, ["x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y-1/2,z-1/2"]),
    "P 21 21 21": (
        "orthorhombic",
        "P 2ac 2ab",
        19,
        ["x,y,z", "-x+1/2,-y,z+1/2", "-x,y+1/2,-z+1/2", "x+1/2,-y+1/2,-z"],
    ),
    "C 1 2/c 1": ("monoclinic", "-C 2yc", 15, ["x,y,z", "-x,y,-z+1/2", "x+1/2,y+1/2,z", "-x,-y,-z"]),
}
_ATOMS = ("C", "H", "N", "O", "S", "Cl", "Cu", "F")


def make(seed: int) -> str:
    """The CIF of one seed; seeds from 0 to COUNT - 1 go through all styles."""
    return _Writer(random.Random(seed), STYLES[seed % len(STYLES)]).text()


class _Writer:
    """Writes one file in one style, by the dice."""

    def __init__(self, dice: random.Random, style: str) -> None:
        self.dice = dice
        self.style = style
        self.group = dice.choice(list(_GROUPS))
        self.atoms = self._label_atoms()

    def text(self) -> str:
        """The whole file."""
        parts = [self._publication(), self._chemistry(), self._symmetry(), self._cell(), self._crystal()]
        if self.style != "mineral":
            parts.append(self._collection())
        parts += [self._refinement(), self._sites()]
        if self.dice.random() < 0.8:
            parts.append(self._displacements())
        parts += [self._geometry(), self._rest()]
        head = "#\\#CIF_2.0\n" if self.style == "ddlm" else "" if self.style == "mineral" else "#\\#CIF_1.1\n"
        body = "\n".join(part for part in parts if part)
        if self.style == "shelxl-97" and self.dice.random() < 0.5:
            return f"{head}data_global\n{parts[0]}\ndata_I\n" + "\n".join(parts[1:])
        return f"{head}data_{self.dice.choice(('I', 'shelx', '2101234', 'mo_ab12_0m'))}\n{body}"

    def name(self, name: str) -> str:
        """A data name as the style writes it: with a dot only where DDLm names are used."""
        return name if self.style == "ddlm" else name.replace(".", "_")

    def items(self, **values: object) -> str:
        """Pairs of names, two underscores for the dot, and values."""
        lines = [
            f"{self.name('_' + key.replace('__', '.'))} {self._quoted(str(value))}" for key, value in values.items()
        ]
        return "\n".join(lines) + "\n"

    def loop(self, names: str, rows: list[list[object]]) -> str:
        """A loop; names without the leading underscore, blanks between."""
        heads = "\n".join(self.name("_" + name) for name in names.split())
        return f"loop_\n{heads}\n" + "\n".join(" ".join(self._quoted(str(cell)) for cell in row) for row in rows) + "\n"

    def _quoted(self, text: str) -> str:
        if "\n" in text:
            return f"\n;\n{text}\n;"
        if not text or any(mark in text for mark in " \t[]{}") or text[0] in "_#$'\";" or text == "":
            return f"'{text}'" if "'" not in text else f'"{text}"'
        return text

    def measured(self, low: float, high: float, digits: int) -> str:
        """A number with its uncertainty in brackets."""
        return f"{self.dice.uniform(low, high):.{digits}f}({self.dice.randint(1, 19)})"

    def _label_atoms(self) -> list[tuple[str, str]]:
        kinds = ["C", "H", *self.dice.sample(_ATOMS[2:], 2)]
        letters = ("", "A", "B") if self.style in ("shelxl", "olex2") else ("",)
        return [
            (f"{kind}{n}{self.dice.choice(letters)}", kind) for n, kind in enumerate(self.dice.choices(kinds, k=9), 1)
        ]

    def _publication(self) -> str:
        methods = {
            "shelxl-97": "SHELXL-97",
            "shelxl": "SHELXL-2018/3",
            "olex2": "olex2.refine 1.5 (2023)",
            "crystals": "CRYSTALS_ver_14.61",
            "jana": "Jana2020 Version : 1.3.56",
        }
        parts = [
            self.items(audit__creation_method=methods.get(self.style, "by hand"), audit__creation_date="2024-03-07")
        ]
        if self.dice.random() < 0.7:
            names = "publ_author.name" + self.dice.choice(("", " publ_author.address"))
            width = len(names.split())
            parts.append(self.loop(names, [["Ng, A. B.", "Department\nA Town"][:width], ["de Vries, C.", "?"][:width]]))
        if self.style in ("database", "mineral"):
            journal = {
                "journal__name_full": "A Journal",
                "journal__volume": 71,
                "journal__page_first": "m1",
                "journal__year": 2011,
            }
            parts.append(self.items(**journal))
        if self.style == "ddlm":
            parts.append(self.loop("citation.title citation.year", [["A paper", 2020], ["Another one", 2021]]))
        if self.style == "shelxl-97":
            parts.append(self.items(publ__contact_author_name="A. Ng", publ__contact_author_email="ng@example.org"))
            parts.append("_publ_section_title\n;\n A title with H~2~O and 2\\q\n;\n_publ_requested_journal ?\n")
        return "".join(parts)

    def _chemistry(self) -> str:
        kinds = sorted({kind for _, kind in self.atoms}, key=lambda kind: (kind != "C", kind != "H", kind))
        formula = " ".join(f"{kind}{self.dice.randint(1, 20)}" for kind in kinds)
        rows = [
            [kind, kind, f"{self.dice.uniform(-0.2, 0.5):.4f}", "0.0016", "International Tables Vol C"]
            for kind in kinds
        ]
        return self.items(
            chemical_formula__sum=formula,
            chemical_formula__moiety=formula.replace(" ", "") if self.dice.random() < 0.5 else "?",
            chemical_formula__weight=f"{self.dice.uniform(100, 900):.2f}",
            chemical__name_systematic="?",
            chemical__absolute_configuration="." if self.dice.random() < 0.3 else "?",
        ) + self.loop(
            "atom_type.symbol atom_type.description atom_type_scat.dispersion_real "
            "atom_type_scat.dispersion_imag atom_type_scat.source",
            rows,
        )

    def _symmetry(self) -> str:
        setting, hall, number, operations = _GROUPS[self.group]
        rows: list[list[object]] = [[text] for text in operations]
        if self.style in ("shelxl", "olex2", "ddlm", "jana"):
            values = {
                "space_group__crystal_system": setting,
                "space_group__IT_number": number,
                "space_group__name_H-M_alt": self.group,
                "space_group__name_Hall": hall,
            }
            names = "space_group_symop.operation_xyz"
            if self.style == "jana":
                names, rows = f"space_group_symop.id {names}", [[n, *row] for n, row in enumerate(rows, 1)]
            return self.items(**values) + self.loop(names, rows)
        old = f"_symmetry_cell_setting {setting}\n_symmetry_space_group_name_H-M '{self.group}'\n"
        if self.style == "database":
            old += f"_symmetry_Int_Tables_number {number}\n_symmetry_space_group_name_Hall '{hall}'\n"
        names = "symmetry_equiv_pos_as_xyz"
        if self.dice.random() < 0.3:
            names, rows = f"symmetry_equiv_pos_site_id {names}", [[n, *row] for n, row in enumerate(rows, 1)]
        return old + self.loop(names, rows)

    def _cell(self) -> str:
        setting = _GROUPS[self.group][0]
        free = self.measured(80, 110, 3)
        right = "90" if self.dice.random() < 0.7 else "90.00"
        angles = [free if setting == "triclinic" else right, free if setting != "orthorhombic" else right, right]
        if setting == "triclinic":
            angles[2] = self.measured(80, 110, 2)
        values = {f"cell__length_{axis}": self.measured(5, 30, 4) for axis in "abc"}
        values |= {f"cell__angle_{axis}": value for axis, value in zip(("alpha", "beta", "gamma"), angles, strict=True)}
        values |= {
            "cell__volume": self.measured(400, 4000, 1),
            "cell__formula_units_Z": str(self.dice.choice((2, 4, 8))),
        }
        if self.style != "mineral":
            values |= {
                "cell_measurement__temperature": self.dice.choice(("293(2)", "100(2)", "120.0(1)", "150")),
                "cell_measurement__reflns_used": str(self.dice.randint(500, 9999)),
                "cell_measurement__theta_min": "2.31",
                "cell_measurement__theta_max": "27.9",
            }
        return self.items(**values)

    def _crystal(self) -> str:
        sizes = sorted(self.dice.uniform(0.02, 0.5) for _ in range(3))
        values = {
            "exptl_crystal__description": self.dice.choice(("block", "plate", "needle", "?")),
            "exptl_crystal__colour": self.dice.choice(("colourless", "yellow", "'metallic dark red'".strip("'"))),
            "exptl_crystal__size_max": f"{sizes[2]:.3f}",
            "exptl_crystal__size_mid": f"{sizes[1]:.3f}",
            "exptl_crystal__size_min": f"{sizes[0]:.2f}",
            "exptl_crystal__density_diffrn": f"{self.dice.uniform(1, 4):.3f}",
            "exptl_crystal__density_meas": self.dice.choice(("?", ".")),
            "exptl_crystal__density_method": self.dice.choice(("?", "'not measured'".strip("'"))),
            "exptl_crystal__F_000": str(self.dice.randint(100, 2000)),
            "exptl__absorpt_coefficient_mu": f"{self.dice.uniform(0.05, 9):.3f}",
            "exptl__absorpt_correction_type": self.dice.choice(
                ("multi-scan", "numerical", "none", "analytical", "empirical")
            ),
            "exptl__absorpt_correction_T_min": "0.6512",
            "exptl__absorpt_correction_T_max": "0.7456",
            "exptl__absorpt_process_details": "SADABS 2016/2: Krause, L. (2015)",
        }
        return self.items(**values)

    def _collection(self) -> str:
        wavelength = self.dice.choice(("0.71073", "1.54178", "1.54184", "0.7107"))
        tube = "Mo" if wavelength.startswith("0") else "Cu"
        values = {
            "diffrn__ambient_temperature": self.dice.choice(("293(2)", "100(2)", "100.00(10)", "173")),
            "diffrn_radiation_wavelength__wavelength": wavelength,
            "diffrn_radiation__type": f"{tube}K\\a",
            "diffrn_radiation__monochromator": "graphite",
            "diffrn_source__source": "'fine-focus sealed tube'".strip("'"),
            "diffrn_measurement__device_type": "Bruker APEX-II CCD",
            "diffrn_measurement__method": "\\f and \\w scans",
            "diffrn_detector__area_resol_mean": self.dice.choice(("8.33", "?", "16.0355")),
            "diffrn_reflns__number": str(self.dice.randint(3000, 90000)),
            "diffrn_reflns__av_R_equivalents": "0.0456",
            "diffrn_reflns__av_unetI/netI": "0.0312",
            "diffrn_reflns__theta_min": "2.04",
            "diffrn_reflns__theta_max": "27.48",
            "diffrn_reflns__theta_full": "25.24",
            "diffrn__measured_fraction_theta_max": "0.998",
            "diffrn__measured_fraction_theta_full": "1.000",
            "reflns__number_total": str(self.dice.randint(1000, 9000)),
            "reflns__number_gt": str(self.dice.randint(500, 999)),
            "reflns__threshold_expression": self.dice.choice(("'I > 2\\s(I)'".strip("'"), ">2sigma(I)")),
        }
        for axis in "hkl":
            values[f"diffrn_reflns__limit_{axis}_min"] = str(-self.dice.randint(5, 30))
            values[f"diffrn_reflns__limit_{axis}_max"] = str(self.dice.randint(5, 30))
        if self.style == "ddlm":
            # These have dotted names of their own in DDLm.
            values["diffrn_radiation_wavelength__value"] = values.pop("diffrn_radiation_wavelength__wavelength")
            values.pop("diffrn_radiation__type")
        text = self.items(**values)
        if self.style != "ddlm":
            text = text.replace("_diffrn_radiation_wavelength_wavelength", "_diffrn_radiation_wavelength")
            text = text.replace("_diffrn_source_source", "_diffrn_source")
        if self.dice.random() < 0.4:
            rows: list[list[object]] = [[1, 0, 0, "0.1021"], [-1, 0, 0, "0.0986"], [0, 1, -1, "0.05"]]
            names = " ".join(f"exptl_crystal_face.index_{axis}" for axis in "hkl")
            text += self.loop(f"{names} exptl_crystal_face.perp_dist", rows)
        return text

    def _refinement(self) -> str:
        software = {"structure_solution": "SHELXT 2014/5 (Sheldrick, 2014)", "structure_refinement": "SHELXL-2018/3"}
        values = {f"computing__{key}": value for key, value in software.items()}
        values |= {
            "refine_ls__structure_factor_coef": self.dice.choice(("Fsqd", "F", "Fsqd")),
            "refine_ls__matrix_type": "full",
            "refine_ls__weighting_scheme": "calc",
            "refine_ls__weighting_details": "w=1/[\\s^2^(Fo^2^)+(0.0512P)^2^+0.2P] where P=(Fo^2^+2Fc^2^)/3",
            "refine_ls__extinction_method": self.dice.choice(("none", "'SHELXL-2018/3'".strip("'"))),
            "refine_ls__extinction_coef": self.dice.choice((".", "0.0023(4)", "?")),
            "refine_ls__number_reflns": str(self.dice.randint(1000, 9000)),
            "refine_ls__number_parameters": str(self.dice.randint(50, 500)),
            "refine_ls__number_restraints": str(self.dice.randint(0, 30)),
            "refine_ls__R_factor_all": "0.0731",
            "refine_ls__R_factor_gt": "0.0432",
            "refine_ls__wR_factor_ref": "0.1213",
            "refine_ls__wR_factor_gt": "0.1087",
            "refine_ls__goodness_of_fit_ref": "1.034",
            "refine_ls__restrained_S_all": "1.034",
            "refine_ls__shift/su_max": self.dice.choice(("0.001", "0.000", "<0.001")[:2]),
            "refine_ls__shift/su_mean": "0.000",
            "refine_ls__hydrogen_treatment": self.dice.choice(("constr", "mixed", "refall", "noref", "undef")),
            "refine_ls__abs_structure_Flack": self.dice.choice((".", "?", "0.02(3)", "-0.01(2)")),
            "refine_diff__density_max": f"{self.dice.uniform(0.1, 2):.3f}",
            "refine_diff__density_min": f"{-self.dice.uniform(0.1, 2):.3f}",
            "refine_diff__density_rms": "0.051",
            "refine__special_details": "Some words\non two lines.",
        }
        if self.style == "ddlm":
            values = {key: value for key, value in values.items() if "shift" not in key}
        if self.style in ("jana", "mineral"):
            values["refine_ls__hydrogen_treatment"] = "noref"
            values.pop("refine_ls__extinction_method")
        return self.items(**values)

    def _sites(self) -> str:
        rich = self.style in ("shelxl", "shelxl-97", "olex2")
        names = "atom_site.label" + ("" if self.style == "mineral" else " atom_site.type_symbol")
        names += " atom_site.fract_x atom_site.fract_y atom_site.fract_z"
        names += " atom_site.U_iso_or_equiv" + ("" if self.style == "mineral" else " atom_site.adp_type")
        names += " atom_site.occupancy" if self.dice.random() < 0.8 else ""
        old_flags = self.style in ("shelxl-97", "crystals", "database")
        if rich or old_flags:
            names += " atom_site.calc_flag"
        if old_flags:
            names += " atom_site.refinement_flags"
        elif rich:
            names += " atom_site.refinement_flags_posn atom_site.refinement_flags_adp"
        if rich:
            names += " atom_site.disorder_assembly atom_site.disorder_group"
        return self.loop(names, [self._site_row(names.split(), *atom) for atom in self.atoms])

    def _site_row(self, names: list[str], label: str, kind: str) -> list[object]:
        is_light = kind == "H"
        makers = {
            "label": label,
            "type_symbol": kind,
            "U_iso_or_equiv": "0.041" if is_light else self.measured(0.01, 0.09, 4),
            "adp_type": "Uiso" if is_light else "Uani",
            "occupancy": self.dice.choice(("1", "1.0000", "0.527(6)")),
            "calc_flag": "calc" if is_light else "d",
            "refinement_flags": self.dice.choice(("R", "PR", "RU", "."))
            if is_light
            else self.dice.choice((".", "P", "S", "SP")),
            "refinement_flags_posn": "R" if is_light else self.dice.choice((".", "S")),
            "refinement_flags_adp": "U" if is_light else self.dice.choice((".", "T")),
            "disorder_assembly": self.dice.choice((".", "A")),
            "disorder_group": self.dice.choice((".", "1", "-1", "2")),
        }
        parts = (name.partition(".")[2] for name in names)
        return [makers.get(part) or self.measured(-0.2, 1.2, 5) for part in parts]

    def _displacements(self) -> str:
        heavy = [label for label, kind in self.atoms if kind != "H"]
        letter = "B" if self.style == "mineral" and self.dice.random() < 0.5 else "U"
        names = "atom_site_aniso.label " + " ".join(f"atom_site_aniso.{letter}_{n}" for n in (11, 22, 33, 23, 13, 12))
        return self.loop(names, [[label, *(self.measured(-0.01, 0.09, 4) for _ in range(6))] for label in heavy])

    def _geometry(self) -> str:
        labels = list(dict.fromkeys(label for label, _ in self.atoms))
        text = ""
        pairs = [self.dice.sample(labels, 2) for _ in range(5)]
        symmetry = lambda: self.dice.choice((".", ".", "2_655", "3_565", "1_545"))  # noqa: E731
        rows: list[list[object]] = [[*pair, self.measured(0.9, 2.4, 3), symmetry(), "?"] for pair in _distinct(pairs)]
        names = "geom_bond.atom_site_label_1 geom_bond.atom_site_label_2 geom_bond.distance"
        text += self.loop(f"{names} geom_bond.site_symmetry_2 geom_bond.publ_flag", rows)
        triples = _distinct([self.dice.sample(labels, 3) for _ in range(4)])
        rows = [[*triple, self.measured(60, 180, 1), symmetry(), "."] for triple in triples]
        heads = " ".join(f"geom_angle.atom_site_label_{n}" for n in (1, 2, 3))
        text += self.loop(f"{heads} geom_angle.value geom_angle.site_symmetry_1 geom_angle.site_symmetry_3", rows)
        if self.dice.random() < 0.5:
            triples = _distinct([self.dice.sample(labels, 3) for _ in range(2)])
            rows = [[*triple, "0.86", "2.11", "2.934(3)", "160", symmetry()] for triple in triples]
            heads = " ".join(f"geom_hbond.atom_site_label_{letter}" for letter in "DHA")
            values = "geom_hbond.distance_DH geom_hbond.distance_HA geom_hbond.distance_DA geom_hbond.angle_DHA"
            text += self.loop(f"{heads} {values} geom_hbond.site_symmetry_A", rows)
        return text if self.style == "ddlm" else text.replace("_geom_angle_value", "_geom_angle")

    def _rest(self) -> str:
        text = ""
        if self.style in ("shelxl", "olex2"):
            text += "_shelx_res_file\n;\nTITL x\nCELL 0.71073 5 6 7 90 90 90\n_not_a_name 'open\nEND\n;\n"
            text += "_shelx_res_checksum 12345\n"
        if self.style == "olex2":
            text += "_olex2_submission_original_sample_id x\n"
        if self.style == "shelxl-97":
            text += "_vrf_PLAT029_I\n;\nPROBLEM: _diffrn_measured_fraction_theta_full Low\nRESPONSE: ...\n;\n"
        if self.dice.random() < 0.3:
            names = "refln_index_h refln_index_k refln_index_l "
            names += "refln_F_squared_meas refln_F_squared_calc refln_F_squared_sigma"
            text += (
                ""
                if self.style == "ddlm"
                else self.loop(names, [[1, 0, 0, "12.31", "12.0", "0.4"], [1, 1, 0, "3.1", "-0.1", "0.2"]])
            )
        return text


def _distinct(rows: list[list[str]]) -> list[list[str]]:
    """Rows without repetition."""
    return [list(row) for row in dict.fromkeys(map(tuple, rows))]
