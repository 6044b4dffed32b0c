"""Writing a message: a form that keeps what was typed and added, whatever happens to the link or the session.

Files go on to the office piece by piece while the browser sends them; nothing of them is held here.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from econnector.base.errors import AttachmentRejected, Failure, MessageRejected, SessionEnded
from econnector.base.ids import new_id
from econnector.eservices.portal.calls import (
    FILES_MOST,
    MESSAGE_DROP,
    MESSAGE_FORM,
    MESSAGE_PIECE,
    MESSAGE_SEND,
    PIECE_BYTES,
    SUBJECT_MOST,
    TEXT_MOST,
    AddedFile,
    MessageDrop,
    MessageForm,
    MessageFormAsked,
    MessagePiece,
    MessageSend,
)
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form
from econnector.web.multipart import read_multipart

__all__ = ["PAGES", "takes_files"]

_PATH = "/messages/new"
_FIELD, _MISSED = "files", "missed"
_LONGEST_NAME = 200
_FIELDS_OF_RULES = {"subject": "subject", "text": "text", "provider": "provider"}


def takes_files(request: Request) -> bool:
    """Say whether the request is to the page that takes files."""
    return str(request.scope["path"]).endswith(_PATH)


@dataclass(slots=True)
class _File:
    """A file of the draft, as this page knows it."""

    file: int
    name: str
    size: int


class _Adding:
    """Takes the files of a posted form and hands them on to the office."""

    def __init__(self, visit: PortalVisit) -> None:
        self._visit = visit
        self.files: list[_File] = []
        """Those that the office has whole."""
        self.refused: list[tuple[str, Failure]] = []
        """Names of files that the office does not take, and why."""
        self.failed: Failure | None = None
        """What broke the way to the office; nothing is handed on after it."""
        self.missed: list[str] = []
        """Names of files that did not get through, whoever may be to blame."""
        self._next = -1
        self._draft = ""
        self._file: _File | None = None
        self._waiting = bytearray()
        self._part = 0

    async def begin(self, form: Form, field: str, name: str) -> None:
        """Begin a file, if the form is ours."""
        self._file, self._part, self._waiting = None, 0, bytearray()
        # Fields stand before the files: whoever may not send gets no byte into the office.
        if field != _FIELD or self.failed or not self._visit.sent_by_us(form):
            self.missed.append(_last_name(name))
            return
        if self._next < 0:
            self._draft = form.get("draft")
            self._next = 1 + max((file.file for file in kept(form)), default=-1)
        self._file = _File(self._next, _last_name(name), 0)
        self._next += 1

    async def piece(self, data: bytes) -> None:
        """Hand on what makes whole pieces."""
        if self._file is None:
            return
        self._file.size += len(data)
        self._waiting += data
        # What is whole and has more behind it is not the last one.
        while len(self._waiting) > PIECE_BYTES and self._file is not None:
            block, self._waiting = bytes(self._waiting[:PIECE_BYTES]), self._waiting[PIECE_BYTES:]
            await self._hand_on(block, last=False)

    async def end(self) -> None:
        """Hand on the rest."""
        if self._file is not None:
            await self._hand_on(bytes(self._waiting), last=True)
        if self._file is not None:
            self.files.append(self._file)
        self._file = None

    async def _hand_on(self, block: bytes, *, last: bool) -> None:
        file, visit = self._file, self._visit
        if file is None:
            return
        params = MessagePiece(visit.token, self._draft, file.file, self._part, block, file.name, last)
        key = f"{self._draft}-{file.file}-{self._part}"
        try:
            await visit.door.asker.ask(MESSAGE_PIECE, params, key=key, reference=visit.reference)
        except AttachmentRejected as rejected:
            self.refused.append((file.name, rejected))
            self._file = None
        except Failure as failure:
            self.missed.append(file.name)
            self.failed, self._file = failure, None
        self._part += 1


async def _write(visit: PortalVisit) -> Response:
    """Show an empty form, or one for an answer."""
    query = visit.request.query_params
    reply = visit.number(query.get("reply", "0"))
    offered = await visit.ask(MESSAGE_FORM, MessageFormAsked(visit.signed_in(), visit.person, reply=reply))
    values = {
        "draft": new_id(),
        "reply": str(reply),
        "provider": str(offered.provider),
        "about": str(offered.about),
        "subject": offered.subject,
    }
    return _form(visit, Form(values), offered)


async def _send(visit: PortalVisit) -> Response:
    """Send it. What was typed and added stays until it is sent."""
    adding = _Adding(visit)
    form = await read_multipart(visit.request, adding)
    form = visit.posted = _with_missed(_with_files(form, [*kept(form), *adding.files]), adding.missed)
    visit.signed_in()
    if visit.of_another(form):
        return visit.to_their_own()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        _say_missed(visit, form)
        return await _again(visit, form, status=status, notice=notice)
    if adding.failed:
        if isinstance(adding.failed, SessionEnded):
            raise adding.failed
        _say_missed(visit, form)
        shown = view(adding.failed, visit)
        return await _again(visit, form, status=shown.status, failed=shown)
    _check(visit, form, adding)
    if form.mistakes:
        return await _again(visit, form, status=422)
    try:
        return await _sent(visit, form)
    except SessionEnded:
        raise
    except Failure as failure:
        return await _refused(visit, form, failure)


async def _sent(visit: PortalVisit, form: Form) -> Response:
    """Hand the whole message over; leave out the files that were taken out of it."""
    left_out = [file for file in kept(form) if form.get(f"drop-{file.file}")]
    for file in left_out:
        await visit.ask(MESSAGE_DROP, MessageDrop(visit.token, form.get("draft"), file.file))
    params = MessageSend(
        token=visit.token,
        draft=form.get("draft"),
        provider=_number(form, "provider"),
        about=_number(form, "about"),
        subject=form.get("subject"),
        text=form.get("text"),
        reply=_number(form, "reply"),
        files=[AddedFile(one.file, one.name, one.size) for one in kept(form) if one not in left_out],
    )
    sent = await visit.ask(MESSAGE_SEND, params, form)
    person = f"&person={visit.person}" if visit.person else ""
    return visit.redirect(f"/messages/{sent.message}?notice=sent{person}")


async def _refused(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    shown = view(failure, visit)
    field = _FIELDS_OF_RULES.get(failure.facts.get("rule", "")) if isinstance(failure, MessageRejected) else None
    if isinstance(failure, AttachmentRejected):
        field = _FIELD
    if field is None:
        return await _again(visit, form, status=shown.status, failed=shown)
    form.wrong(field, shown.text)
    return await _again(visit, form, status=422)


def _check(visit: PortalVisit, form: Form, adding: _Adding) -> None:
    if not _number(form, "provider"):
        form.wrong("provider", visit.say("write.provider-missing"))
    if not form.get("subject").strip():
        form.wrong("subject", visit.say("write.subject-missing"))
    elif len(form.get("subject")) > SUBJECT_MOST:
        form.wrong("subject", visit.say("write.subject-long", most=SUBJECT_MOST))
    if not form.get("text").strip():
        form.wrong("text", visit.say("write.text-missing"))
    elif len(form.get("text").replace("\r\n", "\n")) > TEXT_MOST:
        form.wrong("text", visit.say("write.text-long", most=f"{TEXT_MOST:,}"))
    for name, why in adding.refused:
        form.wrong(_FIELD, visit.say("write.file-refused", name=name, why=view(why, visit).text))


async def _again(
    visit: PortalVisit, form: Form, *, status: int, failed: FailureView | None = None, notice: str = ""
) -> Response:
    """Show the form with what was typed; with what it offers too, if the office answers now."""
    offered = None
    try:
        asked = MessageFormAsked(visit.token, visit.person, reply=_number(form, "reply"), draft=form.get("draft"))
        offered = await visit.ask(MESSAGE_FORM, asked)
    except Failure:
        # Why the message was not sent is told already.
        return _form(visit, form, None, status=status, failed=failed, notice=notice)
    # What the office no longer has stays named: it may have sent them, and then the same form must stay the same.
    whole = {one.file: one for one in kept(form)}
    whole.update((one.file, _File(one.file, one.name, one.size)) for one in offered.added)
    return _form(visit, _with_files(form, list(whole.values())), offered, status=status, failed=failed, notice=notice)


def _form(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    form: Form,
    offered: MessageForm | None,
    *,
    status: int = 200,
    failed: FailureView | None = None,
    notice: str = "",
) -> Response:
    around = frame(visit, _PATH, offered)
    person = f"?person={visit.person}" if visit.person else ""
    return visit.page(
        "portal/write.html",
        status,
        frame=around,
        form=form,
        form_token=visit.form_token(again=form),
        offered=offered,
        files=kept(form),
        action=f"{visit.base}{_PATH}{person}",
        failed=failed,
        notice=notice,
        files_most=FILES_MOST,
        subject_most=SUBJECT_MOST,
        # Browsers count a line's end as one character or as two.
        text_most=TEXT_MOST,
    )


def kept(form: Form) -> list[_File]:
    """Return the files that the form says are added: `kept-<number>` holds size and name."""
    found = []
    for field, value in form.values.items():
        number, (size, _, name) = field.removeprefix("kept-"), value.partition(":")
        if field.startswith("kept-") and _is_number(number) and _is_number(size):
            found.append(_File(int(number), name, int(size)))
    return sorted(found, key=lambda one: one.file)


def _with_files(form: Form, files: list[_File]) -> Form:
    """Return the form with these files and no others."""
    values = {name: value for name, value in form.values.items() if not name.startswith("kept-")}
    return Form(values | {f"kept-{one.file}": f"{one.size}:{one.name}" for one in files}, form.mistakes)


def _with_missed(form: Form, names: list[str]) -> Form:
    """Return the form with the names of files that did not get through, now or on its way over the sign-in page."""
    missed = [name for name in form.get(_MISSED).split("/") if name] + names
    return Form({**form.values, _MISSED: "/".join(dict.fromkeys(missed[:FILES_MOST]))}, form.mistakes)


def _say_missed(visit: PortalVisit, form: Form) -> None:
    if names := form.get(_MISSED):
        form.wrong(_FIELD, visit.say("write.file-missed", names=names.replace("/", ", ")))


def _last_name(name: str) -> str:
    """Return the last part of a path as some browsers send it, without what no name has."""
    last = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[-_LONGEST_NAME:] or "file"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - far above every bound


def _number(form: Form, field: str) -> int:
    text = form.get(field)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004 - fits a key


PAGES = ((_PATH, _write, "GET"), (_PATH, _send, "POST"))
