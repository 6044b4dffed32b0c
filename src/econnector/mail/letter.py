"""A letter, and the account that it leaves through."""

from typing import Literal

import msgspec

__all__ = ["Account", "Letter"]

Security = Literal["none", "starttls", "tls"]


class Letter(msgspec.Struct, frozen=True):
    """One mail to one or more people, before it has a sender."""

    to: list[str]
    """Bare addresses."""
    subject: str
    text: str
    """Plain text, lines of any length."""
    message_id: str
    """`<…@…>`; the same one however often it is tried, so that a receiver can tell a second copy."""
    reply_to: str = ""


class Account(msgspec.Struct, frozen=True):
    """An SMTP account, ready to use: its password is in the clear, so it is never logged nor kept."""

    host: str
    port: int
    security: Security
    user: str
    password: str
    sender: str
    """From: `a@b` or `Name <a@b>`."""
    ca: str = ""
    """PEM file of a private certificate authority, or empty."""

    def __repr__(self) -> str:
        return f"Account({self.host!r}, {self.port})"
