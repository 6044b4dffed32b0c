"""Table emailaddress: the mail accounts of a practice, which one is used when, and how their passwords are stored.

Open Dental keeps an account's password as AES-128 (CBC, PKCS #7, all-zero IV) of its UTF-8 text under one key that is
the same in every practice and stands in its public source. That hides it from a glance, from nobody else: who can read
this table has the password.
"""

import binascii
from base64 import b64decode, b64encode

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from sqlalchemy import ColumnElement, Connection, select

from econnector.base.errors import MailOauth, MailPasswordUnreadable, SenderMissing
from econnector.opendental import preferences
from econnector.opendental.schema import Schema
from econnector.opendental.tables import clinic, emailaddress

__all__ = ["MailAddress", "decrypted", "encrypted", "for_clinic", "for_notices"]

# Not a secret of ours or of any practice: Open Dental publishes it (CodeBase, MiscUtils).
_KEY = b"AKQjlLUjlcABVbqp"
_BLOCK = 128
_IMPLICIT_TLS = 465
_PROVIDERS = {1: "Google", 2: "Microsoft"}
_PORTS = range(1, 65536)
_DEFAULT, _NOTIFY = "EmailDefaultAddressNum", "EmailNotifyAddressNum"


class MailAddress(msgspec.Struct, frozen=True):
    """One account as it stands in the table."""

    number: int
    host: str
    port: int
    encrypted: bool
    user: str
    stored: str
    """The password as it is stored."""
    sender_address: str
    authentication: int
    """0 user name and password, 1 Google, 2 Microsoft."""
    alias: str = ""
    """The clinic's name for the sender, where it has one."""

    def __repr__(self) -> str:
        return f"MailAddress({self.number})"

    @property
    def name(self) -> str:
        """What the office calls it."""
        return self.user or self.sender_address or f"number {self.number}"

    @property
    def security(self) -> str:
        """Return `tls`, `starttls` or `none`; Open Dental has one switch, and port 465 means TLS from the start."""
        if self.port == _IMPLICIT_TLS:
            return "tls"
        return "starttls" if self.encrypted else "none"

    @property
    def sender(self) -> str:
        """Return From: the sender address or else the user name, under the clinic's alias where it has one."""
        sender = self.sender_address.strip() or self.user.strip()
        if not self.alias.strip() or not sender:
            return sender
        bare = sender.rpartition("<")[2].removesuffix(">").strip()
        return f"{self.alias.strip()} <{bare}>"

    def check(self) -> None:
        """Raise what keeps every mail of this account from being sent: `MailOauth` or `SenderMissing`."""
        if self.authentication:
            provider = _PROVIDERS.get(self.authentication, "another service")
            raise MailOauth(account=self.name, provider=provider)
        if not self.host.strip() or self.port not in _PORTS:
            raise SenderMissing(account=f"the account {self.name}", reason="its server or port is not filled in")
        if not self.sender:
            raise SenderMissing(account=f"the account {self.name}", reason="it is blank, and so is the user name")

    def password(self) -> str:
        """Return the password in the clear, '' where none is stored. Raises `MailPasswordUnreadable`."""
        if not self.stored:
            return ""
        try:
            return decrypted(self.stored)
        except ValueError:
            raise MailPasswordUnreadable(account=self.name) from None


def for_clinic(connection: Connection, schema: Schema, clinic_num: int = 0) -> MailAddress | None:
    """Return the account for a clinic (0: none): its own, else the practice's default, else the first of the office.

    An account of one user (UserNum) is never chosen. None: there is no account.
    """
    own, alias = _clinic(connection, schema, clinic_num) if clinic_num else (0, "")
    default = preferences.read(connection, _DEFAULT)
    for number in (own, _number(default)):
        found = _numbered(connection, schema, number)
        if found is not None:
            return msgspec.structs.replace(found, alias=alias)
    first = _one(connection, schema, emailaddress.c.UserNum == 0)
    return None if first is None else msgspec.structs.replace(first, alias=alias)


def for_notices(connection: Connection, schema: Schema) -> MailAddress | None:
    """Return the account that notices of web mail come from; None where none is chosen."""
    return _numbered(connection, schema, _number(preferences.read(connection, _NOTIFY)))


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0


def _clinic(connection: Connection, schema: Schema, number: int) -> tuple[int, str]:
    columns = [clinic.c.EmailAddressNum]
    has_alias = schema.has(clinic, "EmailAliasOverride")
    if has_alias:
        columns.append(clinic.c.EmailAliasOverride)
    row = connection.execute(select(*columns).where(clinic.c.ClinicNum == number)).first()
    if row is None:
        return 0, ""
    return row.EmailAddressNum, (row.EmailAliasOverride or "") if has_alias else ""


def _numbered(connection: Connection, schema: Schema, number: int) -> MailAddress | None:
    return _one(connection, schema, emailaddress.c.EmailAddressNum == number) if number else None


def _one(connection: Connection, schema: Schema, where: ColumnElement[bool]) -> MailAddress | None:
    if not schema.has(emailaddress):
        return None
    named = schema.has(emailaddress, "AuthenticationType")
    known = [column for column in emailaddress.c if schema.has(emailaddress, column.name)]
    row = connection.execute(select(*known).where(where).order_by(emailaddress.c.EmailAddressNum).limit(1)).first()
    if row is None:
        return None
    # Before there was a column for it, a token said that an account signs in at Google.
    authentication = row.AuthenticationType if named else int(bool(row.AccessToken))
    return MailAddress(
        number=row.EmailAddressNum,
        host=(row.SMTPserver or "").strip(),
        port=row.ServerPort,
        encrypted=bool(row.UseSSL),
        user=(row.EmailUsername or "").strip(),
        stored=row.EmailPassword or "",
        sender_address=row.SenderAddress or "",
        authentication=authentication,
    )


def decrypted(stored: str) -> str:
    """Return the clear text of what Open Dental stores. Raises ValueError for anything else."""
    try:
        secret = b64decode(stored, validate=True)
    except binascii.Error:
        raise ValueError("not Base64") from None
    decryptor = Cipher(algorithms.AES(_KEY), modes.CBC(bytes(16))).decryptor()
    unpadder = PKCS7(_BLOCK).unpadder()
    return (unpadder.update(decryptor.update(secret) + decryptor.finalize()) + unpadder.finalize()).decode()


def encrypted(clear: str) -> str:
    """Return a password in the form that Open Dental stores."""
    padder = PKCS7(_BLOCK).padder()
    padded = padder.update(clear.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(_KEY), modes.CBC(bytes(16))).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
