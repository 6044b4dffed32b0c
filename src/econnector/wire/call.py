"""What a call is: declared once, used by the side that asks and by the side that answers.

An eService's `calls.py` holds declarations::

    SIGN_IN = Call("portal.sign-in", SignIn, SignedIn, limit=10, changes=True)
    STATEMENT_FILE = Call("portal.statement-file", StatementFile, FileHead, limit=60, streams=True)

The asking side writes ``await office.ask(SIGN_IN, SignIn(...))``; the answering side writes::

    @answers.to(SIGN_IN)
    async def sign_in(asked: Asked, params: SignIn) -> SignedIn: ...

Both are checked by the type checker against the one declaration.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, Protocol, TypeVar, cast

import msgspec

__all__ = ["Answers", "Asked", "Asker", "Call", "Download", "Streamed"]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)
R_co = TypeVar("R_co", bound=msgspec.Struct, covariant=True)


class Call(Generic[P, R]):
    """One question that one side of a link may ask the other.

    Structs on the wire ignore unknown fields and give every field added later a default, so that a newer
    and an older side understand each other.
    """

    __slots__ = (
        "changes",
        "decode_params",
        "decode_result",
        "encode",
        "limit",
        "name",
        "params",
        "result",
        "since",
        "streams",
    )

    def __init__(  # noqa: PLR0913 - a declaration says everything in one place
        self,
        name: str,
        params: type[P],
        result: type[R],
        *,
        limit: float,
        changes: bool = False,
        streams: bool = False,
        since: int = 1,
    ) -> None:
        """Declare a call.

        `limit` is the longest it may take, in seconds. `changes` says that answering it changes something:
        such a call carries an idempotency key, and its answer must be safe to run again if the process died
        half-way. `streams` says that bytes follow the result. `since` is the first protocol number that has it.
        """
        self.name, self.params, self.result = name, params, result
        self.limit, self.changes, self.streams, self.since = limit, changes, streams, since
        self.encode = msgspec.msgpack.Encoder().encode
        self.decode_params = msgspec.msgpack.Decoder(params).decode
        self.decode_result = msgspec.msgpack.Decoder(result).decode

    def __repr__(self) -> str:
        return f"Call({self.name!r})"


class Asked(msgspec.Struct, frozen=True):
    """What the answering side knows about a request besides its params."""

    call: str
    reference: str
    """The correlation id: the same on the page, at HQ, in the office's log and in the history."""
    remaining: float
    """Seconds left when it arrived; work that cannot finish in them is stopped."""
    protocol: int
    key: str = ""
    """Idempotency key; empty for calls that change nothing."""


class Streamed(Generic[R_co]):
    """An answer that is a result followed by bytes."""

    __slots__ = ("chunks", "result")

    def __init__(self, result: R_co, chunks: AsyncIterator[bytes]) -> None:
        """`chunks` may be of any size; it is closed when the asker goes away."""
        self.result, self.chunks = result, chunks


class Download(Protocol[R_co]):
    """A streamed answer as the asker sees it: read it to the end or close it."""

    @property
    def result(self) -> R_co:
        """What came before the bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes in order; raises a `Failure` if the stream breaks off."""

    async def aclose(self) -> None:
        """Stop: the other side is told to produce no more."""


class Asker(Protocol):
    """Somebody who can be asked: an office seen from HQ, HQ seen from an office, or an office's own answers."""

    async def ask(
        self,
        call: Call[P, R],
        params: P,
        *,
        within: float | None = None,
        key: str | None = None,
        reference: str | None = None,
    ) -> R:
        """Return the answer to `call`.

        `within` shortens the call's own limit, in seconds. `key` makes a repeated ask of a changing call the same
        ask (made up when absent). Raises a `Failure`: the office's own, or one that says why it cannot be asked.
        """

    async def download(
        self, call: Call[P, R], params: P, *, within: float | None = None, reference: str | None = None
    ) -> Download[R]:
        """Return the answer to a call that streams. Raises as `ask` does."""


Answer = Callable[[Asked, msgspec.Struct], Awaitable[msgspec.Struct | Streamed[msgspec.Struct]]]


class Answers:
    """The calls that one side answers: a registry from name to declaration and function."""

    def __init__(self) -> None:
        """Start empty."""
        self._found: dict[str, tuple[Call[msgspec.Struct, msgspec.Struct], Answer]] = {}

    def to(
        self, call: Call[P, R]
    ) -> Callable[[Callable[[Asked, P], Awaitable[R]]], Callable[[Asked, P], Awaitable[R]]]:
        """Decorate the function that answers `call`."""

        def keep(function: Callable[[Asked, P], Awaitable[R]]) -> Callable[[Asked, P], Awaitable[R]]:
            self._keep(call, function)
            return function

        return keep

    def streaming(
        self, call: Call[P, R]
    ) -> Callable[[Callable[[Asked, P], Awaitable[Streamed[R]]]], Callable[[Asked, P], Awaitable[Streamed[R]]]]:
        """Decorate the function that answers `call` with a result and bytes."""

        def keep(
            function: Callable[[Asked, P], Awaitable[Streamed[R]]],
        ) -> Callable[[Asked, P], Awaitable[Streamed[R]]]:
            self._keep(call, function)
            return function

        return keep

    def _keep(self, call: Call[P, R], function: object) -> None:
        if call.name in self._found:
            raise ValueError(f"two answers for {call.name}")
        self._found[call.name] = cast("tuple[Call[msgspec.Struct, msgspec.Struct], Answer]", (call, function))

    def include(self, other: "Answers") -> None:
        """Answer everything that `other` answers."""
        for call, function in other:
            self._keep(call, function)

    def find(self, name: str) -> tuple[Call[msgspec.Struct, msgspec.Struct], Answer] | None:
        """Return the declaration and function for a call's name."""
        return self._found.get(name)

    def __iter__(self) -> Iterator[tuple[Call[msgspec.Struct, msgspec.Struct], Answer]]:
        return iter(self._found.values())
