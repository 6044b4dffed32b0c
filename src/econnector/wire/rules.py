"""The rules of a link as tables: what may be said when. Whatever is not in a table is refused.

Connection states of the dialler: AWAIT_CHALLENGE → PROVING → AWAIT_WELCOME → OPEN → CLOSED; of the acceptor:
AWAIT_HELLO → AWAIT_PROOF → JUDGING → OPEN → CLOSED. PROVING and JUDGING wait for our own side, so the other
side may say nothing but CLOSE. Draining is OPEN in which no new call may be opened by us.
"""

from enum import IntEnum

from econnector.wire.messages import Kind

__all__ = ["CONNECTION", "MAY_SAY", "STREAM", "State", "StreamState"]


class State(IntEnum):
    """Where the connection stands."""

    AWAIT_HELLO = 1
    AWAIT_CHALLENGE = 2
    PROVING = 3
    AWAIT_PROOF = 4
    JUDGING = 5
    AWAIT_WELCOME = 6
    OPEN = 7
    CLOSED = 8


class StreamState(IntEnum):
    """Where one call stands, seen from this side."""

    ASKED = 1
    """We asked; no answer yet."""
    RECEIVING = 2
    """We have the result; bytes follow."""
    GIVEN_UP = 3
    """We cancelled; the other side's last word is still on its way."""
    ANSWERING = 4
    """They asked; we have not answered yet."""
    SENDING = 5
    """They have the result; our bytes follow."""


_STREAM_KINDS = (Kind.REQUEST, Kind.RESPONSE, Kind.DATA, Kind.END, Kind.FAIL, Kind.CREDIT, Kind.CANCEL)

CONNECTION: dict[tuple[int, int], str] = {
    (State.AWAIT_HELLO, Kind.HELLO): "hello",
    (State.AWAIT_CHALLENGE, Kind.CHALLENGE): "challenge",
    (State.AWAIT_CHALLENGE, Kind.REFUSE): "refuse",
    (State.AWAIT_PROOF, Kind.PROOF): "proof",
    (State.AWAIT_WELCOME, Kind.WELCOME): "welcome",
    (State.AWAIT_WELCOME, Kind.REFUSE): "refuse",
    (State.OPEN, Kind.PING): "ping",
    (State.OPEN, Kind.PONG): "pong",
    (State.OPEN, Kind.GOAWAY): "goaway",
    **{(State.OPEN, kind): "stream" for kind in _STREAM_KINDS},
    **{(state, Kind.CLOSE): "close" for state in State if state is not State.CLOSED},
}
"""(state, kind) → what it means. A pair that is not here closes the link."""

MAY_SAY: dict[int, frozenset[int]] = {
    state: frozenset(int(kind) for at, kind in CONNECTION if at == state) for state in State
}
"""Per state, the kinds that the decoder lets in: before OPEN nothing long is ever buffered."""

STREAM: dict[tuple[int, int], str] = {
    (StreamState.ASKED, Kind.RESPONSE): "answered",
    (StreamState.ASKED, Kind.FAIL): "failed",
    (StreamState.RECEIVING, Kind.DATA): "chunk",
    (StreamState.RECEIVING, Kind.END): "ended",
    (StreamState.RECEIVING, Kind.FAIL): "failed",
    (StreamState.GIVEN_UP, Kind.RESPONSE): "late_answer",
    (StreamState.GIVEN_UP, Kind.DATA): "late_chunk",
    (StreamState.GIVEN_UP, Kind.END): "late_end",
    (StreamState.GIVEN_UP, Kind.FAIL): "late_end",
    (StreamState.ANSWERING, Kind.CANCEL): "cancelled",
    (StreamState.SENDING, Kind.CANCEL): "cancelled",
    (StreamState.SENDING, Kind.CREDIT): "credited",
}
"""(stream state, kind) → what it means. REQUEST opens a stream and so is not here.

CREDIT and CANCEL for a stream of theirs that we have finished are races, not faults, and mean nothing; every other
pair closes the link.
"""
