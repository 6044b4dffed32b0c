"""What opens an account at a processor, and what is wrong with it before anything is sent.

Values are never in a text: neither in `repr` nor in a failure. What a person compares with the processor's letter are
the last four characters of an id, and of a key only its length.
"""

import re
from typing import Final, Literal

import msgspec

from econnector.base.errors import PaymentCredentialsIncomplete

__all__ = ["NAMES", "Credentials", "StripeCredentials", "XWebCredentials", "XWebProgram"]

XWebProgram = Literal["EdgeExpress", "Xcharge"]
"""`program.ProgName` in Open Dental."""

NAMES: Final[dict[XWebProgram, tuple[str, str, str]]] = {
    "EdgeExpress": ("EdgeExpressXWebID", "EdgeExpressAuthKey", "EdgeExpressTerminalID"),
    "Xcharge": ("XWebID", "AuthKey", "TerminalID"),
}
"""How Open Dental's properties are named: XWeb ID, AuthKey, Terminal ID."""
_SHAPES = (
    (re.compile(r"[0-9]{12}"), "12 digits"),
    (re.compile(r"[0-9A-Za-z]{32}"), "32 letters and digits"),
    (re.compile(r"[0-9]{8}"), "8 digits"),
)
_STRIPE_KEY = re.compile(r"[sr]k_[0-9A-Za-z_]{8,250}")
_STRIPE_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=_-]{8,250}")
_TAIL = 4


class XWebCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """An account at XWeb or EdgeExpress: both are opened by the same three values."""

    program: XWebProgram
    clinic: str
    """Whose account it is, in words: `the practice`, `the clinic Downtown`."""
    xweb_id: str
    auth_key: str
    terminal_id: str
    names: tuple[str, str, str] = ("", "", "")
    """How the three properties are named in this database, where it is not as in `NAMES`."""

    def __repr__(self) -> str:
        return f"XWebCredentials({self.program}, {self.clinic})"

    def validate(self) -> None:
        """Raise `PaymentCredentialsIncomplete`, which names every property that is missing or cannot be one."""
        wrong = [
            f"the property {name} {_judge(value, shape)}"
            for name, value, (pattern, shape) in zip(self._names(), self._values(), _SHAPES, strict=True)
            if not pattern.fullmatch(value)
        ]
        if wrong:
            which = " and ".join(wrong)
            raise PaymentCredentialsIncomplete(
                processor=self.processor, program=self.program, clinic=self.clinic, which=which
            )

    def described(self) -> str:
        """Return which values are used, so that a person can compare them and nobody can use them."""
        one, two, three = self._names()
        return (
            f"{one} {_tail(self.xweb_id)}, {two} of {len(self.auth_key)} characters, {three} {_tail(self.terminal_id)}"
        )

    @property
    def processor(self) -> str:
        """The processor's name for people."""
        return "EdgeExpress" if self.program == "EdgeExpress" else "XWeb"

    def _values(self) -> tuple[str, str, str]:
        return self.xweb_id, self.auth_key, self.terminal_id

    def _names(self) -> tuple[str, ...]:
        return tuple(own or usual for own, usual in zip(self.names, NAMES[self.program], strict=True))


class StripeCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """An account at Stripe."""

    clinic: str = "the practice"
    secret_key: str
    """`sk_…`, or a restricted key `rk_…`."""
    webhook_secret: str = ""
    """`whsec_…`; without it no notice is believed, and payments are asked about by themselves."""

    def __repr__(self) -> str:
        return f"StripeCredentials({self.clinic})"

    def validate(self) -> None:
        """Raise `PaymentCredentialsIncomplete`, which names every setting that is missing or cannot be one."""
        wrong = []
        if not _STRIPE_KEY.fullmatch(self.secret_key):
            wrong.append(f"the setting payments.stripe_key {_judge(self.secret_key, 'a text that begins with sk_')}")
        if self.webhook_secret and not _STRIPE_SECRET.fullmatch(self.webhook_secret):
            said = _judge(self.webhook_secret, "a text that begins with whsec_")
            wrong.append(f"the setting payments.stripe_webhook_secret {said}")
        if wrong:
            which = " and ".join(wrong)
            raise PaymentCredentialsIncomplete(processor="Stripe", program="Stripe", clinic=self.clinic, which=which)

    def described(self) -> str:
        """Return which key is used, so that a person can compare it and nobody can use it."""
        return f"payments.stripe_key {_tail(self.secret_key)}"

    @property
    def processor(self) -> str:
        """The processor's name for people."""
        return "Stripe"


Credentials = XWebCredentials | StripeCredentials


def _judge(value: str, shape: str) -> str:
    if not value:
        return "is empty"
    if value != value.strip():
        return f"has blanks around it; it must be {shape}"
    return f"is not {shape} (it has {len(value)} characters)"


def _tail(value: str) -> str:
    """Return the end of a value; of a short one nothing."""
    return f"…{value[-_TAIL:]}" if len(value) >= 2 * _TAIL else f"of {len(value)} characters"
