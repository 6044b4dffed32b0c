"""The text in `userweb.Password`: reading every form that Open Dental has written, writing the newest one.

The text has three fields joined by `$`: kind, salt, hash (Open Dental's password container, 21.1 to 25.4)::

    SHA3_512$<88 characters>$<88 characters>   base64(SHA3-512(UTF-16LE(salt text + password)))
    MD5$<salt>$<24 characters>                 base64(MD5(UTF-16LE(salt text + password)))
    <24 characters ending in ==>               the same without a salt, before containers existed
    <32 hexadecimal characters>                MD5 of the ASCII password; only where eClinicalWorks is in use
    None$$, empty or NULL                      no access

Open Dental reads any other text as the password itself, and lets a blank password match a blank one. Here
neither ever matches: such a patient needs a new password from the office.
"""

import base64
import enum
import hashlib
import hmac
import secrets
import unicodedata

__all__ = ["Form", "check", "fingerprint", "form_of", "make"]

_FIELDS = 3
_SALT_BYTES = 64
_OLD_MD5_LENGTH = 24
_LONGEST_TYPED = 1024
"""Characters: nobody's password is longer, and putting hostile text into a normal form takes quadratic time."""
_ECW_LENGTH = 32
_HEX = frozenset("0123456789abcdef")


class Form(enum.Enum):
    """How a stored password was written."""

    NO_ACCESS = "no access"
    SHA3_512 = "SHA3_512"
    MD5 = "MD5"
    MD5_ECW = "MD5_ECW"
    UNKNOWN = "unknown"
    """Clear text or a form from before 13.1: never matches."""


# .NET reads the number of an enumeration's member as well as its name.
_KINDS = {"SHA3_512": Form.SHA3_512, "3": Form.SHA3_512, "MD5": Form.MD5, "1": Form.MD5}
_ECW_KINDS = ("MD5_ECW", "2")
_NONE_KINDS = ("None", "0")


def _read(stored: str | None, *, ecw: bool) -> tuple[Form, str, str]:
    """Return form, salt text and hash."""
    text = stored or ""
    fields = text.split("$")
    if not text or (len(fields) == _FIELDS and not fields[2] and fields[0] in (*_NONE_KINDS, *_KINDS, *_ECW_KINDS)):
        return Form.NO_ACCESS, "", ""
    if len(fields) == _FIELDS and fields[0] in _KINDS:
        return _KINDS[fields[0]], fields[1], fields[2]
    if ecw and len(fields) == _FIELDS and fields[0] in _ECW_KINDS:
        return Form.MD5_ECW, "", fields[2]
    if len(text) == _OLD_MD5_LENGTH and text.endswith("==") and "$" not in text:
        return Form.MD5, "", text
    if ecw and len(text) == _ECW_LENGTH and _HEX.issuperset(text):
        return Form.MD5_ECW, "", text
    return Form.UNKNOWN, "", ""


def form_of(stored: str | None, *, ecw: bool = False) -> Form:
    """Return how `stored` was written; `ecw` says that the eClinicalWorks bridge is enabled."""
    return _read(stored, ecw=ecw)[0]


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _sha3(salt: str, password: str) -> str:
    return base64.b64encode(hashlib.sha3_512(_utf16(salt + password)).digest()).decode()


def _md5(salt: str, password: str) -> str:
    digest = hashlib.md5(_utf16(salt + password), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _ecw(password: str) -> str:
    # The ASCII encoder of .NET turns what it cannot write into question marks.
    return hashlib.md5(password.encode("ascii", "replace"), usedforsecurity=False).hexdigest()


def _matches(form: Form, salt: str, expected: str, password: str) -> bool:
    # All three are computed every time, so that the form of the stored text does not show in the time taken.
    found = {Form.SHA3_512: _sha3(salt, password), Form.MD5: _md5(salt, password), Form.MD5_ECW: _ecw(password)}
    candidate = found.get(form, found[Form.SHA3_512])
    same = hmac.compare_digest(candidate.encode(), expected.encode("utf-8", "surrogatepass"))
    return same and form in found and bool(expected)


def check(stored: str | None, password: str, *, ecw: bool = False) -> bool:
    """Return whether `password` is the one in `stored`.

    A password typed in another Unicode form of the same characters matches too (NFKC, in which new ones are
    written). The work done is the same for every form, for no access and for garbage. `ecw` allows the form of
    eClinicalWorks offices. More than 1024 characters never match.
    """
    form, salt, expected = _read(stored, ecw=ecw)
    typed = password[:_LONGEST_TYPED]
    as_typed = _matches(form, salt, expected, typed)
    normal = _matches(form, salt, expected, unicodedata.normalize("NFKC", typed))
    return (as_typed or normal) and bool(password) and typed == password


def make(password: str) -> str:
    """Return the text to store for a new password (186 characters). Raises `ValueError` for one that never matches."""
    if not 0 < len(password) <= _LONGEST_TYPED:
        raise ValueError("a blank or endless password would mean: no access")
    salt = base64.b64encode(secrets.token_bytes(_SALT_BYTES)).decode()
    return f"SHA3_512${salt}${_sha3(salt, unicodedata.normalize('NFKC', password))}"


def fingerprint(stored: str | None) -> str:
    """Return a short text that changes when the stored password does; of no use for guessing it.

    Sessions remember it, so that they end when the office gives a new password or takes access away.
    """
    return hashlib.sha256(b"userweb.Password:" + (stored or "").encode("utf-8", "surrogatepass")).hexdigest()[:32]
