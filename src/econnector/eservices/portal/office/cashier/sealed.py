"""What of an attempt nobody may read in the state file: the processor's page, and the card that it keeps."""

import msgspec

from econnector.storage.state.payments import Attempt
from econnector.storage.state.sealing import Seal, Unsealable

__all__ = ["Page", "alias_of", "page_of", "sealed_alias", "sealed_page"]


class Page(msgspec.Struct, frozen=True):
    """The processor's page of one payment."""

    token: str = ""
    url: str = ""

    def __repr__(self) -> str:
        return "Page()"


def sealed_page(seal: Seal, number: str, page: Page) -> bytes:
    """Return a page as the attempt of this number keeps it."""
    return seal.seal(f"payment-page:{number}", msgspec.json.encode(page))


def page_of(seal: Seal, attempt: Attempt) -> Page:
    """Return the page of an attempt; an empty one where it has none, or another machine's key sealed it."""
    try:
        return msgspec.json.decode(seal.open(f"payment-page:{attempt.number}", attempt.page), type=Page)
    except Unsealable:
        return Page()


def sealed_alias(seal: Seal, number: str, alias: str) -> bytes:
    """Return a kept card's name at the processor as the attempt of this number keeps it."""
    return seal.seal(f"payment-card:{number}", alias.encode()) if alias else b""


def alias_of(seal: Seal, attempt: Attempt) -> str:
    """Return what the processor calls the card that an attempt let it keep; empty for none."""
    try:
        return seal.open(f"payment-card:{attempt.number}", attempt.alias).decode()
    except Unsealable:
        return ""
