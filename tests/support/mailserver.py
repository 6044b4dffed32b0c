"""Real SMTP servers for tests: aiosmtpd on a free port, with every way to misbehave that mail servers have."""

import asyncio
import contextlib
import email
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port

__all__ = ["MailServer", "Received", "mail_server", "silent_server"]


@dataclass
class Received:
    """One accepted mail."""

    sender: str
    recipients: list[str]
    message: Message
    user: str
    encrypted: bool

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


@dataclass
class MailServer:
    """Takes mail; what it shall refuse, hang on or cut off can be changed at any time."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    """What to answer instead, by command (`MAIL`, `RCPT`, `DATA`, `EHLO`, `AUTH`) or recipient."""
    cut: set[str] = field(default_factory=set)
    """`DATA`: drop the connection in the middle of the mail; `ANSWER`: accept it, then drop the connection."""
    hang: set[str] = field(default_factory=set)
    """Commands that are never answered."""
    on_received: Callable[[Received], None] = lambda _: None
    """Called for every mail that was accepted, before the answer leaves."""
    on_command: Callable[[str], None] = lambda _: None
    """Called for every MAIL, RCPT and DATA, before the answer leaves."""
    _controller: Controller | None = None

    def ids(self) -> list[str]:
        return [each.message_id for each in self.received]

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    # -- aiosmtpd's hooks ----------------------------------------------------------------------------------------

    async def _hook(self, command: str, server: SMTP) -> str | None:
        self.on_command(command)
        if command in self.hang:
            await asyncio.sleep(3600)
        if command in self.cut:
            _abort(server)
        return self.replies.get(command)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        answer = await self._hook("MAIL", server)
        envelope.mail_from = address
        return answer or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        answer = await self._hook("RCPT", server) or self.replies.get(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        answer = await self._hook("DATA", server)
        if answer:
            return answer
        assert isinstance(envelope.content, bytes)
        self.received.append(
            Received(
                str(envelope.mail_from),
                [str(each) for each in envelope.rcpt_tos],
                email.message_from_bytes(envelope.content),
                str(session.auth_data or ""),
                session.ssl is not None,
            )
        )
        self.on_received(self.received[-1])
        if "ANSWER" in self.cut:
            _abort(server)
        return "250 accepted"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any
    ) -> AuthResult:
        del server, session, envelope, mechanism
        if not isinstance(auth_data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, password = auth_data.login.decode(), auth_data.password.decode()
        if self.users.get(user) == password:
            return AuthResult(success=True, auth_data=user)
        message = self.replies.get("AUTH")
        return AuthResult(success=False, handled=False, message=message)


def _abort(server: SMTP) -> None:
    transport: Any = server.transport
    if transport is not None:
        transport.abort()


class _Server(SMTP):
    """Drops the connection in the middle of a mail when told to."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        handler: Any = self.event_handler
        if "MIDDLE" in handler.cut:
            await self.push("354 go on")
            await self._reader.readline()
            _abort(self)
            return
        if "DATA" in handler.replies and handler.replies["DATA"].startswith("!"):
            await self.push(handler.replies["DATA"][1:])
            return
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


def start(
    server: MailServer, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, **options: Any
) -> None:
    """Start it on its port (a free one the first time)."""
    server.port = server.port or free_port()
    if server.users:
        options |= {"authenticator": server.authenticate, "auth_require_tls": False}
    controller = _Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=tls,
        tls_context=starttls,
        ready_timeout=90,
        **options,
    )
    controller.start()
    server._controller = controller


@contextlib.contextmanager
def mail_server(
    *,
    users: dict[str, str] | None = None,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> Iterator[MailServer]:
    """A server that takes mail: plain, with STARTTLS, or encrypted from the start; with `users` it wants a log-in."""
    server = MailServer(users=users or {})
    start(server, starttls=starttls, tls=tls, **options)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def silent_server(*, drip: bytes = b"") -> Iterator[int]:
    """A port that takes connections and says nothing, or one byte of `drip` over and over; yields its number."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        lines: list[socket.socket] = []

        def serve() -> None:
            while not over.wait(0.02):
                with contextlib.suppress(TimeoutError, OSError):
                    listener.settimeout(0.02)
                    lines.append(listener.accept()[0])
                for line in lines:
                    with contextlib.suppress(OSError):
                        line.send(drip)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            over.set()
            thread.join(60)
            for line in lines:
                line.close()
