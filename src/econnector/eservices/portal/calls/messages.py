"""Web mail: the mailbox, one message with what went before it, writing one, and files both ways.

A message that is being written has a `draft`: a name that its form keeps from the first time it is shown to the day
it is sent. Sending the same draft again is the same message, whatever session, key or connection it comes by.
"""

import msgspec

from econnector.eservices.portal.calls.around import Around, FileHead, Nothing, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "FILES_MOST",
    "FILE_BYTES",
    "MESSAGE",
    "MESSAGES",
    "MESSAGE_DROP",
    "MESSAGE_FILE",
    "MESSAGE_FORM",
    "MESSAGE_PIECE",
    "MESSAGE_SEND",
    "PIECE_BYTES",
    "SUBJECT_MOST",
    "TEXT_MOST",
    "AddedFile",
    "Attached",
    "Message",
    "MessageAsked",
    "MessageDrop",
    "MessageFile",
    "MessageForm",
    "MessageFormAsked",
    "MessageLine",
    "MessagePage",
    "MessagePiece",
    "MessageSend",
    "MessageSent",
    "Messages",
    "MessagesAsked",
    "Recipient",
]

FILE_BYTES = 20 * 1024 * 1024
"""That the files of one message may have together."""
FILES_MOST = 5
PIECE_BYTES = 256 * 1024
"""Of a file, that one `MESSAGE_PIECE` carries."""
SUBJECT_MOST = 150
TEXT_MOST = 10_000
"""Characters."""


class MessagesAsked(PersonAsked, kw_only=True):
    """The mailbox about `person`; of oneself, about everybody one may see."""

    box: str = "inbox"
    """`inbox` (from the office) or `sent`."""
    page: int = 1


class MessageLine(msgspec.Struct):
    """A message in a list."""

    message: int
    """EmailMessageNum; opened with `MESSAGE`."""
    date: str
    subject: str
    provider: str
    """Who of the office wrote it or is to read it."""
    about: int
    about_name: str = ""
    unread: bool = False
    """Not read by the one who looks; of a sent one: not yet read in the office."""
    start: str = ""
    """The first words of its text."""
    files: int = 0
    writer: str = ""
    """Of a sent one: whose login wrote it."""


class Messages(Around, kw_only=True):
    """One page of a box, newest first."""

    items: list[MessageLine]
    box: str = "inbox"
    page: int = 1
    more: bool = False


class MessageAsked(PersonAsked, kw_only=True):
    """One message."""

    message: int


class Attached(msgspec.Struct):
    """A file that came with a message."""

    file: int
    """EmailAttachNum; opened with `MESSAGE_FILE`."""
    name: str


class Message(msgspec.Struct):
    """A message in full."""

    message: int
    date: str
    subject: str
    text: str
    provider: str
    writer: str
    """The name of who wrote it."""
    mine: bool
    """Whether it went from a patient to the office."""
    about: int
    about_name: str = ""
    read: bool = True
    """Read by the one it is for."""
    files: list[Attached] = msgspec.field(default_factory=list)
    cut: bool = False
    """Whether the text is longer than what is here."""


class MessagePage(Around, kw_only=True):
    """A message, and what went before and after it between the same two about the same person, newest first."""

    opened: Message
    others: list[Message] = msgspec.field(default_factory=list)


class MessageFile(msgspec.Struct):
    """A file that came with a message."""

    token: str
    message: int
    file: int


class MessageFormAsked(PersonAsked, kw_only=True):
    """What a form for a new message offers."""

    reply: int = 0
    """EmailMessageNum of the message that is answered."""
    draft: str = ""


class Recipient(msgspec.Struct):
    """A provider whose messages somebody in the office reads."""

    provider: int
    """ProvNum."""
    name: str
    own: bool = False
    """The primary provider of the person who is looked at."""


class AddedFile(msgspec.Struct):
    """A file that was added to a draft."""

    file: int
    """Counted from 0 in the draft."""
    name: str
    size: int


class MessageForm(Around, kw_only=True):
    """What a form for a new message offers."""

    recipients: list[Recipient]
    """Own provider first."""
    files_allowed: bool = False
    """Whether the practice has a folder where files of messages are kept."""
    added: list[AddedFile] = msgspec.field(default_factory=list)
    answered: Message | None = None
    """The message that is answered."""
    subject: str = ""
    """What an answer is called."""
    provider: int = 0
    """To whom it goes unless somebody else is chosen; 0 when it must be chosen."""
    about: int = 0


class MessagePiece(msgspec.Struct):
    """A piece of a file of a draft. Pieces come in order; the same one may come again."""

    token: str
    draft: str
    file: int
    part: int
    """Counted from 0."""
    data: bytes
    name: str = ""
    last: bool = False
    """After it the file is whole, and judged."""


class MessageDrop(msgspec.Struct):
    """Take a file out of a draft."""

    token: str
    draft: str
    file: int


class MessageSend(msgspec.Struct):
    """Send a draft."""

    token: str
    draft: str
    provider: int
    about: int
    subject: str
    text: str
    reply: int = 0
    files: list[AddedFile] = msgspec.field(default_factory=list)
    """Every file that the writer believes is in it."""


class MessageSent(msgspec.Struct):
    """It is in the office."""

    message: int


MESSAGES = Call("portal.messages", MessagesAsked, Messages, limit=10)
MESSAGE = Call("portal.message", MessageAsked, MessagePage, limit=10)
MESSAGE_FILE = Call("portal.message-file", MessageFile, FileHead, limit=120, streams=True)
MESSAGE_FORM = Call("portal.message-form", MessageFormAsked, MessageForm, limit=10)
MESSAGE_PIECE = Call("portal.message-piece", MessagePiece, Nothing, limit=30, changes=True)
MESSAGE_DROP = Call("portal.message-drop", MessageDrop, Nothing, limit=10, changes=True)
MESSAGE_SEND = Call("portal.message-send", MessageSend, MessageSent, limit=60, changes=True)
