"""Bodies of requests: counted before they are stored, each file straight into the folder of its job.

Names of uploads are labels. They are cleaned, made unlike each other, and never taken as paths.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, QuerystringParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from imgcif_core.records import dataclass, field
from imgcif_core.web.config import Limits
from imgcif_core.web.limits import Pace
from imgcif_core.web.problems import Problem

FORM = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
_ODD = re.compile(r"[^\w.+=@ ()\[\]-]")
_OVERHEAD = 1 << 16


@dataclass(slots=True)
class Upload:
    """One file that came: the field, the cleaned name, where it lies, its size."""

    field: str
    name: str
    path: Path
    size: int = 0


@dataclass(slots=True)
class Form:
    """What a body held: fields with their texts in order, and files."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: list[Upload] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """The first text of a field."""
        return self.texts.get(name, [default])[0]

    def named(self, name: str) -> list[Upload]:
        """The files of a field; empty ones are what browsers send where none was chosen."""
        return [upload for upload in self.files if upload.field.removesuffix("[]") == name and upload.size]


def clean_name(name: str, limit: int = 255) -> str:
    """The last part of a name with nothing in it that a file system or a terminal takes amiss.

    Raises
    ------
    Problem
        400 if the name is longer than the limit.
    """
    if len(name) > limit:
        raise Problem(400, f"a file has a name of {len(name)} characters; at most {limit}")
    last = re.split(r"[\\/]", name)[-1]
    cleaned = _ODD.sub("_", last.strip(" .")).strip(" .")
    while len(cleaned.encode()) > 200:
        # Keep the end: the suffix says what it is.
        cleaned = cleaned[1:]
    return cleaned or "unnamed"


async def body_to_file(request: Request, path: Path, most: int, limits: Limits) -> int:
    """Store a raw body; gives its size.

    Raises
    ------
    Problem
        413 if it is larger than allowed, 408 if it does not come, 400 if there is none.
    """
    size = 0
    with path.open("xb") as stream:
        async for chunk in _chunks(request, most, limits):
            stream.write(chunk)
            size += len(chunk)
    if not size:
        raise Problem(400, "the body is empty: send the bytes of a file")
    return size


async def read_body(request: Request, most: int, limits: Limits) -> bytes:
    """A small raw body; raises as `body_to_file`."""
    return b"".join([chunk async for chunk in _chunks(request, most, limits)])


async def read_form(
    request: Request,
    folder: Path | None,
    limits: Limits,
    *,
    file_bytes: int | None = None,
    total_bytes: int | None = None,
    parts: int | None = None,
) -> Form:
    """Read a form, multipart or of plain fields; its files are put into `folder`, None where none are taken.

    Parameters
    ----------
    file_bytes, total_bytes :
        The most for one file and for the whole body; those of one imgCIF unless given.
    parts :
        The most files.

    Raises
    ------
    Problem
        413 for too much of anything, 400 for what is no form, 408 for a body that does not come, 415 for other types.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    most = file_bytes if file_bytes is not None else limits.file_bytes
    total = (total_bytes if total_bytes is not None else most) + _OVERHEAD
    reader = _Reader(folder, limits, most, parts if parts is not None else limits.parts)
    if kind == FORM.encode():
        if not options.get(b"boundary"):
            raise Problem(400, "the form has no boundary")
        parser: MultipartParser | QuerystringParser = MultipartParser(options[b"boundary"], reader.callbacks())
    elif kind == URLENCODED.encode():
        parser = QuerystringParser(reader.plain_callbacks())
    else:
        raise Problem(415, f"send a form, {FORM} or {URLENCODED}")
    try:
        async for chunk in _chunks(request, total, limits):
            parser.write(chunk)
        parser.finalize()
    except FormParserError:
        raise Problem(400, "the form is damaged") from None
    finally:
        reader.close()
    if not reader.is_whole:
        raise Problem(400, "the form ends before its last part does")
    return reader.form


async def _chunks(request: Request, most: int, limits: Limits) -> AsyncIterator[bytes]:
    """The body piece by piece, refused as soon as it is known to be too large."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise too_large(most)
    size = 0
    pace = Pace(limits.least_rate, limits.idle_seconds)
    stream = request.stream()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(stream), limits.idle_seconds)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(408, f"nothing came for {limits.idle_seconds:g} s") from None
        except ClientDisconnect:
            raise Problem(400, "the connection ended before the body did") from None
        size += len(chunk)
        if size > most:
            raise too_large(most)
        if pace.is_too_slow(len(chunk)):
            raise Problem(408, f"fewer than {limits.least_rate:g} bytes a second came")
        if chunk:
            yield chunk


def too_large(most: int) -> Problem:
    """What is said of a body beyond its limit."""
    return Problem(413, f"larger than this service takes, which is {most / 1e6:,.4g} MB", limit=most)


class _Reader:
    """Collects the parts of a form as its parser finds them."""

    def __init__(self, folder: Path | None, limits: Limits, most: int, parts: int) -> None:
        self.form = Form()
        self.is_whole = False
        self._folder, self._limits, self._most, self._parts = folder, limits, most, parts
        self._name = self._value = b""
        self._disposition = b""
        self._field = ""
        self._text = bytearray()
        self._fields = 0
        self._stream: BinaryIO | None = None
        self._taken: set[str] = set()

    def callbacks(self) -> Any:
        """What the parser of multipart bodies calls."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        found: dict[str, Callable[..., None]] = {f"on_{name}": getattr(self, f"_{name}") for name in names}
        return {**found, "on_headers_finished": self._headers_finished, "on_end": self._end}

    def plain_callbacks(self) -> Any:
        """What the parser of plain fields calls."""
        return {
            "on_field_start": self._part_begin,
            "on_field_name": self._header_value,
            "on_field_data": self._part_data,
            "on_field_end": self._plain_end,
            "on_end": self._end,
        }

    def close(self) -> None:
        """Close what is open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _end(self) -> None:
        self.is_whole = True

    def _part_begin(self) -> None:
        self._disposition = self._name = self._value = b""
        self._field = ""
        self._text = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._bounded(self._name)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bounded(self._value)

    def _bounded(self, text: bytes) -> None:
        """Refuse headers and names of fields that no browser sends."""
        if len(text) > 8192:
            raise Problem(400, "a part of the form has a header of more than 8 kB")

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise Problem(400, "a part of the form has no name")
        self._field = options[b"name"].decode("utf-8", "replace")
        if b"filename" not in options:
            self._count_field()
            return
        name = clean_name(options[b"filename"].decode("utf-8", "replace"), self._limits.name_length)
        if len(self.form.files) >= self._parts or self._folder is None:
            raise Problem(413, f"more than {self._parts if self._folder else 0} files")
        upload = Upload(self._field, name, self._folder / self._unlike(name))
        self.form.files.append(upload)
        self._stream = upload.path.open("xb")

    def _count_field(self) -> None:
        self._fields += 1
        if self._fields > self._limits.fields:
            raise Problem(413, f"more than {self._limits.fields} fields")

    def _unlike(self, name: str) -> str:
        """A name that no other file of the form has, whatever the file system makes of case."""
        unlike, number = name, 1
        while unlike.casefold() in self._taken:
            number += 1
            unlike = f"{number}_{name}"
        self._taken.add(unlike.casefold())
        return unlike

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._stream is None:
            self._text += data[start:end]
            if len(self._text) > min(self._limits.field_bytes, self._most):
                raise too_large(min(self._limits.field_bytes, self._most))
            return
        upload = self.form.files[-1]
        upload.size += end - start
        if upload.size > self._most:
            raise too_large(self._most)
        self._stream.write(data[start:end])

    def _part_end(self) -> None:
        if self._stream is not None:
            self.close()
        else:
            self.form.texts.setdefault(self._field, []).append(self._text.decode("utf-8", "replace"))

    def _plain_end(self) -> None:
        from urllib.parse import unquote_plus

        self._count_field()
        name = unquote_plus(self._value.decode("utf-8", "replace"))
        self.form.texts.setdefault(name, []).append(unquote_plus(self._text.decode("utf-8", "replace")))
