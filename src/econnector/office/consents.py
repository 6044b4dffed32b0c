"""Who of a family sees a patient's record, and the patient's word about it as the office records it.

It is the same word that the patient gives on the portal's page Family and privacy (`storage.state.consent`): whoever
speaks last is heard, and the page says that the office recorded it.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from econnector.base.errors import AccessAsItWas
from econnector.eservices.portal.office.admission import is_of_age, topics_of
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, chart_of, need_setup
from econnector.opendental import family, preferences
from econnector.opendental.family import Relative
from econnector.storage.state import consent
from econnector.storage.state.consent import Privacy, Word
from econnector.storage.state.portalrules import TOPICS

__all__ = ["Consents", "Onlooker", "Seen"]


class Seen(msgspec.Struct, frozen=True):
    """One topic of a record, and whether somebody sees it."""

    topic: str
    open: bool
    said: dt.datetime | None = None
    """When a word was given; None where the practice's rules hold."""
    by: str = ""
    """Who of the office recorded it; empty for the patient themselves."""


class Onlooker(msgspec.Struct, frozen=True):
    """Somebody whom Open Dental's family lets see a record."""

    number: int
    """PatNum."""
    name: str
    relation: str
    """To the patient: family (the account holder), guardian, responsible."""
    topics: list[Seen]

    @property
    def open(self) -> list[str]:
        """The topics they see."""
        return [one.topic for one in self.topics if one.open]

    @property
    def decided(self) -> bool:
        """Whether there is a word about any topic."""
        return any(one.said for one in self.topics)


class Consents(Hand):
    """The words of one practice's patients. Every method may raise the database's failures."""

    async def look(self, number: int) -> tuple[list[Onlooker], bool]:
        """Return who sees what of a patient (a PatNum), and whether that patient is of full age.

        Raises `AccessAsItWas` for a chart that is missing, archived or merged.
        """
        me, others = await self._database.run(_family, number, within=WITHIN)
        return await self._state.run(self._shown, me, others)

    async def record(
        self, who: Who, number: int, viewer: int, wanted: Collection[str], seen: Collection[str]
    ) -> dict[str, bool]:
        """Keep that `viewer` (a PatNum) sees the topics `wanted` of a patient and no others; return what is different.

        `seen` is what was open when the person at the window looked. Raises `PermissionMissing`, and `AccessAsItWas`
        for somebody who sees nothing of the patient anyway and for what has changed meanwhile.
        """
        need_setup(who)
        onlooker = await self._find(number, viewer)
        if set(onlooker.open) != set(seen):
            raise AccessAsItWas(why="Who sees what was changed meanwhile, perhaps by the patient in the portal.")
        changed = {one.topic: not one.open for one in onlooker.topics if one.open is not (one.topic in wanted)}
        if changed:
            await self._database.run(self._trace, who, number, viewer, changed, within=WITHIN)
            now = self._clock.now()
            await self._state.run(lambda state: consent.say(state, number, viewer, changed, now, by=who.name))
        return changed

    async def forget(self, who: Who, number: int, viewer: int) -> int:
        """Drop every word of a patient about `viewer`, so that the practice's rules hold; return how many topics.

        Raises as `record` does.
        """
        need_setup(who)
        onlooker = await self._find(number, viewer)
        if not onlooker.decided:
            return 0
        text = f"the patient's words about patient {viewer} removed; the practice's rules hold."
        await self._database.run(self.note, who, number, text, within=WITHIN)
        return await self._state.run(consent.forget, number, viewer)

    async def _find(self, number: int, viewer: int) -> Onlooker:
        found, _ = await self.look(number)
        for one in found:
            if one.number == viewer:
                return one
        raise AccessAsItWas(why="This person sees nothing of the patient's record.")

    def _shown(self, state: Any, me: Relative, others: list[Relative]) -> tuple[list[Onlooker], bool]:
        today = self.today()
        words = {(word.viewer, word.topic): word for word in consent.given_by(state, me.number)}
        shown = [_onlooker(me, one, consent.privacy(state, one.number, today), words) for one in others]
        return shown, is_of_age(me, consent.privacy(state, me.number, today))

    def _trace(self, connection: Any, who: Who, number: int, viewer: int, changed: dict[str, bool]) -> None:
        for allowed, word in ((False, "closed to"), (True, "opened to")):
            topics = ", ".join(topic for topic, now in changed.items() if now is allowed)
            if topics:
                text = f"recorded for the patient, {word} patient {viewer}: {topics}."
                self.note(connection, who, number, text)


def _onlooker(me: Relative, one: Relative, privacy: Privacy, words: Mapping[tuple[int, str], Word]) -> Onlooker:
    seen = topics_of(me, privacy, oneself=False)
    shown = [topic for topic in TOPICS if topic in privacy.rules.on]
    topics = [_seen(topic, words.get((one.number, topic)), is_open=topic in seen) for topic in shown]
    return Onlooker(one.number, one.name, one.relation, topics)


def _seen(topic: str, word: Word | None, *, is_open: bool) -> Seen:
    return Seen(topic, is_open, word.at, word.by) if word else Seen(topic, is_open)


def _family(connection: Any, number: int) -> tuple[Relative, list[Relative]]:
    """Return the patient and who sees them by Open Dental's family."""
    found = chart_of(connection, number)
    shared = preferences.read_many(connection, (), **family.SHARED)["FamPhiAccess"] == "1"
    return family.visible(connection, found.number, shared=False)[0], family.onlookers(
        connection, found.number, shared=shared
    )
