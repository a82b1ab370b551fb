"""SYN: the text itself - version, grammar, encoding, lines, binary sections."""

from collections.abc import Iterator

from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.syntax_edits import edits_of
from imgcif_core.cif.document import Document, Place
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.ddlm.recognise import dictionary_kind


def problems_of(document: Document, code: str) -> Iterator[Problem]:
    """What the parser found under one code; what it only counted stands with the last one."""
    found = [problem for problem in document.problems if problem.code == code]
    extra = document.problem_totals.get(code, 0) - len(found)
    for index, problem in enumerate(found):
        place = Place(document.source, problem.start, problem.end, problem.block, _category(problem.item), problem.item)
        count = int(problem.data.get("count", 1)) if code in ("SYN009", "SYN018") else 1
        if index == len(found) - 1:
            count += max(0, extra)
        data = {name: value for name, value in problem.data.items() if name != "count"}
        edits = edits_of(document, problem) if count == 1 else []
        yield Problem(place, severity=problem.severity, variant=problem.variant, count=count, edits=edits, **data)


def _category(item: str | None) -> str | None:
    """The category part of a data name."""
    return item.partition(".")[0].lstrip("_").lower() if item else None


@rule(
    "SYN001",
    "malformed-text",
    severity="error",
    source="CIF 1.1 and CIF 2.0 syntax specifications",
    messages={
        "no-data-block": "file holds no data block - expected a line such as data_NAME",
        "not-cif": "file is {looks}, not CIF - expected text with a line such as data_NAME",
        "no-data-heading": "{text} stands before any data block - expected a line such as data_NAME first",
        "text-before-block": "{text!r} stands before any data block - expected a line such as data_NAME first",
        "bracket-in-word": "unquoted value {text!r} holds a bracket - CIF 2.0 reserves brackets for lists and tables",
        "after-quote": "text follows the closing quote of {text!r} - expected white space",
        "after-container": "{text!r} follows a closing bracket - expected white space",
        "not-separated": "values of a list or table are not separated - expected white space before {text!r}",
        "wrong-bracket": "closing bracket {text} does not match the opening one",
        "table-entry": "{text!r} in a table is not a quoted key with a value - expected 'key':value",
        "glued-comment": "comment {text!r} follows a value or bracket without white space",
        "too-deep": "lists are nested more than 500 deep - what lies deeper is not judged",
    },
    helps={
        "no-data-block": "begin the data with a line such as data_NAME",
        "not-cif": "give the text file that describes the images, not the images themselves",
        "no-data-heading": "put a line such as data_NAME in front of it",
        "text-before-block": "begin the line with #, if it is a comment, or remove it",
        "bracket-in-word": "put the whole value in quotes",
        "after-quote": "put a blank behind the closing quote, or use another kind of quotes round the whole value",
        "after-container": "put a blank behind the bracket",
        "not-separated": "put a blank in front of {text}",
        "wrong-bracket": "close lists with ] and tables with }}, the innermost first",
        "table-entry": "write each entry as 'key':value",
        "glued-comment": "put a blank in front of the #",
        "too-deep": "write the value with fewer levels",
    },
)
def malformed_text(document: Document) -> Iterator[Problem]:
    """What: The text does not follow the grammar of CIF, so that programs cannot read it or read it differently.
    Why: A file that does not parse is lost to every program, and what stands behind the fault may be misread.
    How to fix: Repair the place shown; for text before the first block, put a line such as data_NAME in front of it.
    Source: CIF 1.1 syntax specification; CIF 2.0 syntax specification.
    """
    yield from problems_of(document, "SYN001")


@rule(
    "SYN002",
    "version-line",
    severity="info",
    source="CIF 2.0 syntax specification, magic code",
    message="first line does not name a version of CIF - the file is read as CIF 1.1",
    messages={
        "cif2-syntax": "file uses the syntax of CIF 2.0, but its first line is not #\\#CIF_2.0",
        "trailing": "first line goes on after {magic} - expected nothing but blanks there",
        "unknown": "version {version} of CIF is not known - expected 1.1 or 2.0",
    },
    helps={
        "": "begin the file with the line #\\#CIF_1.1, or ###CBF: VERSION 1.5 for a CBF",
        "cif2-syntax": "begin the file with the line #\\#CIF_2.0",
        "trailing": "leave {magic} alone in the first line, and put the rest into the next one",
        "unknown": "write #\\#CIF_2.0, or #\\#CIF_1.1",
    },
)
def version_line(document: Document) -> Iterator[Problem]:
    """What: The first line of the file does not say by which version of CIF it is written.
    Why: Quotes, brackets and lists mean different things in CIF 1.1 and CIF 2.0, and readers choose by this line.
    How to fix: Begin the file with the line #\\#CIF_2.0 or #\\#CIF_1.1, or with ###CBF: VERSION for a CBF.
    Source: CIF 2.0 syntax specification, magic code.
    """
    yield from problems_of(document, "SYN002")


@rule(
    "SYN003",
    "cbf-magic",
    severity="info",
    source="CBF format description, first line",
    messages={
        "no-magic": "file holds a binary section, but does not begin with ###CBF: VERSION",
        "no-section": "file begins with {text}, but holds no binary section",
    },
    helps={
        "no-magic": "put ###CBF: VERSION 1.5 into the first line",
        "no-section": "begin with #\\#CIF_1.1 where the images are elsewhere; otherwise fetch the file again",
    },
)
def cbf_magic(document: Document) -> Iterator[Problem]:
    """What: The first line announces a CBF and there is no binary image in it, or the other way round.
    Why: Programs decide by the first line whether they have to expect binary data in the file.
    How to fix: Begin a file with images with ###CBF: VERSION 1.5, and a file of text alone with a CIF version line.
    Source: CBF format description, magic number.
    """
    for problem in problems_of(document, "SYN003"):
        problem.data["text"] = document.magic
        yield problem


@rule(
    "SYN004",
    "duplicate-data-name",
    severity="error",
    source="CIF 1.1 syntax specification, uniqueness of data names",
    message="{name} is given twice in one block - first in line {first_line}",
    messages={"key": "key {text} is given twice in one table - only one of its values can be kept"},
)
def duplicate_data_name(document: Document) -> Iterator[Problem]:
    """What: The same data name stands twice in one data block or save frame, or the same key twice in one table.
    Why: Only one of the two can be the value, and programs differ in which one they take.
    How to fix: Delete one of the two, or move it to where it belongs.
    Source: CIF 1.1 syntax specification, paragraph on data names within a block; CIF 2.0 specification, tables.
    """
    yield from problems_of(document, "SYN004")


@rule(
    "SYN005",
    "block-code",
    severity="error",
    source="CIF 1.1 syntax specification, block codes",
    messages={
        "duplicate": "data block {name!r} has the same name as the one in line {first_line}",
        "frame": "save frame {name!r} has the same name as another one of its block",
        "empty": "data block has no name - expected data_NAME",
        "long": "name of the data block has {length} characters - CIF 1.1 allows 75",
        "long-frame": "name of the save frame has {length} characters - CIF 1.1 allows 75",
    },
    helps={
        "duplicate": "give one of the two blocks another name",
        "frame": "give one of the two save frames another name",
        "empty": "give the block a name behind data_, without blanks",
        "long": "shorten the name to 75 characters",
        "long-frame": "shorten the name to 75 characters",
    },
)
def block_code(document: Document) -> Iterator[Problem]:
    """What: Two data blocks have the same name, or a block has none, or one that is too long.
    Why: Blocks are addressed by their names, so that a second block of the same name cannot be reached.
    How to fix: Give each block a name of its own behind data_, without blanks.
    Source: CIF 1.1 syntax specification, data block headings.
    """
    yield from problems_of(document, "SYN005")


@rule(
    "SYN006",
    "loop-value-count",
    severity="error",
    source="CIF 1.1 syntax specification, loops",
    messages={
        "shapeless": "loop of {names} names has {values} values - {missing} missing to fill the last row, "
        "and its lines do not tell which; nothing of the loop is judged",
        "suspect": "loop of {names} names has {values} values - {missing} missing to fill the last row, "
        "and line {suspect} is the first that is not {names} values long",
    },
)
def loop_value_count(document: Document) -> Iterator[Problem]:
    """What: The number of values in a loop is not a multiple of the number of its names.
    Why: From the row with the missing or extra value on, every value stands in the wrong column.
    How to fix: Look for the row with too few or too many values; a value with blanks needs quotes, a missing one a dot.
    Source: CIF 1.1 syntax specification, loop structures.
    """
    for problem in problems_of(document, "SYN006"):
        problem.variant = "suspect" if problem.data.get("suspect") else "shapeless"
        yield problem


@rule(
    "SYN007",
    "reserved-unquoted-value",
    severity="error",
    source="CIF 1.1 and CIF 2.0 syntax specifications, reserved words",
    messages={
        "reserved": "{text!r} is a reserved word - as a value it needs quotes",
        "first-character": "unquoted value {text!r} begins with a reserved character",
        "closing-bracket": "closing bracket {text!r} outside a list or table",
    },
    helps={
        "reserved": "put it in quotes if it is a value; otherwise remove it",
        "first-character": "put the value in quotes",
        "closing-bracket": "remove the bracket, or put the value that it belongs to in quotes",
    },
)
def reserved_unquoted_value(document: Document) -> Iterator[Problem]:
    """What: A value that begins like a keyword of CIF, or with a reserved character, stands without quotes.
    Why: Readers take it for a heading, a loop or a list, and all that follows is misread.
    How to fix: Put the value in quotes.
    Source: CIF 1.1 syntax specification, reserved words; CIF 2.0 syntax specification, whitespace-delimited strings.
    """
    yield from problems_of(document, "SYN007")


@rule(
    "SYN008",
    "unterminated-value",
    severity="error",
    source="CIF 1.1 and CIF 2.0 syntax specifications, delimiters",
    messages={
        "quote": "quoted string {text!r} is not closed in its line",
        "triple": "triple-quoted string that begins {text!r} is never closed",
        "text-field": "text field that opens here is never closed - expected a line that begins with a semicolon",
        "after-text-field": "text follows the semicolon that closes a text field - expected white space",
        "list": "list that opens here is not closed - expected ]",
        "table": "table that opens here is not closed - expected }}",
        "save-frame": "save frame {name!r} is not closed - expected save_",
    },
    helps={
        "quote": "close the quote in the same line, or use a text field between lines that begin with a semicolon",
        "triple": "close it with the same three quotes",
        "text-field": "close the text with a line that begins with a semicolon",
        "after-text-field": "put what follows into the next line, or a blank behind the semicolon",
        "list": "close the list with ]",
        "table": "close the table with }}",
        "save-frame": "close the save frame with a line save_",
    },
)
def unterminated_value(document: Document) -> Iterator[Problem]:
    """What: A quoted string, text field, list, table or save frame has no end.
    Why: Everything up to the next delimiter, often the rest of the file, is taken for its content.
    How to fix: Close it: a quote in the same line, a text field with a semicolon as the first character of a line.
    Source: CIF 1.1 syntax specification, character strings and text fields; CIF 2.0 syntax specification.
    """
    yield from problems_of(document, "SYN008")


@rule(
    "SYN009",
    "character-set",
    severity="error",
    source="CIF 1.1 and CIF 2.0 syntax specifications, character set",
    messages={
        "nul": "text holds a NUL byte",
        "control": "text holds the control character 0x{byte:02x}",
        "not-utf-8": "byte 0x{byte:02x} is not UTF-8",
        "bom": "byte order mark within the text",
        "code-point": "{code_point} is not allowed in CIF",
        "non-ascii": "character outside ASCII in a file that is not CIF 2.0",
    },
)
def character_set(document: Document) -> Iterator[Problem]:
    """What: The text holds bytes or characters that its version of CIF does not allow.
    Why: Programs with another encoding show or compare other characters, and some refuse the file.
    How to fix: Save the file as UTF-8 and declare CIF 2.0, or write the character in ASCII, for example Angstrom.
    Source: CIF 1.1 syntax specification, character set; CIF 2.0 syntax specification, character encoding.
    """
    yield from problems_of(document, "SYN009")


@rule(
    "SYN010",
    "line-or-name-too-long",
    severity="warning",
    source="CIF 1.1 and CIF 2.0 syntax specifications, line length",
    messages={
        "line": "line has {length} characters - CIF allows 2048",
        "name": "data name has {length} characters - CIF 1.1 allows 75",
    },
    helps={
        "line": "break the line between two values, or fold a long text with the line-folding protocol",
        "name": "shorten the name, or declare CIF 2.0, which has no such limit, in the first line",
    },
)
def line_or_name_too_long(document: Document) -> Iterator[Problem]:
    """What: A line is longer than 2048 characters, or a data name of CIF 1.1 longer than 75.
    Why: Programs with fixed buffers cut or refuse such lines.
    How to fix: Break the line between two values, or fold a long text with the line-folding protocol.
    Source: CIF 1.1 syntax specification, line length; CIF 2.0 syntax specification, line length.
    """
    yield from problems_of(document, "SYN010")


@rule(
    "SYN011",
    "line-endings",
    severity="info",
    source="CIF 2.0 syntax specification, line termination",
    messages={
        "mixed": "file mixes line endings: {kinds}",
        "cr": "lines end with CR alone",
    },
)
def line_endings(document: Document) -> Iterator[Problem]:
    """What: Lines end in different ways in one file, or with a lone carriage return.
    Why: Editors and programs count lines differently, so that reported positions disagree.
    How to fix: Save the file with one kind of line ending, LF or CRLF.
    Source: CIF 2.0 syntax specification, line termination.
    """
    yield from problems_of(document, "SYN011")


@rule(
    "SYN012",
    "quote-inside-quotes",
    severity="warning",
    source="CIF 1.1 syntax specification, quoted strings",
    message="quoted string {text} holds its own quote - CIF 2.0 ends the string there",
)
def quote_inside_quotes(document: Document) -> Iterator[Problem]:
    """What: A quoted string of CIF 1.1 holds its own quote character, followed by a non-blank.
    Why: CIF 1.1 reads on to the quote before white space, CIF 2.0 stops at the first one: the file means two things.
    How to fix: Use the other kind of quote round the value, or a text field.
    Source: CIF 1.1 syntax specification, quoted strings; CIF 2.0 syntax specification, changes to quoting.
    """
    if document.is_cif2:
        raise NotApplicable("in CIF 2.0 the first quote ends the string")
    yield from problems_of(document, "SYN012")


_PAIRING = {
    "misspelt-loop": "write loop_ instead of {text}",
    "lost-loop": "put a line loop_ before {name}",
    "lost-underscore": "write {name} instead of {text}",
    "blank-in-name": "write {name} instead of {text}",
    "no-blank": "put a blank behind {name}",
}


@rule(
    "SYN013",
    "name-value-pairing",
    severity="error",
    source="CIF 1.1 syntax specification, data items",
    messages={
        "name-without-value": "{name} has no value",
        "names-without-value": "{names} data names in a row have no value, the first {name}",
        "misspelt-loop": "{text!r} stands where the names of a loop follow - expected loop_",
        "lost-loop": "{names} data names, the first {name}, have {values} values - expected loop_ before them",
        "lost-underscore": "{text!r} stands where a data name is due, without its underscore - read as {name}",
        "blank-in-name": "data name {text!r} holds a blank - read as {name}",
        "no-blank": "value of {name} sticks to its name - expected a blank before the quote",
        "value-without-name": "value {text!r} has no data name",
    },
)
def name_value_pairing(document: Document) -> Iterator[Problem]:
    """What: A data name is followed by no value, or a value stands without a name.
    Why: One of the two was lost, or a value with blanks lacks its quotes.
    How to fix: Add the value (a dot where none applies, a question mark where it is unknown), or quote the whole value.
    Source: CIF 1.1 syntax specification, data items.
    """
    for problem in problems_of(document, "SYN013"):
        remedy = _PAIRING.get(problem.variant)
        problem.help = remedy.format(**problem.data) if remedy else None
        yield problem


@rule(
    "SYN016",
    "save-frame-in-data",
    severity="warning",
    source="CIF 1.1 syntax specification, save frames",
    message="save frame {name!r} in a data file - its items are judged one by one, not as part of the experiment",
)
def save_frame_in_data(document: Document, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A data file holds a save frame.
    Why: Save frames are for dictionaries; programs do not read what is in them as data.
    How to fix: Move the items out of the frame, or give them a data block of their own.
    Source: CIF 1.1 syntax specification, save frames.
    """
    if dictionary.is_of_attributes or dictionary_kind(document):
        raise NotApplicable("a dictionary")
    yield from problems_of(document, "SYN016")


@rule(
    "SYN017",
    "empty-loop",
    severity="error",
    source="CIF 1.1 syntax specification, loops",
    messages={
        "no-names": "loop_ without data names",
        "no-values": "loop of {name} has no values",
    },
    helps={
        "no-names": "remove loop_, or put the names of the columns behind it",
        "no-values": "remove the loop, or give it its rows",
    },
)
def empty_loop(document: Document) -> Iterator[Problem]:
    """What: A loop has no data names, or no values.
    Why: CIF demands at least one of each; many readers stop here.
    How to fix: Delete the loop, or give it the missing names or rows.
    Source: CIF 1.1 syntax specification, loop structures.
    """
    yield from problems_of(document, "SYN017")


@rule(
    "SYN018",
    "binary-section-frame",
    severity="error",
    source="CBF format description, binary sections",
    messages={
        "outside": "binary section stands outside a text field - expected a line with a semicolon before it",
        "after": "bytes stand between the end of a binary section and the semicolon that closes its text field",
    },
)
def binary_section_frame(document: Document) -> Iterator[Problem]:
    """What: A binary section is not framed as the value of a text field.
    Why: Readers find images as values of _array_data.data; outside a text field they break the text around them.
    How to fix: Put a line with a semicolon before the boundary line, and one after the closing boundary.
    Source: CBF format description, binary sections.
    """
    yield from problems_of(document, "SYN018")
