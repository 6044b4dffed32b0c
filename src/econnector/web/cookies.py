"""Cookies that hold one opaque text each, named after the office they belong to.

`__Host-` binds a cookie to the exact host and to https (browsers count loopback as safe). It also forces the path
`/`, so offices under one host see each other's cookies: the office's name in the cookie's name keeps them apart,
and the office refuses a token that it did not mint.
"""

import re
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Cookie"]

_OPAQUE = re.compile(r"[A-Za-z0-9_.~-]{16,512}")
_UNSAFE = re.compile(r"[^a-z0-9-]")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One kind of cookie: `purpose` names it, `secure` is false only where a site is served without TLS.

    A `strict` one is never sent with a visit that another site began, not even by a link.
    """

    purpose: str
    secure: bool = True
    strict: bool = False

    @property
    def _same_site(self) -> Literal["lax", "strict"]:
        return "strict" if self.strict else "lax"

    def name(self, office: str) -> str:
        """Return the cookie's name for the office."""
        plain = f"{self.purpose}-{_UNSAFE.sub('_', office.lower())}"
        return f"__Host-{plain}" if self.secure else plain

    def read(self, request: Request, office: str) -> str:
        """Return the value the browser sent, or an empty text when there is none or it cannot be ours."""
        value = request.cookies.get(self.name(office), "")
        return value if _OPAQUE.fullmatch(value) else ""

    def keep(self, response: Response, office: str, value: str) -> None:
        """Have the browser keep `value` until it is closed."""
        response.set_cookie(
            self.name(office), value, secure=self.secure, httponly=True, samesite=self._same_site, path="/"
        )

    def drop(self, response: Response, office: str) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name(office), secure=self.secure, httponly=True, samesite=self._same_site, path="/")
