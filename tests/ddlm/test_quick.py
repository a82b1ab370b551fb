"""The quick road to the frames of dictionaries: the same values as the parser's, or none at all."""

import random
from pathlib import Path

import pytest
from dictionaries import dictionary, write
from shared import DICTIONARIES, ROOT, needs_dictionaries

from imgcif_core import InputError, load_dictionary
from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.frames import UNREAD, _raw_frame, read_file
from imgcif_core.ddlm.quick import RawFrame, quick_frames

OFFICIAL = sorted([*DICTIONARIES.glob("*.*"), *DICTIONARIES.glob("more/*.*")])
OWN = ROOT / "imgcif_core" / "ddlm" / "data" / "imgcif_methods.dic"
# One of each kind of value, and what stands around them.
EVERY_KIND = """\
#\\#CIF_2.0
# a comment
data_TESTS
_a.bare it's # another one
_a.single 'one "two"' _a.double "it's" _a.empty ''
_a.text
;\\
folded \\
line
 ; no end
;
_a.triple '''two
'lines'''  _a.other \"\"\"a "b" \"\"\"
_a.list [1 'two' "th]ree" [4 [5] {'k':'a ] b' "l":6}] ]
save_X
_definition.id X
loop_ _x.one _x.two . ? 1 '.' end#ing [ ]
_description.text
;words
;
_method.expression
;  _x.y = 1
;
save_
"""


def by_parser(data: bytes) -> list[RawFrame]:
    """The frames as the parser gives them."""
    block = read(open_source(data)).blocks[0]
    return [_raw_frame(each) for each in (block, *block.frames)]


def test_every_kind_of_value_is_read_as_the_parser_reads_it() -> None:
    data = EVERY_KIND.encode()
    found = quick_frames(data, UNREAD)
    assert found is not None
    assert found == by_parser(data)
    assert found[0].values["_a.text"] == ["folded line\n ; no end"]
    assert found[1].values["_description.text"] == [""]


@needs_dictionaries
@pytest.mark.parametrize("path", [*OFFICIAL, OWN], ids=lambda path: path.name)
def test_a_whole_dictionary_is_read_as_the_parser_reads_it(path: Path) -> None:
    data = path.read_bytes()
    found = quick_frames(data, UNREAD)
    assert found is not None
    assert found == by_parser(data)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_text_is_read_as_the_parser_reads_it_or_left_to_it(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        *("'", '"', ";", "\n;", "\n", " ", "[", "]", "{", "}", "'''", ":", "#", "_", "$"),
        *("loop_", "save_", "save_x", "data_y", "_a.bare", "_a.new 1", "stop_", "loop", "\r", "\0", "é", "\\"),
    ]
    taken = 0
    for text in (EVERY_KIND, dictionary()):
        for _ in range(60):
            at = chance.randrange(12, len(text))
            damaged = text[:at] + chance.choice(pieces) + text[at + chance.randrange(4) :]
            found = quick_frames(damaged.encode(), UNREAD)
            taken += found is not None
            assert found is None or found == by_parser(damaged.encode())
    assert taken > 20


@pytest.mark.parametrize(
    "change",
    [
        ("#\\#CIF_2.0\n", ""),
        ("data_TESTS", "data_TESTS\ndata_OTHER"),
        ("loop_ _x.one _x.two . ?", "loop_ _x.one _x.two . ? 3"),
        ("save_\n", ""),
        ("_a.empty ''", "_a.bare 2"),
        ("[1 'two'", "[1 'two"),
        ("\n", "\r\n"),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(change: tuple[str, str]) -> None:
    assert quick_frames(EVERY_KIND.replace(*change).encode(), UNREAD) is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_method_has_the_line_where_it_stands_on_both_roads(tmp_path: Path, end: str) -> None:
    text = dictionary().replace("_type.purpose Measurand\n", "_method.expression\n;\n_sample.mass = 1\n;\n")
    path = tmp_path / "tests.dic"
    path.write_bytes(text.replace("\n", end).encode())
    (method,) = load_dictionary([path]).methods.all()
    assert method.line == text[: text.index("_method.expression")].count("\n") + 2
    assert "_sample.mass = 1" in method.text


HOSTILE = (
    " " * 300_000,
    "#\n" * 150_000,
    "[" * 50_000,
    "[" + "'a' " * 50_000,
    "{" + "'a':1 " * 30_000,
    "\n;\n" * 50_000,
    '"""' + '""a' * 80_000,
    "[[1] " * 50_000,
    "'a':" * 50_000,
    "_a" * 100_000,
)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_text_takes_no_more_time_than_its_length(hostile: str) -> None:
    # Each takes milliseconds; what goes back over its steps would take minutes.
    quick_frames(f"#\\#CIF_2.0\ndata_x\n_a.b 1 {hostile}\n".encode(), UNREAD)


def test_a_dictionary_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.dic"
    path.write_bytes(dictionary().encode() + b"#" * (17 << 20))
    with pytest.raises(InputError, match=r"huge\.dic: is 18 MB long - dictionaries of up to 16 MB are read"):
        load_dictionary([path])


def test_a_loaded_dictionary_is_read_by_the_parser_only_when_it_is_asked(tmp_path: Path) -> None:
    file = read_file(write(tmp_path, dictionary()))
    assert "document" not in vars(file)
    frame = file.frames["sample.id"]
    assert frame.at("_type.contents").start > frame.start
    assert "document" in vars(file)
    assert frame.block.name == "sample.id"
