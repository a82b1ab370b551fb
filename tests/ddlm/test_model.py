"""Dictionaries as facts: look-up through aliases, layers, families, and what `show` says of them."""

from pathlib import Path

import pytest
from dictionaries import dictionary, write

from imgcif_core import UsageError, load_dictionary
from imgcif_core.cli import main
from imgcif_core.ddlm.show import show

IMAGE = load_dictionary()


@pytest.fixture
def small(tmp_path: Path):
    return load_dictionary([write(tmp_path, dictionary())])


def test_names_are_looked_up_in_any_case_and_through_aliases(small) -> None:
    item = small.lookup("_SAMPLE_Kind")
    assert item is not None
    assert item.id == "_sample.kind"
    assert small.is_alias("_sample_kind")
    assert not small.is_alias("_sample.kind")
    assert small.lookup("_sample.nothing") is None


def test_an_item_carries_what_its_definition_says(small) -> None:
    kind, mass = small.lookup("_sample.kind"), small.lookup("_sample.mass")
    assert (kind.states, kind.default, kind.is_caseless) == (("powder", "crystal", "glass"), "powder", True)
    assert (mass.ranges, mass.units, mass.is_numeric) == (((0.0, None),), "dalton", True)
    assert small.lookup("_sample.id").is_key
    assert small.lookup("_sample.parent_id").is_link
    assert not small.lookup("_sample.mass_su").is_link


def test_links_are_known_from_both_ends(small) -> None:
    assert [item.id for item in small.children_links("_sample.id")] == ["_sample.parent_id"]


def test_the_bundled_facts_name_their_sources() -> None:
    titles = [source.title for source in IMAGE.sources]
    assert titles[0] == "CIF_IMG"
    assert {"MULTIBLOCK_DIC", "CIF_CORE"} <= set(titles)
    assert all(len(source.sha256) == 64 and source.version and source.date for source in IMAGE.sources)


def test_a_key_that_exists_only_as_an_alias_is_found() -> None:
    keys = [item.id for item in IMAGE.key_items("diffrn_measurement")]
    assert "_diffrn_measurement.device_class" in keys


def test_what_is_deprecated_in_core_stays_known_where_imgcif_defines_it_anew() -> None:
    item = IMAGE.lookup("_diffrn_radiation.type")
    assert (item.layer, item.deprecated) == ("CIF_IMG", ("CIF_CORE",))


def test_ranges_of_all_layers_are_kept() -> None:
    # imgCIF gives -90 to 90, the core dictionary -180 to 180.
    ranges = IMAGE.lookup("_diffrn_radiation.polarisn_norm").ranges
    assert ranges == ((-90.0, 90.0), (-180.0, 180.0))


def test_every_correction_of_the_overlay_has_its_reason() -> None:
    from imgcif_core.ddlm.compile import load_overlay

    overlay = load_overlay()
    for kind in ("item", "category", "undefined"):
        for name, change in overlay[kind].items():
            assert len(change["reason"]) > 20, name


def test_show_tells_the_facts_of_an_item_and_of_a_category(small) -> None:
    text = show(small, "_sample_kind")
    assert "asked as    _sample_kind, an alias" in text
    assert "states      powder, crystal, glass" in text
    assert "range       0 or more" in show(small, "sample.mass")
    assert "linked from _sample.parent_id" in show(small, "_sample.id")
    assert "keys        _sample.id" in show(small, "SAMPLE")


def test_show_suggests_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"did you mean _axis\.vector\[1\]"):
        show(IMAGE, "_axis.vektor[1]")


def test_the_command_shows_and_refuses_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dictionary", "show", "_axis.type", "axis"]) == 0
    assert "translation" in capsys.readouterr().out
    assert main(["dictionary", "show", "_axis.nothing"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
