"""A file on its way from the office to a browser: never held, never trusted, never half and looking whole."""

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

import anyio
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from econnector.base.errors import Failure
from econnector.web.headers import FILE_POLICY, PDF_POLICY

__all__ = ["FileAnswer", "FileFacts", "Source", "disposition", "media_type", "safe_name"]

log = structlog.get_logger(__name__)

_SHOWN_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"})
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,79}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,-]")
_LONGEST_NAME = 120
_LONGEST_ENDING = 20
_CLOSE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known before the first byte."""

    name: str
    media_type: str
    size: int


class Source(Protocol):
    """Bytes that can be told to stop, such as a link's `Download`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes; raises a `Failure` if they break off."""

    async def aclose(self) -> None:
        """Stop: no more bytes are wanted."""


class FileAnswer(Response):
    """Streams a file; stops the source when the browser goes away, breaks the connection when the source fails."""

    def __init__(self, facts: FileFacts, chunks: AsyncIterator[bytes], source: Source, *, inline: bool) -> None:
        """`chunks` yields `facts.size` bytes; `source` is closed at the end, whatever happens."""
        self._chunks, self._source, self._size = chunks, source, facts.size
        shown = media_type(facts.media_type)
        inline = inline and shown in _SHOWN_INLINE
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers(
            {
                # Anything but a picture or a PDF is not even named: a browser must have nothing to interpret.
                "content-type": shown if shown in _SHOWN_INLINE else "application/octet-stream",
                "content-length": str(facts.size),
                "content-disposition": disposition(facts.name, inline=inline),
                "content-security-policy": PDF_POLICY if shown == "application/pdf" else FILE_POLICY,
            }
        )

    @classmethod
    async def begin(cls, facts: FileFacts, source: Source, *, inline: bool) -> "FileAnswer":
        """Return the answer once the first bytes are there, so that an early failure still gets a page."""
        chunks = aiter(source)
        try:
            first = await anext(chunks, b"")
        except BaseException:
            await source.aclose()
            raise
        return cls(facts, _joined(first, chunks), source, inline=inline)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_until_gone, receive, group.cancel_scope)
                await self._send(Request(scope), send)
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await self._source.aclose()

    async def _send(self, request: Request, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if request.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        left = self._size
        try:
            async for chunk in self._chunks:
                left -= len(chunk)
                if left < 0:
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Failure as failure:
            log.warning("file broke off", code=failure.code, reference=failure.reference, missing=left)
            return  # without the last message: the server closes the connection, the browser sees a broken download
        if left:
            log.warning("file has another size than announced", missing=left)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def safe_name(name: str) -> str:
    """Return a file name that means nothing to any file system: no folder, no control character, not too long."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*')
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        return kept.strip(" .")[:_LONGEST_NAME] or "document"
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}{dot}{ending}"


def media_type(told: str) -> str:
    """Return a file's media type as a header may say it; what is none becomes any bytes."""
    return told if _MEDIA_TYPE.fullmatch(told) else "application/octet-stream"


def disposition(name: str, *, inline: bool) -> str:
    """Return a Content-Disposition (RFC 6266) with the name in ASCII and in full."""
    whole = safe_name(name)
    stem, dot, ending = whole.rpartition(".")
    # A name in other letters keeps its ending: nobody opens a file that is called `pdf`.
    plain = f"{_plain(stem) or 'document'}.{_plain(ending)}" if dot and _plain(ending) else _plain(whole) or "document"
    how = "inline" if inline else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"


def _plain(text: str) -> str:
    # Cleaned again: taking characters apart makes plain quotes and slashes of their wide forms.
    return _NOT_PLAIN.sub("", unicodedata.normalize("NFKD", text)).strip(" .")


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
