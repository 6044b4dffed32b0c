"""Every page of the portal, from the contract, and what its answer says to the practice's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Engine, event

from econnector.eservices.portal import calls
from econnector.wire.call import Call

__all__ = ["Said", "overheard", "pages", "params_of"]


class Said(NamedTuple):
    """One statement, as it went to the driver."""

    statement: str
    values: Any

    @property
    def is_sealing(self) -> bool:
        """Whether it gives audit rows their hashes: that comes after the answer, for all rows of the moment at once."""
        return "securityloghash" in self.statement


def pages() -> list[Call[Any, Any]]:
    """Return the calls that show a page to somebody who is signed in."""
    declared = [call for call in vars(calls).values() if isinstance(call, Call)]
    shown = [call for call in declared if issubclass(call.result, calls.Around)]
    return [call for call in shown if not call.changes and not call.streams]


def params_of(call: Call[Any, Any], **known: Any) -> msgspec.Struct:
    """Return what a call is asked, of what is `known`: token, person, and what pages about one thing are about."""
    fields = msgspec.structs.fields(call.params)
    names = [field.name for field in fields if field.required or field.name in known]
    return call.params(**{name: known[name] for name in names})  # type: ignore[no-any-return]


@contextmanager
def overheard(besides: str) -> Iterator[list[Said]]:
    """Collect what is said to every database but one: `besides` is the path of the office's own file."""
    said: list[Said] = []

    def hear(connection: Any, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if connection.engine.url.database != besides and not statement.startswith("BEGIN"):
            said.append(Said(statement, values))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
