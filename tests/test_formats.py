"""One table says what files are: a new format is one entry and one reader."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared import CORPUS, needs_corpus

from imgcif_core import formats
from imgcif_core.cif.reader import find_inputs
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.formats import ARCHIVES, IMAGES, PACKINGS, image_format_of, image_of_name, pixel_reader_of, stranger

PACKAGE = Path(formats.__file__).parent


def states(item: str) -> set[str]:
    found = load_bundled().lookup(item)
    assert found is not None
    return {word.casefold() for word in found.states or () if word != "."}


def test_words_are_those_of_the_dictionary() -> None:
    columns = {
        "format": {entry.word for entry in IMAGES if entry.word and entry.in_dictionary},
        "archive_format": {entry.word for entry in ARCHIVES if entry.in_dictionary},
        "file_compression": {entry.word for entry in PACKINGS if entry.word},
    }
    for name, words in columns.items():
        assert {word.casefold() for word in words} == states(f"_array_data_external_data.{name}"), name


def test_suffixes_belong_to_one_format() -> None:
    known = [suffix for entry in (*IMAGES, *ARCHIVES) for suffix in entry.suffixes]
    assert len(known) == len(set(known))


def test_readers_are_there() -> None:
    from imgcif_core.images.pixels import READERS
    from imgcif_core.sources.any import KINDS

    for entry in IMAGES:
        for pixels in (entry.pixels, *(magic.pixels for magic in entry.magic if magic.pixels)):
            assert pixels.partition(":")[0] in READERS, entry.title
        assert not entry.kind or entry.kind in KINDS


def test_classes_of_fabio_are_there() -> None:
    fabioformats = pytest.importorskip("fabio.fabioformats")
    for name in formats.fabio_readers():
        assert fabioformats.factory(name) is not None


@pytest.mark.parametrize(
    ("head", "word", "reader"),
    [
        (b"\r\n###CBF: VERSION 1.5\r\n", "CBF", "cbf"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "HDF5", "hdf5"),
        (b"\0" * 512 + b"\x89HDF\r\n\x1a\n", "HDF5", "hdf5"),
        (b"{\nHEADER_BYTES=  512;\n", "SMV", "fabio:dtrekimage"),
        (b"II*\0\x08\0\0\0", "TIFF", "fabio:tifimage"),
        (b"II*\0\x82\0\0\0", "TIFF", "fabio:pilatusimage"),
        (b"II*\0" + b"\0" * 1024 + b"MMX\0", "MAR", "fabio:marccdimage"),
        (b"\xd2\x04\0\0" + b"\0" * 124, "MAR", "fabio:mar345image"),
        (b"FORMAT :        86  ", "Bruker", "fabio:brukerimage"),
        (b"FORMAT :       100  ", "Bruker", "fabio:bruker100image"),
        (b"OD SAPPHIRE  3.0", "", "fabio:oxdimage"),
        (b"\x93NUMPY\x01\0", None, ""),
        (b"\x80\x04\x95", None, ""),
        (b"", None, ""),
    ],
)
def test_first_bytes_tell_format_and_reader(head: bytes, word: str | None, reader: str) -> None:
    found = image_format_of(head)
    assert (None if found is None else found.word) == word
    assert pixel_reader_of(head) == reader


@needs_corpus
def test_real_files_are_what_they_are() -> None:
    import bz2

    for path, word in (
        ("other/somedata_0001.mccd.bz2", "MAR"),
        ("other/Cr8F8140k103.0026.bz2", "Bruker"),
        ("other/b191_1_9_1.img.bz2", ""),
        ("tiff/oPPA_5grains_0001.tif.bz2", "TIFF"),
    ):
        found = image_format_of(bz2.decompress((CORPUS / path).read_bytes())[: formats.HEAD_BYTES])
        assert found is not None
        assert found.word == word, path


def test_creation_and_checker_read_names_alike() -> None:
    from imgcif_core.checks.external.formats import _format_of_name

    for entry in IMAGES:
        for suffix in (*entry.suffixes, *(f"{numbered}2300" for numbered in entry.numbered)):
            for packed in ("", ".gz", ".bz2"):
                name = f"https://x.org/d/run_0001{suffix.upper()}{packed}"
                assert formats.format_and_packing(name)[0] == (entry.word or None)
                assert _format_of_name(name) == (entry.word or None)
                assert image_of_name(name) == entry


def test_strangers_are_named() -> None:
    assert stranger(b"PK\x03\x04") == "a zip archive"
    assert stranger(b"II*\0\x08\0\0\0") == "a TIFF image"
    assert stranger(b"###CBF: VERSION 1.5\n") is None
    assert stranger(b"data_a\n") is None


def test_no_other_module_lists_suffixes_or_first_bytes() -> None:
    """Names of formats in code come from the table; a suffix or magic in a literal elsewhere is a second table."""
    known = {suffix for entry in (*IMAGES, *ARCHIVES) for suffix in entry.suffixes if suffix not in (".h5",)}
    marks = {magic.mark for entry in IMAGES for magic in entry.magic if len(magic.mark) > 3}
    import ast

    allowed = {"formats.py", "cif/reader.py"}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                assert node.value not in known, f"{name}:{node.lineno} {node.value}"
                assert node.value not in marks, f"{name}:{node.lineno} {node.value!r}"


def test_new_format_is_one_entry_and_one_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an entry and a reader of its pixels a format is known by name, by bytes, to rules and to questions."""
    from imgcif_core.images import pixels
    from imgcif_core.images.bytes import FileBytes
    from imgcif_core.images.isolated import Helper

    new = replace(
        IMAGES[0],
        word="NEW",
        title="a NEW image",
        suffixes=(".new",),
        magic=(formats.Magic(b"NEWIMAGE"),),
        pixels="new",
        kind="",
        version="needed",
    )

    class Stack:
        label, kind, frames, shape, dtype = "x", "NEW", 1, (2, 2), np.dtype("<u2")

        def read(self, index: int) -> np.ndarray:
            return np.full(self.shape, index, self.dtype)

    monkeypatch.setattr(formats, "IMAGES", (*IMAGES, new))
    monkeypatch.setitem(pixels.READERS, "new", lambda source, helper, wanted: Stack())
    formats.by_ending.cache_clear()
    path = tmp_path / "x_0001.new"
    path.write_bytes(b"NEWIMAGE" + b"\0" * 8)
    assert formats.format_suffix("a/x_0001.NEW.gz") == "NEW"
    assert formats.format_and_packing(str(path)) == ("NEW", None)
    assert stranger(path.read_bytes()) == "a NEW image"
    assert pixels.open_images(FileBytes(path), Helper()).read(0).shape == (2, 2)
    assert re.search(formats.suffix_pattern(), "x_0001.new.bz2")
    assert formats.image_words()[-1] == "NEW"
    formats.by_ending.cache_clear()


def test_texts_are_found_by_the_same_names(tmp_path: Path) -> None:
    for name in ("a.cif", "b.CBF.GZ", "c.imgcif.bz2", "d.h5", "e.cif.txt", ".cif"):
        (tmp_path / name).write_bytes(b"")
    assert [Path(found).name for found in find_inputs(tmp_path)] == ["a.cif", "b.CBF.GZ", "c.imgcif.bz2"]
