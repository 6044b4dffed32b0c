"""Web mail: who reads what, what a patient's message leaves in Open Dental, and that it is sent once."""

import asyncio
import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from econnector.base.errors import (
    AttachmentRejected,
    DatabaseAway,
    Failure,
    FileMissing,
    MessageRejected,
    NotAllowed,
    SessionEnded,
    ValueRejected,
)
from econnector.eservices.portal import calls
from econnector.link.loopback import pair
from econnector.opendental import tables, webmail
from econnector.storage.state import messages as drafts
from tests.portal.office.test_matrix import STRANGERS, give_access_to_all, who_asks
from tests.support.practice import (
    HIDDEN,
    MAIL,
    MAIL_FILES,
    NO_WEB_MAIL,
    OTHER_READER,
    PASSWORD,
    PDF,
    READER,
    UNLINKED,
    Cast,
    PortalOffice,
)

DRAFT = "draft-0001"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0" + b"\0" * 200


async def token_of(office: PortalOffice, person: Cast = Cast.MARIA) -> str:
    return (await office.sign_in(person)).token


def letter(token: str, **values: Any) -> calls.MessageSend:
    usual = calls.MessageSend(token, DRAFT, READER, Cast.MARIA, "My tooth", "It hurts.\nA lot.")
    return msgspec.structs.replace(usual, **values)


async def add_file(  # noqa: PLR0917 - each is one thing of a file
    office: PortalOffice, token: str, content: bytes, name: str = "photo.png", file: int = 0, draft: str = DRAFT
) -> calls.AddedFile:
    size = calls.PIECE_BYTES
    pieces = [content[at : at + size] for at in range(0, len(content), size)] or [b""]
    for part, data in enumerate(pieces):
        last = part == len(pieces) - 1
        await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, draft, file, part, data, name, last))
    return calls.AddedFile(file, name, len(content))


async def sent_rows(office: PortalOffice) -> list[Any]:
    known = {number for number, *_ in (*MAIL, *NO_WEB_MAIL)}
    rows = await office.rows(tables.emailmessage, MsgType="WebMail")
    return [row for row in rows if row.EmailMessageNum not in known]


# -- reading -----------------------------------------------------------------------------------------------------------


async def test_the_mailbox_is_everybody_one_may_see_newest_first(portal_office: PortalOffice) -> None:
    token = await token_of(portal_office)
    inbox = await portal_office.ask(calls.MESSAGES, calls.MessagesAsked(token))
    assert [line.message for line in inbox.items] == [701, 706, 703, 702]
    assert [line.unread for line in inbox.items] == [True, False, False, False]
    assert inbox.unread == 1
    assert inbox.items[0].start == "Dear reader, this is message 701."
    assert (inbox.items[0].files, inbox.items[3].about_name) == (1, "Luis Delgado")
    sent = await portal_office.ask(calls.MESSAGES, calls.MessagesAsked(token, box="sent"))
    assert [(line.message, line.unread, line.provider) for line in sent.items] == [
        (700, False, "Amara J. Lindgren, DDS"),
        (707, True, "Amara J. Lindgren, DDS"),
    ]
    of_luis = await portal_office.ask(calls.MESSAGES, calls.MessagesAsked(token, Cast.LUIS))
    assert [line.message for line in of_luis.items] == [703, 702]


async def test_a_message_is_read_when_the_one_it_is_for_opens_it(portal_office: PortalOffice) -> None:
    office = portal_office
    token = await token_of(office)
    opened = await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=703))
    assert opened.opened.subject == "Your visit"
    (of_luis,) = await office.rows(tables.emailmessage, EmailMessageNum=703)
    assert of_luis.SentOrReceived == 6  # his, and he has not seen it
    for _ in range(2):
        page = await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=701))
        assert (page.opened.text, page.opened.mine) == ("Dear reader,\nthis is message 701.", False)
        assert [other.message for other in page.others] == [700]
        (mine,) = await office.rows(tables.emailmessage, EmailMessageNum=701)
        assert mine.SentOrReceived == 7
    assert (await office.ask(calls.MESSAGES, calls.MessagesAsked(token))).unread == 0
    (answered,) = await office.rows(tables.emailmessage, EmailMessageNum=700)
    assert answered.SentOrReceived == 5


async def test_every_message_and_its_file_by_everybody(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    await give_access_to_all(office)
    for me, mine in who_asks(office).items():
        token = (await office.sign_in(me, PASSWORD)).token
        opened, files = set(), set()
        for number in [*(row[0] for row in MAIL), *(row[0] for row in NO_WEB_MAIL), *STRANGERS]:
            for file in (801, 802):
                try:
                    await office.download(calls.MESSAGE_FILE, calls.MessageFile(token, number, file))
                except NotAllowed:
                    continue
                files.add((number, file))
            try:
                await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=number))
            except NotAllowed as refused:
                assert refused.facts == {}  # noqa: PT017 - which ones are refused is asserted below
                continue
            opened.add(number)
            await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token, reply=number))
        assert opened == {number for number, _, about, *_ in MAIL if about in mine}
        assert files == {(message, file) for file, message, _, _ in MAIL_FILES if message in opened}
        for about in (*Cast, *STRANGERS):
            if about not in mine:
                with pytest.raises(NotAllowed):
                    await office.ask(calls.MESSAGE_SEND, letter(token, about=about, draft=f"stranger-{about}"))
        for number in (701, 704, 999):
            if number not in opened:
                with pytest.raises(NotAllowed):
                    await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token, reply=number))
    assert await sent_rows(office) == []


async def test_a_file_comes_from_the_folder_of_attachments_and_nowhere_else(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    head, content = await office.download(calls.MESSAGE_FILE, calls.MessageFile(token, 701, 801))
    assert (head.name, head.media_type, content) == ("Plan.pdf", "application/pdf", PDF)
    (office.root / "EmailAttachments" / "note.html").write_bytes(b"<script>alert(1)</script>")
    for stored, kind in (("note.html", "application/octet-stream"), ("NOTE.HTML", "application/octet-stream")):
        await office.change(tables.emailattach, {"ActualFileName": stored}, EmailAttachNum=801)
        head, _ = await office.download(calls.MESSAGE_FILE, calls.MessageFile(token, 701, 801))
        assert head.media_type == kind
    for stored in ("..\\M\\Maria11\\Maria100.pdf", "C:\\x.pdf", "/etc/passwd", "", "Out\\..\\..\\A", "gone.pdf"):
        await office.change(tables.emailattach, {"ActualFileName": stored}, EmailAttachNum=801)
        with pytest.raises(FileMissing):
            await office.download(calls.MESSAGE_FILE, calls.MessageFile(token, 701, 801))


async def test_a_long_box_has_pages(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    for number in range(30):
        await office.add(
            tables.emailmessage,
            PatNum=Cast.GRETA,
            PatNumSubj=Cast.GRETA,
            SentOrReceived=7,
            Subject=f"no {number}",
            MsgDateTime=dt.datetime.fromisoformat(f"2025-01-01 08:{number:02}:00"),
        )
    token = await token_of(office, Cast.GRETA)
    first = await office.ask(calls.MESSAGES, calls.MessagesAsked(token))
    second = await office.ask(calls.MESSAGES, calls.MessagesAsked(token, page=2))
    assert (len(first.items), first.more, len(second.items), second.more) == (20, True, 11, False)
    assert not {line.message for line in first.items} & {line.message for line in second.items}
    assert (await office.ask(calls.MESSAGES, calls.MessagesAsked(token, page=-5))).page == 1


# -- the form ----------------------------------------------------------------------------------------------------------


async def test_only_providers_whose_mail_somebody_reads_are_offered_the_own_one_first(
    portal_office: PortalOffice,
) -> None:
    form = await portal_office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(await token_of(portal_office)))
    ours = [one for one in form.recipients if one.provider >= READER]
    assert form.recipients[0] == calls.Recipient(READER, "Amara J. Lindgren, DDS", own=True)
    assert {one.provider for one in ours} == {READER, OTHER_READER}
    assert (form.provider, form.about, form.files_allowed) == (READER, Cast.MARIA, True)


async def test_an_answer_goes_to_who_wrote_about_whom_they_wrote(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    form = await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token, reply=702))
    assert (form.subject, form.provider, form.about) == ("RE: Night guard", READER, Cast.LUIS)
    assert form.answered is not None
    assert form.answered.message == 702
    await office.change(tables.userod, {"IsHidden": 1}, UserNum=READER)
    form = await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token, reply=702))
    assert READER not in {one.provider for one in form.recipients}
    assert form.provider != READER


# -- sending -----------------------------------------------------------------------------------------------------------


async def test_what_the_office_sees_of_a_message(portal_office: PortalOffice) -> None:
    office = portal_office
    before = {row.AlertItemNum for row in await office.rows(tables.alertitem)}
    token = await token_of(office)
    answer = await office.ask(
        calls.MESSAGE_SEND, letter(token, about=Cast.LUIS, subject=" RE: \n Night\0 guard ", text="Hello 😀\nBye \x07")
    )
    (row,) = await sent_rows(office)
    assert row.EmailMessageNum == answer.message
    assert (row.PatNum, row.PatNumSubj, row.ProvNumWebMail, row.SentOrReceived) == (Cast.MARIA, Cast.LUIS, READER, 4)
    assert (row.FromAddress, row.ToAddress) == ("Maria Delgado", "Amara J. Lindgren, DDS")
    assert (row.Subject, row.BodyText) == ("RE: Night guard", "Hello (grinning face)\r\nBye")
    assert (row.MsgType, row.UserNum, row.HideIn, row.HtmlType, row.AptNum) == ("WebMail", 0, 0, 0, 0)
    assert {row.RecipientAddress, row.CcAddress, row.BccAddress, row.RawEmailIn, row.FailReason} == {""}
    (event,) = await office.rows(tables.ehrmeasureevent, EventType=15, PatNum=Cast.MARIA)
    assert (event.DateTEvent, event.MoreInfo) == (row.MsgDateTime, "")
    (alert,) = [one for one in await office.rows(tables.alertitem) if one.AlertItemNum not in before]
    assert (alert.Type, alert.UserNum, alert.ClinicNum, alert.FormToOpen) == (21, READER, -1, 12)
    assert (alert.Actions, alert.Severity, alert.Description) == (3, 0, "Unread web mail: 2")
    text = f"Patient portal: sent message {row.EmailMessageNum} to the office."
    (log,) = await office.rows(tables.securitylog, LogText=text)
    assert (log.PermType, log.PatNum, log.FKey, log.UserNum, log.LogSource) == (75, Cast.MARIA, Cast.LUIS, 0, 6)
    assert len(await office.rows(tables.securityloghash, SecurityLogNum=log.SecurityLogNum)) == 1
    assert {signal.IType for signal in await office.rows(tables.signalod)} >= {76, 72}
    assert await office.rows(tables.emailattach, EmailMessageNum=row.EmailMessageNum) == []
    again = await office.ask(calls.MESSAGES, calls.MessagesAsked(token, box="sent"))
    assert [line.message for line in again.items[:1]] == [answer.message]


async def test_a_second_message_replaces_the_alert_of_the_first(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    for draft in ("draft-0001", "draft-0002"):
        await office.ask(calls.MESSAGE_SEND, letter(token, draft=draft))
    (alert,) = await office.rows(tables.alertitem, Type=21)
    assert alert.Description == "Unread web mail: 3"
    first, second = await sent_rows(office)
    assert first.MsgDateTime != second.MsgDateTime


async def test_a_draft_is_one_message_however_often_it_is_sent(portal_office: PortalOffice) -> None:
    office = portal_office
    token = await token_of(office)
    file = await add_file(office, token, PNG)
    message = letter(token, files=[file])
    first = await office.ask(calls.MESSAGE_SEND, message)
    await add_file(office, token, PNG)  # as a browser does that sends the whole form again
    other = letter(await token_of(office), files=[file])  # of a new session
    answers = await asyncio.gather(*(office.ask(calls.MESSAGE_SEND, one) for one in (message, other, other)))
    assert {one.message for one in answers} == {first.message}
    assert len(await sent_rows(office)) == 1
    assert len(await office.rows(tables.emailattach, EmailMessageNum=first.message)) == 1
    assert len(await office.rows(tables.ehrmeasureevent, EventType=15)) == 1
    with pytest.raises(MessageRejected) as caught:
        await office.ask(calls.MESSAGE_SEND, letter(token, files=[file], text="Another thing."))
    assert caught.value.facts["rule"] == "sent-before"
    theirs = await office.ask(calls.MESSAGE_SEND, letter(await token_of(office, Cast.LUIS), about=Cast.LUIS))
    assert theirs.message != first.message


class _Dies(Exception):  # noqa: N818 - it says what happened
    """The process ended here."""


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_connector_that_dies_on_any_line_sends_once(
    portal_office_latest: PortalOffice, monkeypatch: pytest.MonkeyPatch, *, comes_back: bool
) -> None:
    office = portal_office_latest
    token = await token_of(office)
    for step in range(12):
        await _dies_at(office, monkeypatch, token, step, comes_back=comes_back)


async def _dies_at(
    office: PortalOffice, monkeypatch: pytest.MonkeyPatch, token: str, step: int, *, comes_back: bool
) -> None:
    draft = f"death-at-{step:02}"
    before = {row.EmailMessageNum for row in await sent_rows(office)}
    message = letter(token, draft=draft, files=[await add_file(office, token, PNG, draft=draft)])
    run, left = office.database.run, [step]

    async def dying(function: Any, *args: Any, **options: Any) -> Any:
        def counted(connection: sa.Connection, *rest: Any) -> Any:
            def count(*_: Any) -> None:
                left[0] -= 1
                if left[0] < 0:
                    raise _Dies

            if function.__name__ == "_write":
                sa.event.listen(connection, "before_cursor_execute", count)
            return function(connection, *rest)

        return await run(counted, *args, **options)

    monkeypatch.setattr(office.database, "run", dying)
    with pytest.raises((_Dies, Failure)):
        await office.ask(calls.MESSAGE_SEND, message)
    monkeypatch.setattr(office.database, "run", run)
    office.clock.advance(300)
    if comes_back:
        await office.ask(calls.MESSAGE_SEND, message)
    else:
        await office.ask(calls.MESSAGES, calls.MessagesAsked(token))
    rows = [row for row in await sent_rows(office) if row.EmailMessageNum not in before]
    assert len(rows) <= 1
    assert rows or not comes_back
    for row in rows:
        assert row.SentOrReceived == 4
        assert len(await office.rows(tables.emailattach, EmailMessageNum=row.EmailMessageNum)) == 1
        assert len(await office.rows(tables.ehrmeasureevent, EventType=15, DateTEvent=row.MsgDateTime)) == 1
        text = f"Patient portal: sent message {row.EmailMessageNum} to the office."
        assert len(await office.rows(tables.securitylog, LogText=text)) == 1
        assert len(await office.rows(tables.alertitem, Type=21, UserNum=READER)) == 1
        assert (await office.ask(calls.MESSAGE_SEND, message)).message == row.EmailMessageNum


async def test_a_message_that_was_changed_after_a_death_is_not_sent_twice(
    portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = portal_office_sqlite
    token = await token_of(office)

    async def dies(*_: Any) -> None:
        raise _Dies

    with monkeypatch.context() as patch:
        patch.setattr(drafts, "finish", lambda *_: (_ for _ in ()).throw(_Dies))
        with pytest.raises(_Dies):
            await office.ask(calls.MESSAGE_SEND, letter(token))
    with pytest.raises(MessageRejected):
        await office.ask(calls.MESSAGE_SEND, letter(token, text="Changed meanwhile."))
    assert len(await sent_rows(office)) == 1


async def test_a_message_that_never_got_there_may_be_changed_and_sent(
    portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    with monkeypatch.context() as patch:
        patch.setattr(webmail, "send", lambda *_: (_ for _ in ()).throw(DatabaseAway(server="x", reason="away")))
        with pytest.raises(DatabaseAway):
            await office.ask(calls.MESSAGE_SEND, letter(token))
    await office.ask(calls.MESSAGE_SEND, letter(token, text="Changed meanwhile."))
    (row,) = await sent_rows(office)
    assert row.BodyText == "Changed meanwhile."


@pytest.mark.causes("message-rejected")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"subject": "  \n "}, "subject"),
        ({"subject": "x" * 151}, "subject"),
        ({"text": " \r\n "}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"provider": HIDDEN}, "provider"),
        ({"provider": UNLINKED}, "provider"),
        ({"provider": 0}, "provider"),
        ({"provider": -1}, "provider"),
    ],
)
async def test_what_cannot_be_sent(portal_office_sqlite: PortalOffice, values: dict[str, Any], rule: str) -> None:
    token = await token_of(portal_office_sqlite)
    with pytest.raises(MessageRejected) as caught:
        await portal_office_sqlite.ask(calls.MESSAGE_SEND, letter(token, **values))
    assert caught.value.facts["rule"] == rule
    assert await sent_rows(portal_office_sqlite) == []


async def test_a_login_cannot_flood_the_office(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    for number in range(30):
        await office.ask(calls.MESSAGE_SEND, letter(token, draft=f"draft-{number:04}"))
    with pytest.raises(MessageRejected) as caught:
        await office.ask(calls.MESSAGE_SEND, letter(token, draft="draft-one-more"))
    assert caught.value.facts["rule"] == "often"
    assert len({row.MsgDateTime for row in await sent_rows(office)}) == 30


# -- files -------------------------------------------------------------------------------------------------------------


async def test_files_are_where_open_dental_looks_for_them(portal_office: PortalOffice) -> None:
    office = portal_office
    token = await token_of(office)
    large = b"%PDF-1.7\n" + b"x" * (calls.PIECE_BYTES * 2 + 17)
    files = [
        await add_file(office, token, PNG, "C:\\Users\\me\\my tooth?.jpeg", 0),
        await add_file(office, token, large, "../../etc/passwd", 3),
    ]
    answer = await office.ask(calls.MESSAGE_SEND, letter(token, files=files))
    first, second = await office.rows(tables.emailattach, EmailMessageNum=answer.message)
    assert (first.DisplayedFileName, second.DisplayedFileName) == ("my tooth.png", "passwd.pdf")
    for row, content in ((first, PNG), (second, large)):
        folder, _, name = row.ActualFileName.partition("\\")
        assert folder == "In"
        day, ticks, mark, shown = name.split("_", 3)
        assert (len(day), len(ticks), len(mark), shown) == (8, 18, 4, row.DisplayedFileName)
        assert (office.root / "EmailAttachments" / "In" / name).read_bytes() == content
        head, read = await office.download(
            calls.MESSAGE_FILE, calls.MessageFile(token, answer.message, row.EmailAttachNum)
        )
        assert (read, head.name) == (content, row.DisplayedFileName)
    assert await office.state.run(drafts.staged, Cast.MARIA) == (0, 0)
    assert not list((office.root / "EmailAttachments").rglob("*.part"))


@pytest.mark.causes("attachment-rejected")
@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty"),
        (b"PK\3\4" + b"x" * 100, "type"),
        (b"MZ" + b"x" * 100, "type"),
        (b"<html>%PDF-1.7", "type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type"),
        (b"%PDF-1.7\n/OpenAction <</S /JavaScript>>", "active"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\xff\xff\xff\0\xff\xff\xff" + b"\0" * 50, "bomb"),
    ],
)
async def test_files_that_are_refused_leave_nothing(
    portal_office_sqlite: PortalOffice, content: bytes, rule: str
) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    with pytest.raises(AttachmentRejected) as caught:
        await add_file(office, token, content)
    assert caught.value.facts["rule"] == rule
    assert await office.state.run(drafts.staged, Cast.MARIA) == (0, 0)
    assert not (office.root / "EmailAttachments" / "In").exists()


async def test_bounds_of_files(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    await add_file(office, token, b"%PDF-1.7\n" + b"x" * (calls.FILE_BYTES - 9))  # exactly 20 MB
    with pytest.raises(AttachmentRejected) as caught:
        await add_file(office, token, PNG, file=1)
    assert caught.value.facts["rule"] == "size"
    await office.ask(calls.MESSAGE_DROP, calls.MessageDrop(token, DRAFT, 0))
    for file in range(5):
        await add_file(office, token, PNG, file=file)
    with pytest.raises(AttachmentRejected) as caught:
        await add_file(office, token, PNG, file=5)
    assert caught.value.facts["rule"] == "count"
    form = await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token, draft=DRAFT))
    assert [one.file for one in form.added] == [0, 1, 2, 3, 4]
    for piece in (
        calls.MessagePiece(token, DRAFT, 9, 3, PNG),
        calls.MessagePiece(token, DRAFT, 0, -1, PNG),
        calls.MessagePiece(token, DRAFT, 100, 0, PNG),
        calls.MessagePiece(token, DRAFT, 4, 1, b"x" * (calls.PIECE_BYTES + 1)),
    ):
        with pytest.raises(AttachmentRejected):
            await office.ask(calls.MESSAGE_PIECE, piece)
    with pytest.raises(ValueRejected):
        await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, "../x", 0, 0, PNG))
    with pytest.raises(AttachmentRejected) as caught:
        await office.ask(calls.MESSAGE_SEND, letter(token, files=[calls.AddedFile(7, "gone.png", 5)]))
    assert caught.value.facts["rule"] == "unfinished"


async def test_a_file_sent_again_from_its_start_is_the_same_file(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    content = b"%PDF-1.7\n" + bytes(range(256)) * 3000
    head = content[: calls.PIECE_BYTES]
    for _ in range(2):
        await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, DRAFT, 0, 0, head, "a.pdf"))
    file = await add_file(office, token, content, "a.pdf")
    answer = await office.ask(calls.MESSAGE_SEND, letter(token, files=[file]))
    (row,) = await office.rows(tables.emailattach, EmailMessageNum=answer.message)
    path = office.root / "EmailAttachments" / row.ActualFileName.replace("\\", "/")
    assert path.read_bytes() == content


async def test_drafts_of_others_cannot_be_named(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    maria, luis = await token_of(office), await token_of(office, Cast.LUIS)
    file = await add_file(office, maria, PNG)
    assert (await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(luis, draft=DRAFT))).added == []
    await office.ask(calls.MESSAGE_DROP, calls.MessageDrop(luis, DRAFT, 0))
    with pytest.raises(AttachmentRejected):
        await office.ask(calls.MESSAGE_SEND, letter(luis, about=Cast.LUIS, files=[file]))
    await office.ask(calls.MESSAGE_SEND, letter(maria, files=[file]))
    with pytest.raises(SessionEnded):
        await office.ask(calls.MESSAGE_PIECE, calls.MessagePiece("nobody's", DRAFT, 0, 0, PNG))


async def test_without_an_images_folder_no_file_is_taken(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.prefer("AtoZfolderUsed", "0")
    token = await token_of(office)
    assert not (await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(token))).files_allowed
    with pytest.raises(AttachmentRejected) as caught:
        await add_file(office, token, PNG)
    assert caught.value.facts["rule"] == "place"


async def test_what_nobody_sent_is_forgotten_after_a_day(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    await add_file(office, token, PNG)
    office.clock.advance(25 * 3600)
    await office.state.run(drafts.sweep, office.clock.now())
    assert await office.state.run(drafts.staged, Cast.MARIA) == (0, 0)


async def test_the_largest_piece_passes_a_link(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = await token_of(office)
    piece = b"%PDF-1.7\n" + b"x" * (calls.PIECE_BYTES - 9)
    async with pair(office.answers) as joined:
        asker = joined.ask_office()
        params = calls.MessagePiece(token, DRAFT, 0, 0, piece, "a.pdf", last=True)
        for _ in range(2):
            await asker.ask(calls.MESSAGE_PIECE, params, key="the same")
        with pytest.raises(AttachmentRejected) as caught:
            await asker.ask(calls.MESSAGE_PIECE, calls.MessagePiece(token, DRAFT, 1, 0, b"PK", "a.zip", last=True))
        assert caught.value.facts["rule"] == "type"
    assert await office.state.run(drafts.staged, Cast.MARIA) == (len(piece), len(piece))
