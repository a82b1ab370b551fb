"""Facts of a source imgCIF are carried over, and numbers are written without binary noise."""

import json
import re
from pathlib import Path

import pytest
from create.images import expt

from imgcif_core.create.loop import create

FACTS = {
    "_diffrn_radiation.monochromator": "'Si 111'",
    "_diffrn_radiation.polarizn_source_ratio": "0.8",
    "_diffrn_radiation.div_x_source": "0.08",
    "_diffrn_source.current": "300.0",
    "_diffrn_measurement.method": "rotation",
    "_diffrn.ambient_temperature": "100.0",
}


def imgcif(folder: Path, **lines: str) -> Path:
    """An imgCIF made from an experiment list, with more facts."""
    text = create(expt(folder / "a.expt")).text
    for name, value in FACTS.items():
        text = re.sub(rf"(?m)^{re.escape(name)}\s.*\n", "", text)
        text = text.replace("\n_diffrn.id", f"\n{name} {value}\n_diffrn.id", 1)
    path = folder / "b.cif"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_a_source_are_carried_over(tmp_path: Path, name: str) -> None:
    made = create(imgcif(tmp_path))
    assert made.is_sound, [finding.message for finding in made.report.findings]
    found = re.search(rf"(?m)^{re.escape(name)}\s+(.+)$", made.text)
    assert found is not None and found[1].strip() == FACTS[name]


def test_numbers_are_written_without_binary_noise(tmp_path: Path) -> None:
    def edit(data: dict) -> None:
        data["beam"][0]["wavelength"] = 0.9794999999999995
        data["detector"][0]["panels"][0]["pixel_size"] = [0.17200000000000001, 0.10999999999999999]
        for scan in data["scan"]:
            scan["oscillation"] = [-119.99999999999999, 0.1]

    text = create(expt(tmp_path / "a.expt", edit)).text
    assert "0.9795" in text and "-120.0" in text and "0.172" in text and "0.11" in text
    assert not re.search(r"\d(0{6}|9{6})\d+(?!\d)", text), text
    assert not re.search(r"\de-1\d", json.dumps(text))
