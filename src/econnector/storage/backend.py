"""What differs between database servers, behind one small interface."""

from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from econnector.base.errors import Failure

__all__ = ["Backend", "Stopped"]


class Stopped(BaseException):
    """Ends a repository function whose caller has gone. Not an Exception, so that no `except` in it can go on."""


class Backend(Protocol):
    """One kind of server."""

    name: str
    server: str
    engine: Engine

    def storable(self, params: Any) -> Any:
        """Return a statement's parameters as the server can store them, losing as little as possible."""

    def lend(self, driver: Any) -> None:
        """Get the driver's connection ready for statements: from now on it may take as long as they may."""

    def allow(self, driver: Any, seconds: float) -> None:
        """Let each statement on the driver's connection take `seconds` from now on.

        Raises the failure that it is when the server does not answer.
        """

    def take_back(self, driver: Any) -> None:
        """Get it ready to lie in the pool: whether it still lives must be found out quickly."""

    def finish(self, connection: Connection) -> None:
        """Make what was done on the connection last."""

    def kill(self, driver: Any) -> bool:
        """Stop what runs on the driver's connection, from another thread; False if that cannot be asked."""

    def cut(self, driver: Any) -> None:
        """Cut the driver's connection, so that a thread waiting on it wakes up with an error."""

    def failure(self, error: SQLAlchemyError) -> Failure:
        """Return the failure that this error is, without SQL, values or credentials."""
