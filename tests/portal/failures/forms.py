"""Every form of the portal: where it stands, what is typed into it, what it does once.

A form that is added to the portal without a line here fails `test_forms.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import pyotp

from tests.support.formpage import form_in
from tests.support.linked import LinkedSite
from tests.support.practice import PASSWORD, STRONG, Cast, user_name
from tests.support.practice_papers import PNG

__all__ = ["ELSEWHERE", "FORMS", "Sheet", "code_of", "post"]

LUIS = int(Cast.LUIS)
Count = Callable[[LinkedSite], int]


@dataclass(frozen=True)
class Sheet:
    """A form."""

    route: str
    """As in the table of routes."""
    page: str
    """Where it stands."""
    done: str
    """What counts how often it was done: SQL that gives a number; in the state file if it begins with `state `."""
    call: str
    """The call that does it."""
    typed: dict[str, str] = field(default_factory=dict)
    """What stays, whatever happens."""
    secret: dict[str, str] = field(default_factory=dict)
    """What is never shown again."""
    unticked: str = ""
    """A box that is unticked."""
    person: Cast = Cast.MARIA
    path: str = ""
    """Where it goes, if not to `route`."""
    files: tuple[tuple[str, bytes], ...] = ()
    before: Callable[[LinkedSite, httpx2.Client], None] | None = None
    """What must be so before the form is there."""
    renews: bool = False
    """Whether the session goes on under another token, so that no form of before is taken any more."""
    comes_back: bool = True
    """Whether something was typed that comes back after signing in again."""

    def filled(self, fields: dict[str, str]) -> dict[str, str]:
        """Return the form's fields with everything typed into them."""
        values = fields | self.typed | self.secret
        return {name: value for name, value in values.items() if name != self.unticked}

    @property
    def action(self) -> str:
        """Where it goes."""
        return self.path or self.route

    def count(self, site: LinkedSite) -> int:
        """Return how often it was done."""
        site.settled()
        ask = site.state if self.done.startswith("state ") else site.sql
        return int(ask(self.done.removeprefix("state "))[0][0])


def _app_on(_: LinkedSite, browser: httpx2.Client) -> None:
    """Set up two-step sign-in with an app."""
    begun = form_in(browser.get("/security/app").text, "/security/app")
    scan = browser.post("/security/app", data=begun.fields).text
    assert browser.post("/security/app", data=code_of(scan)).status_code == 200


def code_of(scan: str) -> dict[str, str]:
    """Return the form that takes the app into use whose picture the page shows."""
    found = re.search(r"secret=([A-Z2-7]{32})", scan)
    assert found
    return form_in(scan, "/security/app").fields | {"code": pyotp.TOTP(found[1]).now()}


def _passkey_on(site: LinkedSite, _: httpx2.Client) -> None:
    values = ("cred", 1000 + int(Cast.MARIA), "4711", "My laptop", "example.com", b"", 0, 1.0, 0.0)
    site.state(f"INSERT INTO portal_passkey VALUES ({', '.join('?' * len(values))})", *values)


def _signed_in_twice(site: LinkedSite, _: httpx2.Client) -> None:
    with site.signed_in():
        pass


def _has_an_address(site: LinkedSite, _: httpx2.Client) -> None:
    """Let the portal have an address, which a letter can lead to."""
    site.sql("DELETE FROM preference WHERE PrefName = 'PatientPortalURL'")
    site.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('PatientPortalURL', 'https://portal.example.com')")


_MAILS = "SELECT COUNT(*) FROM emailmessage WHERE EmailMessageNum > 722 AND MsgType = 'WebMail'"
_WORDS = {"subject": "A sore tooth", "text": 'It hurts <here>.\r\nAnd "there".'}
FORMS = {
    "write": Sheet(
        "/messages/new", "/messages/new", _MAILS, "portal.message-send", _WORDS | {"provider": "951"},
        files=(("tooth.png", PNG),),
    ),
    "reply": Sheet(
        "/messages/new", "/messages/new?reply=702", _MAILS, "portal.message-send",
        {"subject": "RE: Night guard", "text": "Thank you."},
    ),
    "confirm": Sheet(
        "/appointments/{appointment}/confirm", "/appointments",
        "SELECT COUNT(*) FROM commlog WHERE PatNum = 11 AND Note LIKE '%portal%'", "portal.confirm-appointment",
        path="/appointments/1001/confirm",
    ),
    "change": Sheet(
        "/change", "/change", "SELECT COUNT(*) FROM securitylog WHERE LogText LIKE '%changed the user name%'",
        "portal.change-sign-in", {"user_name": "maria.delgado"},
        {"current": PASSWORD, "password": STRONG, "repeat": STRONG}, renews=True,
    ),
    "family": Sheet(
        "/family", "/family", "SELECT COUNT(*) FROM securitylog WHERE LogText LIKE '%the view of: messages.%'",
        "portal.set-privacy", {"health": "1"}, person=Cast.LUIS, unticked="messages",
    ),
    "app": Sheet(
        "/security/app", "/security/app", "state SELECT COUNT(*) FROM portal_app WHERE pending <> ''",
        "portal.prepare-app", comes_back=False,
    ),
    "off": Sheet(
        "/security/off", "/security/off", "state SELECT 1 - COUNT(*) FROM portal_app WHERE secret <> ''",
        "portal.change-two-step", before=_app_on, comes_back=False,
    ),
    "codes": Sheet(
        "/security/codes", "/security/codes",
        "state SELECT COUNT(*) FROM outbox WHERE text LIKE '%recovery codes%'",
        "portal.change-two-step", before=_app_on, comes_back=False,
    ),
    "drop-passkey": Sheet(
        "/security/drop-passkey", "/security/drop-passkey?key=4711",
        "state SELECT 1 - COUNT(*) FROM portal_passkey", "portal.change-two-step", before=_passkey_on,
        comes_back=False,
    ),
    "sessions": Sheet(
        "/security/sessions", "/security",
        "state SELECT COUNT(DISTINCT ended) FROM portal_session WHERE ended <> 0", "portal.end-sessions",
        before=_signed_in_twice, comes_back=False,
    ),
    "sign-in": Sheet(
        "/sign-in", "/sign-in", "SELECT COUNT(*) FROM securitylog WHERE LogText LIKE '%signed in%'",
        "portal.sign-in", {"user_name": user_name(Cast.MARIA)}, {"password": PASSWORD}, person=Cast.NON_PATIENT,
        comes_back=False,
    ),
    "forgot": Sheet(
        "/forgot", "/forgot", "state SELECT COUNT(*) FROM outbox", "portal.forgot",
        {"user_name": user_name(Cast.MARIA)}, person=Cast.NON_PATIENT, comes_back=False,
    ),
    "send-summary": Sheet(
        "/health/summary/send", "/health/summary/send", "state SELECT COUNT(*) FROM summary_share WHERE done",
        "portal.share", {"address": "dr.reyes@example.com", "note": "My new <dentist>"}, before=_has_an_address,
    ),
    "pay": Sheet(
        "/pay", "/pay", "state SELECT COUNT(*) FROM payment_attempt WHERE state = 'open'", "portal.pay",
        {"amount": "123.45"},
    ),
}  # fmt: skip
ELSEWHERE = {
    "/sign-out": "the browser's session ends at once; an office that is away is told later: web/test_signing.py",
    "/stay": "asked by a script only, and changes nothing: web/test_browser.py",
    "/second-step": "counts once by its ticket: security/test_two_step.py",
    "/security/passkey": "only a browser makes a passkey; its answer counts once: security/test_pages.py",
    "/reset": "a code works once: security/test_forgotten.py",
    "/invite": "changes nothing: test_forms.py, with the form that follows it",
    "/invite/accept": "stands behind another form: test_forms.py",
    "/health/summary/send/withdraw": "ends what is ended once: web/test_sharing.py",
    "/pay/cards/{card}/forget": "deletes what is deleted once: office/paying/test_after.py and web/test_paying.py",
    "/shared": "uses nothing up: web/test_sharing.py",
    "/shared/file": "a download, noted each time: office/test_sharing_attacks.py",
}


def post(browser: httpx2.Client, sheet: Sheet, values: dict[str, str], *, files: bool = True) -> httpx2.Response:
    """Send the form as a browser would."""
    if sheet.files and files:
        parts = [(name, (None, text)) for name, text in values.items()]
        return browser.post(sheet.action, files=[*parts, *(("files", one) for one in sheet.files)])
    return browser.post(sheet.action, data=values)
