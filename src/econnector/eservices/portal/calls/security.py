"""How one's own sign-in is protected: two-step sign-in, and where one is signed in."""

import msgspec

from econnector.eservices.portal.calls.around import Around, Nothing, Token
from econnector.wire.call import Call

__all__ = [
    "ADD_PASSKEY",
    "BEGIN_PASSKEY",
    "CHANGE_TWO_STEP",
    "CONFIRM_APP",
    "END_SESSIONS",
    "PREPARE_APP",
    "SECURITY",
    "AddPasskey",
    "App",
    "BeginPasskey",
    "Challenge",
    "ChangeTwoStep",
    "Codes",
    "ConfirmApp",
    "EndSessions",
    "Passkey",
    "PrepareApp",
    "Security",
    "SignedIn",
]


class Passkey(msgspec.Struct):
    """One passkey of one's own."""

    number: str
    name: str
    added: str
    used: str = ""
    """When it last signed somebody in; empty for never."""
    host: str = ""
    """Where it works."""


class SignedIn(msgspec.Struct):
    """One sign-in of one's own."""

    number: str
    began: str
    used: str
    address: str = ""
    agent: str = ""
    alive: bool = False
    current: bool = False
    """Whether it is the one that asks."""


class Security(Around, kw_only=True):
    """How one's sign-in is protected."""

    two_step: str = "offered"
    """What the practice wants: off, offered, required."""
    app: bool = False
    passkeys: list[Passkey] = msgspec.field(default_factory=list)
    codes_left: int = 0
    """Recovery codes that were not used yet."""
    password_needed: bool = True
    """Whether a change needs the password: the session began a while ago."""
    mail: bool = False
    """Whether the office has an address to which news of changes goes."""
    sessions: list[SignedIn] = msgspec.field(default_factory=list)
    """Newest first, those that have ended too."""

    @property
    def on(self) -> bool:
        """Whether a second step is asked for."""
        return self.app or bool(self.passkeys)


class PrepareApp(msgspec.Struct):
    """Begin with an app; what is in use stays until the first code."""

    token: str
    password: str = ""
    again: bool = False
    """Show once more what was begun and waits for its first code."""


class App(msgspec.Struct):
    """What an app needs to make codes. It is seen while it is set up, and never again."""

    secret: str
    """Base32, to be typed."""
    uri: str
    """`otpauth://…`, to be scanned."""


class ConfirmApp(msgspec.Struct):
    """The app's first code."""

    token: str
    code: str


class Codes(msgspec.Struct):
    """New recovery codes, the only time that they are seen; none where the ones from before stay."""

    codes: list[str] = msgspec.field(default_factory=list)


class BeginPasskey(msgspec.Struct):
    """Begin with a passkey for this host."""

    token: str
    host: str


class Challenge(msgspec.Struct):
    """What the browser's `navigator.credentials.create` wants, as JSON."""

    options: str


class AddPasskey(msgspec.Struct):
    """A new passkey, as the browser returned it."""

    token: str
    passkey: str
    host: str
    origin: str
    name: str = ""
    password: str = ""


class ChangeTwoStep(msgspec.Struct):
    """A change of what is there."""

    token: str
    what: str
    """`off`, `codes` (new ones), `drop-passkey`."""
    number: str = ""
    """Of the passkey."""
    password: str = ""


class EndSessions(msgspec.Struct):
    """End one session of one's own, or all of them, this one too."""

    token: str
    number: str = ""
    """As listed; empty for all."""


SECURITY = Call("portal.security", Token, Security, limit=10)
PREPARE_APP = Call("portal.prepare-app", PrepareApp, App, limit=10, changes=True)
CONFIRM_APP = Call("portal.confirm-app", ConfirmApp, Codes, limit=10, changes=True)
BEGIN_PASSKEY = Call("portal.begin-passkey", BeginPasskey, Challenge, limit=10)
ADD_PASSKEY = Call("portal.add-passkey", AddPasskey, Codes, limit=10, changes=True)
CHANGE_TWO_STEP = Call("portal.change-two-step", ChangeTwoStep, Codes, limit=10, changes=True)
END_SESSIONS = Call("portal.end-sessions", EndSessions, Nothing, limit=10, changes=True)
