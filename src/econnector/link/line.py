"""A line to somebody who can be asked, before anything is typed: encoded request in, packets of the answer out.

A live link is a line; so is the way over NATS to the node that has the link. Both sides of a relay speak this, so
that packets pass unchanged and credit flows from end to end.
"""

import asyncio
from typing import Protocol

from econnector.wire.messages import CEILING, Fault, Kind

__all__ = ["LARGEST_BODY", "Handle", "Line", "Sink"]

LARGEST_BODY = CEILING[Kind.REQUEST] - 64
"""Longest encoded request or result, in bytes: with its header it still fits one message of a NATS server."""


class Sink(Protocol):
    """Who hears about one call. Called from the event loop; must neither wait nor raise.

    The order is: `answered` (with `more` false: the end), then any number of `chunk`, then `ended`; `failed` may
    come instead of any of them and is the end too.
    """

    def answered(self, body: bytes, more: bool) -> None:
        """Take the encoded result; `more` says that bytes follow."""

    def chunk(self, data: bytes) -> None:
        """Take bytes; they are given back as credit once they are used up."""

    def ended(self) -> None:
        """Note that the bytes are complete."""

    def failed(self, fault: Fault) -> None:
        """Note that the call failed, there or on the way; an empty reference means that the way made it."""


class Handle(Protocol):
    """One call in flight, seen by whoever asked. Nothing here fails when the call is over already."""

    def credit(self, size: int) -> None:
        """Let `size` more bytes come."""

    def cancel(self) -> None:
        """Give the call up: the sink hears nothing more, the other side stops working on it."""


class Line(Protocol):
    """A way to somebody who can be asked."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop on which it lives."""

    def start(self, request: bytes, sink: Sink) -> Handle:
        """Send an encoded `Request`. Raises `LinkFailure` when it was not sent, so that a retry is harmless."""
