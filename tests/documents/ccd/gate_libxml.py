"""As much of libxml2 and libxslt as the gate needs: reading a document, validating it by schema, transforming it.

The C libraries are called as they are (both come with Debian's `libxslt1.1`): the project has no other use for a
Python package of them. Handles live as long as the process, except documents, which are freed when done with.
"""

import ctypes
import ctypes.util
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

__all__ = ["Document", "Schema", "Stylesheet", "document"]

Document: TypeAlias = ctypes.c_void_p
"""A parsed document."""
_NO_NETWORK, _QUIET, _HUGE = 1 << 11, (1 << 5) | (1 << 6), 1 << 19


class _Error(ctypes.Structure):
    """The beginning of libxml2's xmlError."""

    _fields_ = (
        ("domain", ctypes.c_int),
        ("code", ctypes.c_int),
        ("message", ctypes.c_char_p),
        ("level", ctypes.c_int),
        ("file", ctypes.c_char_p),
        ("line", ctypes.c_int),
    )


_ON_ERROR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Error))
_ON_COMPLAINT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_POINTERS = {
    "xml2": ("xmlReadMemory", "xmlSchemaNewParserCtxt", "xmlSchemaParse", "xmlSchemaNewValidCtxt"),
    "xslt": ("xsltParseStylesheetDoc", "xsltApplyStylesheet"),
}


@functools.cache
def _library(name: str) -> ctypes.CDLL:
    """Return the library, its pointers declared as such. Without it: skip the test (in CI: fail)."""
    found = ctypes.util.find_library(name)
    if not found:
        reason = f"no lib{name} here: install Debian's `libxslt1.1`, which brings libxml2"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    library = ctypes.CDLL(found)
    for function in _POINTERS[name]:
        getattr(library, function).restype = ctypes.c_void_p
    return library


@contextmanager
def document(xml: bytes, base: str = "document.xml") -> Iterator[Document]:
    """Give the parsed document. Raises `ValueError` where it is not well-formed."""
    library = _library("xml2")
    read = library.xmlReadMemory(xml, len(xml), base.encode(), None, _NO_NETWORK | _QUIET | _HUGE)
    if not read:
        raise ValueError("not well-formed XML")
    handle = ctypes.c_void_p(read)
    try:
        yield handle
    finally:
        library.xmlFreeDoc(handle)


class Schema:
    """A compiled XML Schema."""

    def __init__(self, path: Path) -> None:
        library = _library("xml2")
        reader = ctypes.c_void_p(library.xmlSchemaNewParserCtxt(os.fsencode(path)))
        self._schema = ctypes.c_void_p(library.xmlSchemaParse(reader))
        library.xmlSchemaFreeParserCtxt(reader)
        if not self._schema:
            raise ValueError(f"not a schema: {path}")

    def errors(self, doc: Document) -> list[str]:
        """Return what the schema has against the document, each with its line."""
        library, found = _library("xml2"), list[str]()

        def heard(_: object, error: "ctypes._Pointer[_Error]") -> None:
            found.append(f"line {error[0].line}: {(error[0].message or b'').decode(errors='replace').strip()}")

        handler = _ON_ERROR(heard)
        validator = ctypes.c_void_p(library.xmlSchemaNewValidCtxt(self._schema))
        library.xmlSchemaSetValidStructuredErrors(validator, handler, None)
        result = library.xmlSchemaValidateDoc(validator, doc)
        library.xmlSchemaFreeValidCtxt(validator)
        if result < 0 or (result > 0) != bool(found):
            raise RuntimeError(f"the schema came to no end ({result})")
        return found


class Stylesheet:
    """A compiled XSLT 1.0 stylesheet that gives text."""

    def __init__(self, text: str, base: str) -> None:
        library = _library("xml2")
        raw = text.encode()
        read = library.xmlReadMemory(raw, len(raw), base.encode(), None, _NO_NETWORK | _HUGE)
        if not read:
            raise ValueError("the stylesheet is not well-formed")
        with _complaints() as heard:
            self._style = ctypes.c_void_p(_library("xslt").xsltParseStylesheetDoc(ctypes.c_void_p(read)))
        if heard or not self._style:
            raise ValueError(f"not a stylesheet: {heard[:5]}")

    def __call__(self, doc: Document) -> str:
        """Return what the stylesheet says of the document. Raises `RuntimeError` where one of its rules is broken."""
        library = _library("xslt")
        with _complaints() as heard:
            result = ctypes.c_void_p(library.xsltApplyStylesheet(self._style, doc, None))
        if heard or not result:
            raise RuntimeError(f"the stylesheet came to no end: {heard[:5]}")
        text, size = ctypes.c_void_p(), ctypes.c_int()
        try:
            library.xsltSaveResultToString(ctypes.byref(text), ctypes.byref(size), result, self._style)
            return ctypes.string_at(text, size.value).decode() if text else ""
        finally:
            _library("xml2").xmlFreeDoc(result)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what libxslt and its XPath complain of meanwhile."""
    xml, xslt, heard = _library("xml2"), _library("xslt"), list[str]()

    def said(_: object, text: bytes) -> None:
        heard.append(text.decode(errors="replace"))

    def structured(_: object, error: "ctypes._Pointer[_Error]") -> None:
        heard.append((error[0].message or b"").decode(errors="replace").strip())

    one, other = _ON_COMPLAINT(said), _ON_ERROR(structured)
    xslt.xsltSetGenericErrorFunc(None, one)
    xml.xmlSetStructuredErrorFunc(None, other)
    try:
        yield heard
    finally:
        xslt.xsltSetGenericErrorFunc(None, None)
        xml.xmlSetStructuredErrorFunc(None, None)
