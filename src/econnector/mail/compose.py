"""A letter as the bytes that travel: headers that nobody can smuggle a line into, and plain text."""

import datetime as dt
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from econnector.base.errors import MailRefused, SenderMissing
from econnector.base.ids import new_id
from econnector.mail.letter import Letter

__all__ = ["address_of", "compose", "new_message_id", "on_the_wire", "usable"]

# Deliberately less than RFC 5321 allows: quoted local parts and address literals are typing mistakes in an office.
_PART = r"[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]+"
_ADDRESS = re.compile(f"{_PART}@{_PART}")
_SENDER = re.compile(r"(?P<name>.*)<(?P<address>[^<>]*)>\s*", re.DOTALL)
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,60}@[!-;=?A-~]{1,120}>")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_UNSAID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_ADDRESS = 254
# One bit less to negotiate: every server takes seven-bit text.
_POLICY = SMTP.clone(cte_type="7bit")


def new_message_id(domain: str = "econnector.local") -> str:
    """Return a Message-ID that nobody has used before."""
    return f"<{new_id()}@{domain}>"


def usable(address: str) -> bool:
    """Return whether a text can be a bare mail address: `a@b`, without spaces, brackets and control characters.

    The domain may hold any letters; before the @ only ASCII, as nearly every server wants it.
    """
    if _ADDRESS.fullmatch(address) is None or len(address) > _MOST_ADDRESS:
        return False
    if ".." in address or ".@" in address or address.startswith(".") or address.endswith("."):
        return False
    return on_the_wire(address).isascii()


def address_of(sender: str, account: str = "the account") -> str:
    """Return the bare address of `a@b` or `Name <a@b>`.

    Raises SenderMissing when there is none; `account` is what its message calls the account.
    """
    if not sender.strip():
        raise SenderMissing(account=account, reason="it is blank, and so is the user name")
    address = _parts(sender)[1]
    if not usable(address):
        raise SenderMissing(account=account, reason="what stands there is no mail address")
    return address


def _parts(sender: str) -> tuple[str, str]:
    """Return name and address; Open Dental writes names as they were typed, with commas and no quotes."""
    text = _CONTROLS.sub(" ", sender).strip()
    match = _SENDER.fullmatch(text)
    return (match["name"].strip().strip('"').strip(), match["address"].strip()) if match else ("", text)


def on_the_wire(address: str) -> str:
    """Return a bare address as SMTP takes it: its domain in ASCII where there is a form for that (IDNA)."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def compose(letter: Letter, sender: str, at: dt.datetime) -> bytes:
    """Return the letter as MIME, lines ending in CRLF; `at` (aware) becomes its date.

    Raises:
        SenderMissing: `sender` holds no address.
        MailRefused: an address or the Message-ID cannot be written into a header.
    """
    address = address_of(sender)
    message = EmailMessage(policy=_POLICY)
    message["From"] = _header(address, _parts(sender)[0])
    message["To"] = [_header(each) for each in letter.to]
    if letter.reply_to:
        message["Reply-To"] = _header(letter.reply_to)
    message["Subject"] = _CONTROLS.sub(" ", letter.subject).strip()
    message["Date"] = format_datetime(at)
    message["Message-ID"] = _message_id(letter.message_id)
    # No holiday notice shall answer a program (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(letter.text), charset="utf-8")
    return message.as_bytes()


def _header(address: str, name: str = "") -> Address:
    if not usable(address):
        raise MailRefused(server="(not asked)", phase="address", reason="it is not a mail address")
    return Address(display_name=name, addr_spec=on_the_wire(address))


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise MailRefused(server="(not asked)", phase="Message-ID", reason="it is not of the form <a@b>")
    return text


def _text(text: str) -> str:
    lines = _UNSAID.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(lines).rstrip("\n") + "\n"
