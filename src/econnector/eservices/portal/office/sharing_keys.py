"""What opens a share: made from its salt under this machine's key, so that the state file can show it to nobody.

The link's token is 128 bits. The code is eight letters and digits (39 bits): for few tries only, and of no use without
the link. The ticket lets the receiver, who has shown both, download for a while; it is nothing but a sealed note.
All of them block while the key is read for the first time.
"""

import base64
import binascii
import datetime as dt
import hmac
from typing import Final

import msgspec

from econnector.base.ids import tidy_code
from econnector.storage.state.sealing import Seal, Unsealable
from econnector.storage.state.summary_shares import Share

__all__ = ["TICKET_LASTS", "Addressee", "Ticket", "addressee", "code_of", "digest_of", "is_code", "sealed", "token_of"]

TICKET_LASTS: Final = dt.timedelta(minutes=30)
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without look-alikes: a code is told on the phone."""
_TOKEN: Final = 32
"""Hexadecimal digits."""
_TICKET: Final = "share-ticket"
_LONGEST_TICKET: Final = 400


class Addressee(msgspec.Struct, frozen=True):
    """To whom a summary was sent."""

    address: str
    note: str = ""
    """Who it is, in the sender's words."""

    def __repr__(self) -> str:
        return "Addressee()"


def token_of(seal: Seal, salt: str) -> str:
    """Return the token of a share's link."""
    return seal.digest("share-token", salt)[:_TOKEN]


def digest_of(seal: Seal, token: str) -> str:
    """Return what a link is found by, however its token was copied."""
    return seal.digest("share-link", tidy_code(token).lower())


def code_of(seal: Seal, salt: str) -> str:
    """Return the code of a share, such as `7F3K-2QX9`."""
    number, letters = int(seal.digest("share-code", salt), 16), ""
    while len(letters) < 8:  # noqa: PLR2004 - as the module says
        number, at = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[at]
    return f"{letters[:4]}-{letters[4:]}"


def is_code(seal: Seal, salt: str, typed: str) -> bool:
    """Return whether this is the share's code, however it was typed; takes the same time either way."""
    return hmac.compare_digest(tidy_code(code_of(seal, salt)), tidy_code(typed))


def sealed(seal: Seal, number: str, to: Addressee) -> bytes:
    """Return an addressee as the share of this number keeps it."""
    return seal.seal(f"share-to:{number}", msgspec.json.encode(to))


def addressee(seal: Seal, share: Share) -> Addressee:
    """Return to whom a share was sent; nobody where another key sealed it."""
    try:
        return msgspec.json.decode(seal.open(f"share-to:{share.number}", share.to), type=Addressee)
    except Unsealable:
        return Addressee("")


class Ticket(msgspec.Struct, frozen=True):
    """Whoever holds it has shown link and code."""

    share: str
    until: float
    """Unix time."""

    def written(self, seal: Seal) -> str:
        """Return it as text that nobody else can write."""
        return base64.urlsafe_b64encode(seal.seal(_TICKET, msgspec.json.encode(self))).decode()

    @classmethod
    def read(cls, seal: Seal, text: str, now: dt.datetime) -> str:
        """Return the number of the share that a ticket opens now; empty for any other text."""
        if len(text) > _LONGEST_TICKET or not text.isascii():
            return ""
        try:
            ticket = msgspec.json.decode(seal.open(_TICKET, base64.urlsafe_b64decode(text)), type=cls)
        except (Unsealable, binascii.Error, msgspec.DecodeError):
            return ""
        left = ticket.until - now.timestamp()
        # A clock that was set back does not make it live longer.
        return ticket.share if 0 < left <= TICKET_LASTS.total_seconds() else ""
