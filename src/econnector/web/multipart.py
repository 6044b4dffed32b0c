"""Forms with files: fields are kept, files are handed on while they come in, and never held.

The size is bounded by `guard.Guard`, which raises `RequestTooLarge` while the body is read.
"""

from collections.abc import Iterator
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from econnector.web.forms import Form, read_form

__all__ = ["Files", "read_multipart"]

_MOST_FIELDS = 100
_MOST_TEXT = 256 * 1024
_TYPE = "multipart/form-data"


class Files(Protocol):
    """Whoever takes the files of a form. They come one after the other, after the fields that stand before them."""

    async def begin(self, form: Form, field: str, name: str) -> None:
        """Hear of the next file, whose field is `field` and whose name on the sender's machine is `name`."""

    async def piece(self, data: bytes) -> None:
        """Take the next bytes of it."""

    async def end(self) -> None:
        """Hear that it is whole."""


async def read_multipart(request: Request, files: Files) -> Form:
    """Return the posted fields, the first of each name; `files` gets the files.

    A body that is no form with files is read as any other form. Of one that is broken, the fields before the break
    count.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind.decode("latin-1").lower() != _TYPE or not boundary:
        return await read_form(request)
    try:
        reading = _Reading(boundary, files)
    except FormParserError:  # no boundary is so long
        return Form()
    try:
        async for block in request.stream():
            await reading.feed(block)
    except FormParserError:
        return reading.form
    return reading.form


class _Part:
    """One part of the body, as its headers say."""

    __slots__ = ("is_file", "name", "text", "title")

    def __init__(self, disposition: bytes) -> None:
        _, options = parse_options_header(disposition)
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        self.title = options.get(b"filename", b"").decode("utf-8", "replace")
        self.is_file = b"filename" in options
        self.text = bytearray()


class _Reading:
    """Turns the parser's callbacks, which cannot wait, into steps that can."""

    def __init__(self, boundary: bytes, files: Files) -> None:
        self._files, self._values = files, dict[str, str]()
        self.form = Form(self._values)
        self._events: list[tuple[str, bytes]] = []
        self._header, self._value, self._disposition = b"", b"", b""
        self._part: _Part | None = None
        self._text = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": lambda: self._events.append(("part", self._disposition)),
                "on_part_data": lambda data, start, end: self._events.append(("data", data[start:end])),
                "on_part_end": lambda: self._events.append(("end", b"")),
            },
        )

    async def feed(self, block: bytes) -> None:
        """Read on. Raises `FormParserError` for what is no such form."""
        if block:
            self._parser.write(block)
        for what, data in self._taken():
            await self._step(what, data)

    def _taken(self) -> Iterator[tuple[str, bytes]]:
        events, self._events = self._events, []
        yield from events

    async def _step(self, what: str, data: bytes) -> None:
        if what == "part":
            self._part = _Part(data)
            # A field for files into which nothing was put is sent as a file without a name.
            if self._part.is_file and self._part.title:
                await self._files.begin(self.form, self._part.name, self._part.title)
            return
        part = self._part
        if part is None:
            return
        if part.is_file:
            if part.title:
                await (self._files.piece(data) if what == "data" else self._files.end())
        elif what == "data":
            self._text += len(data)
            if self._text > _MOST_TEXT:
                raise FormParserError("too much text")
            part.text += data
        elif len(self._values) < _MOST_FIELDS:
            self._values.setdefault(part.name, part.text.decode("utf-8", "replace").replace("\0", ""))

    def _begin(self) -> None:
        self._header, self._value, self._disposition = b"", b"", b""

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""
