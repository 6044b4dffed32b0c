"""What every signed-in page has around its content: whose record, where else to go, when the session ends."""

from dataclasses import dataclass

from econnector.eservices.portal.calls import Around, Person, Session
from econnector.eservices.portal.web.visiting import PortalVisit

__all__ = ["Frame", "frame"]

_OF_A_PERSON = frozenset(
    {
        *("/account", "/appointments", "/documents", "/health", "/health/summary", "/health/summary/history"),
        *("/messages", "/payments", "/statements", "/who-looked"),
    }
)
"""Pages that stay when another person is chosen; from every other one the choice leads home."""
_INSTEAD = {"/pay": "/account"}
"""Where the choice leads from a page that not everybody has: what an account owes is not everybody's to see."""
_TOPICS = {
    "/account": "account",
    "/appointments": "appointments",
    "/documents": "documents",
    "/health": "health",
    "/health/summary": "health",
    "/health/summary/history": "health",
    "/messages": "messages",
    "/pay": "account",
    "/payments": "account",
    "/statements": "account",
}
"""What of a record a page is about; a page that is not here is always offered."""
_WARNING_SECONDS = 60
_LEAST_WARNING = 20  # WCAG 2.2.1


@dataclass(frozen=True, slots=True)
class Frame:
    """Values of `portal/frame.html`."""

    here: str
    """The page's path below the base."""
    form_token: str
    me: Person | None = None
    looking_at: Person | None = None
    people: tuple[Person, ...] = ()
    seconds: int = 0
    """Until the session ends when nothing is done; 0 when it is not known."""
    warning: int = 0
    """How many seconds before that a script asks."""
    unread: int = 0
    """Messages that wait to be read, as the tab of the messages says."""

    @property
    def elsewhere(self) -> bool:
        """Whether the record of somebody else is shown."""
        return bool(self.me and self.looking_at and self.me.number != self.looking_at.number)

    @property
    def stay(self) -> str:
        """Where choosing a person leads: to the same page of theirs, if there is one."""
        if self.here in _INSTEAD:
            return _INSTEAD[self.here]
        return self.here if self.here in _OF_A_PERSON else "/"

    def offers(self, path: str) -> bool:
        """Return whether there is this page: the practice has it, and whose record it is leaves it to the visitor."""
        topic = _TOPICS.get(path)
        return topic is None or self.looking_at is None or topic in self.looking_at.topics

    def path(self, path: str, person: Person | None = None) -> str:
        """Return a path that keeps (or, with `person`, chooses) whose record is shown."""
        chosen = person or self.looking_at
        if not self.me or not chosen or chosen.number == self.me.number:
            return path
        return f"{path}?person={chosen.number}"


def frame(visit: PortalVisit, here: str, answer: Around | None = None) -> Frame:
    """Return the frame for a page that shows `answer`; without one, a frame that knows nobody."""
    if answer is None:
        return Frame(here, visit.form_token())
    visit.know(answer.practice)
    me = answer.me
    seconds = seconds_left(answer.session)
    warning = max(_LEAST_WARNING, min(_WARNING_SECONDS, seconds // 2))
    return Frame(here, visit.form_token(), me, answer.looking_at, tuple(answer.people), seconds, warning, answer.unread)


def seconds_left(session: Session) -> int:
    """Return how long the session lives if nobody uses it."""
    return min(session.idle_seconds, session.left_seconds)
