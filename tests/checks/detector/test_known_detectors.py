"""The table of known detectors: sizes follow from modules and gaps, names find their detector."""

import pytest

from imgcif_core.model.known_detectors import KnownDetector, detector_named, known_detectors


@pytest.mark.parametrize(
    "detector",
    [entry for entry in known_detectors() if entry.module and entry.name.startswith(("PILATUS", "EIGER2"))],
    ids=lambda entry: entry.name,
)
def test_sizes_are_whole_numbers_of_modules_and_gaps(detector: KnownDetector) -> None:
    assert detector.module and detector.gap
    for size in detector.sizes:
        for length, module, gap in zip(size, detector.module, detector.gap, strict=True):
            assert (length + gap) % (module + gap) == 0, (size, module, gap)


def test_gaps_of_a_pilatus_2m() -> None:
    # 3 modules of 487 with 7 between them; 8 of 195 with 17 between them.
    detector = detector_named("Dectris PILATUS 2M")
    assert detector is not None
    fast, slow = detector.gaps((1475, 1679))
    assert fast == [(487, 494), (981, 988)]
    assert slow[0] == (195, 212) and slow[-1] == (1467, 1484) and len(slow) == 7
    assert detector.gaps((1475, 1600))[1] == []


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("PILATUS 6M, S/N 60-0119 Diamond", "PILATUS 6M"),
        ("Dectris Pilatus3 X CdTe 2M", "PILATUS 2M"),
        ("DECTRIS EIGER2 XE 16M", "EIGER2 16M"),
        ("Dectris Eiger 16M, S/N E-32-0100", "EIGER 16M"),
        ("PILATUS 300K-W", "PILATUS 300K-W"),
        ("PILATUS 300K, S/N 3-0104", "PILATUS 300K"),
        ("ADSC QUANTUM315r", "ADSC Quantum 315"),
        ("Bruker PHOTON II", "PHOTON II"),
    ],
)
def test_makes_name_their_detector(make: str, name: str) -> None:
    detector = detector_named(None, make)
    assert detector is not None and detector.name == name


@pytest.mark.parametrize(
    "make", [None, "", "PILATUS", "EIGER", "Example pixel array 1M", "PILATUS 16M", "XPILATUS 6MX"]
)
def test_other_makes_name_none(make: str | None) -> None:
    assert detector_named(make) is None


def test_the_pixels_of_an_entry_suit_its_names() -> None:
    for detector in known_detectors():
        assert all(0.001 <= pixel <= 1 for pixel in detector.pixel), detector.name
        assert all(name == name.upper().strip() for name in detector.names)
