"""Another patient's references in every field of every call: generated from the contract, so that a new call or field
without an owner check fails here by itself."""

import re
from typing import Any

import msgspec
import pytest

from econnector.base.errors import Failure, NotAllowed, SessionEnded
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.wire.call import Call
from tests.portal.security.test_attacks_sessions import dummy
from tests.support.practice import DOCUMENTS, MAIL, MAIL_FILES, Cast, PortalOffice
from tests.support.practice_papers import IMAGES, PAYMENTS
from tests.support.practice_visits import APPOINTMENTS, PLANS

HERS = {Cast.GRETA, Cast.HUGO}
"""Whom the attacker may see."""
OTHERS: list[Any] = [
    row for row in (*DOCUMENTS, *IMAGES, *APPOINTMENTS, *PLANS, *PAYMENTS, *MAIL) if row[1] not in HERS
]
NUMBERS: list[int] = sorted(
    {Cast.MARIA, Cast.STEFAN, Cast.ROSA, Cast.MERGED}
    | {int(row[0]) for row in OTHERS if row[1] in {Cast.ROSA, Cast.OTTO, Cast.LUIS}}
    | {file for file, message, *_ in MAIL_FILES if message != 704}
)
"""Keys of every kind of other people's; all of them are tried where the matrix is written by hand."""
SEEN = re.compile(rb"Delgado|Maria|Luis|Otto|Stefan|Rosa|Paul|Merged|Sore tooth|Night guard")
"""What stands in records of people whom the attacker may not see; of the attacker's own family nothing does."""
CALLS = [
    call
    for call in vars(calls).values()
    if isinstance(call, Call) and any(field.name == "token" for field in msgspec.structs.fields(call.params))
]
TRIED = [
    (call, field.name)
    for call in CALLS
    for field in msgspec.structs.fields(call.params)
    if field.type is int
]  # fmt: skip
WORDS = [
    (call, field.name)
    for call in CALLS
    for field in msgspec.structs.fields(call.params)
    if field.type is str and field.name in {"number", "draft"}
]
"""Keys that are texts: of a session, of a passkey, of a draft."""


def params(call: Call[Any, Any], token: str, name: str, value: object) -> msgspec.Struct:
    """Return params that name one thing."""
    return msgspec.structs.replace(dummy(call, token), **{name: value})


async def attempt(office: PortalOffice, call: Call[Any, Any], asked: msgspec.Struct) -> tuple[str, bytes]:
    """Return what a call is refused with, or an empty text; and all that it told."""
    try:
        answer = await office.ask(call, asked)
    except Failure as failure:
        return type(failure).__name__, repr(failure.public_facts()).encode()
    return "", call.encode(answer)


async def test_no_key_of_another_family_opens_or_changes_anything(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    assert {("portal.home", "person"), ("portal.message-file", "file")} <= {(call.name, name) for call, name in TRIED}
    before = await kept(office)
    token = (await office.sign_in(Cast.GRETA)).token
    for call, name in TRIED:
        for number in NUMBERS:
            why, told = await attempt(office, call, params(call, token, name, number))
            assert not SEEN.search(told), (call.name, name, number)
            if why == "SessionEnded":
                token = (await office.sign_in(Cast.GRETA)).token
            if call.streams or name in {"person", "about", "viewer"}:
                assert why, (call.name, name, number)
    assert await kept(office) == before


async def kept(office: PortalOffice) -> list[Any]:
    """Return what others have: mail, visits, sign-ins."""
    found: list[Any] = []
    for table, owner in ((tables.emailmessage, "PatNum"), (tables.appointment, "PatNum"), (tables.userweb, "FKey")):
        found += [row for row in await office.rows(table) if getattr(row, owner) not in HERS]
    return found + list(await office.rows(tables.commlog))


async def test_no_key_of_somebody_elses_session_or_draft_is_of_use(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    maria, greta = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.GRETA)).token
    shown = await office.ask(calls.SECURITY, calls.Token(maria))
    piece = calls.MessagePiece(maria, "marias-draft", 0, 0, b"%PDF-1.7\nDelgado", "Delgado.pdf", True)
    await office.ask(calls.MESSAGE_PIECE, piece)
    for call, name in WORDS:
        for word in (*(one.number for one in shown.sessions), "marias-draft"):
            if call is calls.MESSAGE_PIECE:
                continue  # makes a draft of its own
            _, told = await attempt(office, call, params(call, greta, name, word))
            assert not SEEN.search(told), (call.name, name)
    assert {(call.name, name) for call, name in WORDS} >= {("portal.end-sessions", "number")}
    assert (await office.ask(calls.HOME, calls.PersonAsked(maria))).me.number == Cast.MARIA
    form = await office.ask(calls.MESSAGE_FORM, calls.MessageFormAsked(maria, 0, draft="marias-draft"))
    assert [one.name for one in form.added] == ["Delgado.pdf"]
    with pytest.raises((NotAllowed, SessionEnded)):
        await office.ask(calls.HOME, calls.PersonAsked(greta, Cast.MARIA))
