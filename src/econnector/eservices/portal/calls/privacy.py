"""Family and privacy: who sees one's record, by topic, and one's word about it."""

import msgspec

from econnector.eservices.portal.calls.around import Around, Token
from econnector.wire.call import Call

__all__ = ["PRIVACY", "SET_PRIVACY", "Onlooker", "OpenTopic", "Privacy", "SetPrivacy"]


class OpenTopic(msgspec.Struct):
    """One topic of one's record, for one onlooker."""

    topic: str
    """appointments, account, messages, health, documents; only those that the portal has."""
    open: bool
    said: str = ""
    """When this was decided, ISO 8601; empty where nobody decided and the practice's rule holds."""
    by_office: bool = False
    """Whether the office recorded the decision."""


class Onlooker(msgspec.Struct):
    """Somebody who may look at one's record."""

    number: int
    """PatNum."""
    name: str
    relation: str
    """Why: family (they hold the account), guardian, responsible."""
    topics: list[OpenTopic]


class Privacy(Around, kw_only=True):
    """What the page shows."""

    onlookers: list[Onlooker] = msgspec.field(default_factory=list)
    may_decide: bool = False
    """Whether one is of full age, by the practice's rule."""
    full_age: int = 18


class SetPrivacy(msgspec.Struct):
    """One's word about one onlooker."""

    token: str
    viewer: int
    """PatNum of the onlooker."""
    open: list[str]
    """The topics that they may see; all others of the portal they may not."""


PRIVACY = Call("portal.privacy", Token, Privacy, limit=10)
SET_PRIVACY = Call("portal.set-privacy", SetPrivacy, Privacy, limit=10, changes=True)
