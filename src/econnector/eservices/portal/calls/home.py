"""The home page."""

import msgspec

from econnector.eservices.portal.calls.appointments import Appointment
from econnector.eservices.portal.calls.around import Around, PersonAsked
from econnector.wire.call import Call

__all__ = ["HOME", "Home"]


class Home(Around, kw_only=True):
    """What the home page shows. What the visitor may not see of `looking_at` is empty (`Person.topics`)."""

    coming: list[Appointment] = msgspec.field(default_factory=list)
    """The next visits, the next first."""
    check_up_due: str = ""
    """Since when a check-up is due and not scheduled; empty when none is."""
    balance_cents: int = 0
    """What the family of `looking_at` owes now (after the insurance estimate, unless the practice counts otherwise)."""
    balance_known: bool = False
    """False where `looking_at` has no share in the family's money view."""
    balance_holder: str = ""
    """Who holds the account, where it is the visitor's own family's and its balance is not theirs to see."""
    balance_as_of: str = ""
    """The day the stored balances were last aged; empty when never."""
    payable: bool = False
    """Whether this account can be paid here (`PAY_FORM`)."""
    statement_count: int = 0
    latest_statement: str = ""
    """Date of the newest statement."""
    last_sign_in: str = ""


HOME = Call("portal.home", PersonAsked, Home, limit=10)
