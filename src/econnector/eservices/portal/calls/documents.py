"""Images and documents that the office shows: the list, and one file."""

from typing import Literal

import msgspec

from econnector.eservices.portal.calls.around import Around, FileHead, PageAsked
from econnector.wire.call import Call

__all__ = ["DOCUMENTS", "DOCUMENT_FILE", "Document", "DocumentFile", "Documents"]


class Document(msgspec.Struct):
    """One image or document."""

    document: int
    """DocNum; opened with `DOCUMENT_FILE`."""
    date: str
    title: str = ""
    """What the office wrote; may be empty."""
    category: str = ""
    """Where the office files it, in its words."""
    kind: Literal["document", "picture", "xray"] = "document"


class Documents(Around, kw_only=True):
    """One page of the list, newest first."""

    items: list[Document]
    page: int = 0
    more: bool = False
    """Whether older ones follow on the next page."""


class DocumentFile(msgspec.Struct):
    """One document's file."""

    token: str
    document: int


DOCUMENTS = Call("portal.documents", PageAsked, Documents, limit=10)
DOCUMENT_FILE = Call("portal.document-file", DocumentFile, FileHead, limit=60, streams=True)
