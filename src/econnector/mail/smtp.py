"""The talk with an SMTP server: one letter, one deadline for all of it, and every way to fail told apart.

A failure is *temporary* (`MailDelayed`: a 4xx reply, a lost connection, a timeout, a name that cannot be looked up),
*permanent* (`MailRefused`: a 5xx reply) or *uncertain* (`MailUncertain`, a kind of temporary: the last dot of the mail
was handed over and the answer never came, so the server may have accepted it).
"""

import contextlib
import datetime as dt
import platform
import queue
import re
import smtplib
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable

from econnector.base.errors import (
    Failure,
    MailDelayed,
    MailFailure,
    MailLoginRefused,
    MailOauth,
    MailPasswordUnreadable,
    MailRefused,
    MailUncertain,
    MailUntrusted,
    SenderMissing,
    Unexpected,
)
from econnector.mail.compose import address_of, compose, on_the_wire
from econnector.mail.letter import Account, Letter

__all__ = ["concerns_account", "deliver", "probe"]

_ACCOUNT_PHASES = frozenset({"connecting", "encrypting", "greeting", "logging in", "sender"})
"""Phases before a letter matters: what fails there would fail for every letter of the account."""
_OF_THE_ACCOUNT = (SenderMissing, MailOauth, MailPasswordUnreadable, MailLoginRefused, MailUntrusted)

_GOODBYE_SECONDS = 2.0
_LETTERS = re.compile(r"[^A-Za-z0-9.-]+")
_MAIL_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
_MOST_REASON = 200
_READY, _START_DATA = 220, 354
_FIRST_REPLY, _FIRST_PERMANENT = 200, 500
_LOGGED_IN, _GO_ON = 235, 334
_LOG_IN_FIRST = frozenset({530, 534, 535, 538})


def deliver(account: Account, letter: Letter, seconds: float) -> None:
    """Send the letter through the account; return when the server has accepted it. Blocking.

    Whatever happens, it returns or raises within `seconds` (and a moment). Where the server takes some recipients and
    refuses others, the letter goes to those it takes: who must know of each sends each a letter of their own.

    Raises:
        MailDelayed: try again later; its kind `MailUncertain` says that the server may have accepted it already, and
            `MailUntrusted` that the connection could not be encrypted as the account wants it.
        MailRefused: trying again is no use; its kind `MailLoginRefused` concerns the account, not the letter.
        SenderMissing: the account has no usable sender address.
    """
    sender = address_of(account.sender)
    data = compose(letter, account.sender, dt.datetime.now(dt.UTC))
    _within(account, seconds, lambda talk: talk.hand_over(sender, letter.to, data))


def probe(account: Account, seconds: float) -> str:
    """Connect, encrypt and log in as `deliver` does, send nothing; return in words how. Raises as `deliver`."""
    address_of(account.sender)
    said: list[str] = []
    _within(account, seconds, lambda talk: said.append(talk.described()))
    return said[0]


def concerns_account(failure: Failure) -> bool:
    """Return whether a failure says nothing about the letter, because every letter of the account would meet it."""
    phase = failure.facts.get("phase") if isinstance(failure, MailFailure) else ""
    return isinstance(failure, _OF_THE_ACCOUNT) or phase in _ACCOUNT_PHASES


def _within(account: Account, seconds: float, work: Callable[["_Talk"], None]) -> None:
    """Do `work` on a talk that is logged in, in a thread that can be left behind.

    Looking a name up cannot be interrupted, and every reply may come byte by byte: only from outside can all of it be
    given one deadline. A thread that was left behind finds its talk over and sends nothing any more.
    """
    talk = _Talk(account, time.monotonic() + seconds)
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    threading.Thread(target=_try, args=(talk, work, done), name="smtp", daemon=True).start()
    try:
        result = done.get(timeout=seconds)
    except queue.Empty:
        talk.cut()
        try:  # cut off, it ends at once, and knows best how far it got
            result = done.get(timeout=1.0)
        except queue.Empty:
            result = talk.failure("no answer in time")
    if result is not None:
        raise result


def _try(talk: "_Talk", work: Callable[["_Talk"], None], done: "queue.SimpleQueue[BaseException | None]") -> None:
    try:
        talk.open()
        work(talk)
    except Failure as failure:
        done.put(failure)
    except (OSError, smtplib.SMTPException, EOFError, ValueError) as error:
        done.put(talk.failure(_reason(error)))
    except Exception as error:  # noqa: BLE001 - the thread's only way to tell
        done.put(Unexpected(kind=type(error).__name__))
    else:
        done.put(None)
    talk.leave()


class _Talk(smtplib.SMTP):
    """One connection; `phase` always says what it is doing."""

    def __init__(self, account: Account, end: float) -> None:
        super().__init__(local_hostname=_own_name(), timeout=max(end - time.monotonic(), 0.001))
        self._account, self._end = account, end
        self._host = account.host  # the name that smtplib holds a certificate against
        self._context: ssl.SSLContext | None = None
        self.phase, self._handed_over, self._over = "connecting", False, False
        self._line: socket.socket | None = None

    # -- the steps ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connect, encrypt and log in."""
        code, answer = self.connect(self._account.host, self._account.port)
        if code != _READY:
            raise self._refusal(code, answer)
        self.phase = "greeting"
        self._hello()
        if self._account.security == "starttls":
            self._encrypt()
        self.phase = "logging in"
        if self._account.user and self.has_extn("auth"):
            self._log_in()

    def hand_over(self, sender: str, recipients: list[str], data: bytes) -> None:
        """Hand the letter over; return once the server has accepted it."""
        self.phase = "sender"
        self._expect(self.mail(on_the_wire(sender)))
        self.phase = "recipients"
        self._name(recipients)
        self.phase = "data"
        self._expect(self.docmd("DATA"), _START_DATA)
        self._transmit(re.sub(rb"(?m)^\.", b"..", data).removesuffix(b"\r\n") + b"\r\n")
        # From the last dot on, only an answer tells whether the server has accepted it.
        self._handed_over = True
        self._transmit(b".\r\n")
        code, answer = self.getreply()
        if code < _FIRST_REPLY:
            raise self.failure("its answer cannot be understood")
        self._handed_over = False
        self._expect((code, answer))

    def described(self) -> str:
        """Return in words how the connection stands."""
        how = {"none": "without encryption", "starttls": "encrypted (STARTTLS)", "tls": "encrypted (TLS)"}
        login = "logged in" if self._account.user and self.has_extn("auth") else "no log-in asked for"
        return f"{self._account.host}:{self._account.port}, {how[self._account.security]}, {login}"

    def leave(self) -> None:
        """Say goodbye if there is somebody, and let go of the connection."""
        with contextlib.suppress(Exception):
            if self.sock is not None and not self._over:
                self.sock.settimeout(_GOODBYE_SECONDS)
                self.putcmd("quit")
        with contextlib.suppress(Exception):
            self.close()

    # -- from the thread that waits ------------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut the connection, from another thread: whatever waits for it wakes up, and nothing is sent any more."""
        self._over = True
        line = self._line
        if line is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own method: it would take the encryption away from under the reader.
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    def failure(self, reason: str) -> MailFailure:
        """Return what an interruption for this reason is, by how far the talk got."""
        facts = {"server": self._where(), "phase": self.phase, "reason": reason}
        if self._over or time.monotonic() >= self._end:
            facts["reason"] = "no answer in time"
        return (MailUncertain if self._handed_over else MailDelayed)(**facts)

    # -- details -----------------------------------------------------------------------------------------------

    def _where(self) -> str:
        return f"{self._account.host}:{self._account.port}"

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        line = socket.create_connection((host, port), timeout, self.source_address)
        self._line = line
        if self._over:  # found too late: nobody waits for this letter any more
            line.close()
            raise TimeoutError
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._account.security == "tls":
            self.phase = "encrypting"
            line = self._trusted(lambda context: context.wrap_socket(line, server_hostname=host))
            self._line = line
        return line

    def _trusted(self, step: Callable[[ssl.SSLContext], ssl.SSLSocket]) -> ssl.SSLSocket:
        try:
            return step(ssl.create_default_context(cafile=self._account.ca or None))
        except ssl.SSLCertVerificationError as error:
            reason = f"its certificate is not valid here: {error.verify_message}"
        except ssl.SSLEOFError:
            raise  # cut off in the middle: no word about trust
        except ssl.SSLError as error:
            reason = f"it does not speak TLS as expected: {(error.reason or 'unknown').lower().replace('_', ' ')}"
        except OSError as error:
            if not self._account.ca or not isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
                raise
            reason = f"the file with the certificate authority cannot be read: {error.strerror}"
        raise MailUntrusted(server=self._where(), phase=self.phase, reason=reason)

    def _encrypt(self) -> None:
        self.phase = "encrypting"
        if not self.has_extn("starttls"):
            reason = "it does not offer STARTTLS, and the account wants encryption"
            raise MailUntrusted(server=self._where(), phase=self.phase, reason=reason)
        self._expect(self.docmd("STARTTLS"), _READY)
        line = self.sock
        if line is None:
            raise ConnectionAbortedError
        # What came before the encryption must not count after it.
        self.file = None
        secured = self._trusted(lambda context: context.wrap_socket(line, server_hostname=self._account.host))
        self.sock = self._line = secured
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self._hello()

    def _hello(self) -> None:
        code, answer = self.ehlo()
        if not 200 <= code < 300:  # noqa: PLR2004 - what SMTP calls success
            code, answer = self.helo()
        self._expect((code, answer))

    def _log_in(self) -> None:
        user, password = self._account.user, self._account.password
        offered = self.esmtp_features["auth"].upper().split()
        if "PLAIN" in offered:
            token = b64encode(f"\0{user}\0{password}".encode()).decode()
            code, answer = self.docmd("AUTH", f"PLAIN {token}")
        elif "LOGIN" in offered:
            code, answer = self.docmd("AUTH", f"LOGIN {b64encode(user.encode()).decode()}")
            if code == _GO_ON:
                code, answer = self.docmd(b64encode(password.encode()).decode())
        elif "CRAM-MD5" in offered and user.isascii() and password.isascii():
            code, answer = self._challenge(user, password)
        else:
            reason = f"it offers no way to log in that we know (it offers {', '.join(offered) or 'none'})"
            raise MailLoginRefused(server=self._where(), phase=self.phase, reason=reason)
        if code != _LOGGED_IN:
            raise self._refusal(code, answer, permanent=MailLoginRefused)

    def _challenge(self, user: str, password: str) -> tuple[int, bytes]:
        self.user, self.password = user, password
        try:
            return self.auth("CRAM-MD5", self.auth_cram_md5)
        except smtplib.SMTPAuthenticationError as error:
            answer = error.smtp_error
            return error.smtp_code, answer if isinstance(answer, bytes) else answer.encode()

    def _name(self, recipients: list[str]) -> None:
        """Name the recipients; raise when the server takes none of them: for good only if all were refused for good."""
        refusals = []
        for address in recipients:
            code, answer = self.rcpt(on_the_wire(address))
            if not 200 <= code < 300:  # noqa: PLR2004 - as above
                refusals.append(self._refusal(code, answer))
        if refusals and len(refusals) == len(recipients):
            raise next((each for each in refusals if isinstance(each, MailDelayed)), refusals[0])

    def _transmit(self, data: bytes) -> None:
        if self._over or self.sock is None:
            raise TimeoutError
        self.sock.sendall(data)

    def _expect(self, reply: tuple[int, bytes], *codes: int) -> None:
        code, answer = reply
        good = code in codes if codes else 200 <= code < 300  # noqa: PLR2004 - as above
        if not good:
            raise self._refusal(code, answer)

    def _refusal(self, code: int, answer: bytes, permanent: type[MailRefused] = MailRefused) -> MailFailure:
        """Return what a reply code means; one that is no reply at all ended the connection."""
        if self._over:  # half a reply, cut off by us
            return self.failure("no answer in time")
        facts = {"server": self._where(), "phase": self.phase, "reason": _said(code, answer)}
        if code < _FIRST_PERMANENT:
            return MailDelayed(**facts)
        return (MailLoginRefused if code in _LOG_IN_FIRST else permanent)(**facts)


def _said(code: int, answer: bytes) -> str:
    """Return a reply as people may see it: mail addresses in it belong to patients."""
    text = _MAIL_ADDRESS.sub("(address)", answer.decode("utf-8", "replace"))
    printable = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return (f"{code} {printable}" if code > 0 else "the server said nothing that SMTP knows")[:_MOST_REASON]


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its name cannot be looked up (DNS)"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError | EOFError | ssl.SSLError):
        refused = isinstance(error, ConnectionRefusedError)
        return "nothing accepts connections there" if refused else "the connection was cut off"
    if isinstance(error, smtplib.SMTPException):
        return "it says something that is not SMTP"
    return getattr(error, "strerror", None) or type(error).__name__


def _own_name() -> str:
    """Return what we call ourselves; looking the full name up could take minutes."""
    return _LETTERS.sub("-", platform.node()).strip("-.") or "localhost"
