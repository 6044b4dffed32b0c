"""Family and privacy: who sees one's record, and the word of the person concerned."""

from typing import TYPE_CHECKING

import msgspec

from econnector.base.errors import NotAllowed, ValueRejected
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import is_of_age, topics_of
from econnector.eservices.portal.office.around import Begun, begin
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import family
from econnector.opendental.family import Relative
from econnector.storage.state import consent
from econnector.storage.state.consent import Word
from econnector.storage.state.portalrules import TOPICS
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `PRIVACY` and `SET_PRIVACY`. Both raise `SessionEnded` and `ChangeRequired`."""

    @answers.to(calls.PRIVACY)
    async def _(_asked: Asked, params: calls.Token) -> calls.Privacy:
        session = await desk.session(params.token)
        return await _shown(desk, session, params.token)

    @answers.to(calls.SET_PRIVACY)
    async def _(_asked: Asked, params: calls.SetPrivacy) -> calls.Privacy:
        return await _set(desk, params)


async def _shown(desk: Desk, session: PortalSession, token: str) -> calls.Privacy:
    words = await desk.state.run(consent.given_by, session.patient)
    return await desk.database.run(_page, desk, session, token, words)


async def _set(desk: Desk, params: calls.SetPrivacy) -> calls.Privacy:
    """Keep one's word.

    Raises `NotAllowed` for somebody who sees nothing of one's record anyway, `ValueRejected` before full age.
    """
    session = await desk.session(params.token)
    before = await _shown(desk, session, params.token)
    onlooker = next((one for one in before.onlookers if one.number == params.viewer), None)
    if onlooker is None:
        raise NotAllowed
    if not before.may_decide:
        raise ValueRejected(field="viewer", why=f"Only persons from {before.full_age} years on decide this themselves.")
    changed = {each.topic: each.topic in params.open for each in onlooker.topics}
    changed = {each.topic: changed[each.topic] for each in onlooker.topics if each.open is not changed[each.topic]}
    if changed:
        # The trace first: a word that is kept always has one.
        await desk.database.run(_note, desk, session, onlooker.number, changed)
        await desk.state.run(consent.say, session.patient, onlooker.number, changed, desk.clock.now())
    return await _shown(desk, session, params.token)


def _page(connection: "Connection", desk: Desk, session: PortalSession, token: str, words: list[Word]) -> calls.Privacy:
    begun = begin(connection, desk, session, calls.PersonAsked(token), topic="any")
    visitor = begun.visitor
    shared = visitor.settings["FamPhiAccess"] == "1"
    onlookers = family.onlookers(connection, visitor.me.number, shared=shared)
    return calls.Privacy(
        **begun.frame,
        onlookers=[_onlooker(one, begun, session, words) for one in onlookers],
        may_decide=is_of_age(visitor.me, session.privacy),
        full_age=session.privacy.rules.full_age,
    )


def _onlooker(one: Relative, begun: Begun, session: PortalSession, words: list[Word]) -> calls.Onlooker:
    me, said = begun.visitor.me, {word.topic: word for word in words if word.viewer == one.number}
    mine = {(me.number, topic): word.allowed for topic, word in said.items()}
    seen = topics_of(me, msgspec.structs.replace(session.privacy, said=mine), oneself=False)
    shown = [topic for topic in TOPICS if topic in session.privacy.rules.on]
    return calls.Onlooker(
        number=one.number,
        name=one.name,
        relation=one.relation,
        topics=[_topic(topic, said.get(topic), is_open=topic in seen) for topic in shown],
    )


def _topic(topic: str, word: Word | None, *, is_open: bool) -> calls.OpenTopic:
    if word is None:
        return calls.OpenTopic(topic, is_open)
    return calls.OpenTopic(topic, is_open, word.at.astimezone().date().isoformat(), bool(word.by))


def _note(connection: "Connection", desk: Desk, session: PortalSession, viewer: int, changed: dict[str, bool]) -> None:
    schema = desk.schema_of(connection)
    for allowed, word in ((False, "withdrew from"), (True, "allowed")):
        topics = ", ".join(topic for topic, now in changed.items() if now is allowed)
        if topics:
            text = f"Patient portal: {word} patient {viewer} the view of: {topics}."
            journal.acted(connection, schema, session.patient, session.patient, text)
