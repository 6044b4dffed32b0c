"""What every page's answer has around its subject: the practice, the session, whose record, and who else."""

import msgspec

__all__ = ["Around", "FileHead", "Nothing", "PageAsked", "Person", "PersonAsked", "Practice", "Session", "Token"]


class Nothing(msgspec.Struct):
    """An answer without content: it worked."""


class Token(msgspec.Struct):
    """A session, as its holder names it."""

    token: str


class Practice(msgspec.Struct):
    """What anybody may know about the practice before signing in."""

    title: str
    phone: str = ""
    language: str = "en-US"


class Session(msgspec.Struct):
    """A session as the office answers for it."""

    token: str
    person: int
    """PatNum of the one who signed in."""
    idle_seconds: int
    """How long it lives without being used."""
    left_seconds: int
    """How long it lives at most from now."""
    change_user_name: bool = False
    change_password: bool = False
    user_name: str = ""
    ticket: str = ""
    """Instead of `token`: the password was right, and the second step is still to come (`SECOND_STEP`)."""


class Person(msgspec.Struct):
    """Somebody whose record may be looked at."""

    number: int
    """PatNum."""
    name: str
    first_name: str = ""
    relation: str = "self"
    """Why the signed-in person may see them: self, family, responsible, guardian."""
    birth_date: str = ""
    age: int = -1
    topics: list[str] = msgspec.field(
        default_factory=lambda: ["account", "appointments", "documents", "health", "messages"]
    )
    """What of their record may be looked at; the office refuses the rest, pages need not offer it."""


class PersonAsked(msgspec.Struct):
    """A page about `person`, or about the one who signed in when 0."""

    token: str
    person: int = 0


class PageAsked(PersonAsked):
    """One page of a long list about `person`."""

    page: int = 0
    """0 is the newest."""


class Around(msgspec.Struct):
    """What every answer to a page begins with."""

    practice: Practice
    session: Session
    looking_at: Person
    people: list[Person]
    """Everybody the signed-in person may see, themselves first."""
    unread: int = 0
    """Messages from the office that were not read: about `looking_at`, or about everybody on one's own pages."""

    @property
    def me(self) -> Person:
        """The one who signed in."""
        return self.people[0] if self.people else self.looking_at


class FileHead(msgspec.Struct):
    """What comes before a file's bytes."""

    name: str
    media_type: str
    size: int
    """Bytes that will follow."""
    modified: str = ""
