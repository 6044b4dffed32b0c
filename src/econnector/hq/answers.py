"""What HQ answers to a connector that it has let in."""

from collections.abc import Callable, Sequence

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, OwnedElsewhere, ReportsTooOften
from econnector.base.version import version
from econnector.hq.gate import Admitted
from econnector.hq.pace import Pace
from econnector.hq.registry import contacts
from econnector.hq.registry.database import Registry
from econnector.hq.registry.grouped import Grouped
from econnector.hq.registry.heartbeats import save_all, save_one
from econnector.link.accept import Admission
from econnector.link.calls import (
    CODE_OFFERS,
    ECHO,
    HEARTBEAT,
    CodeOffer,
    CodeOffers,
    CodeOffersWanted,
    Echo,
    Heard,
    Heartbeat,
    OfficeContact,
)
from econnector.wire.call import Answers, Asked

__all__ = ["answers_for"]

_UNHURRIED = 0.05
"""Seconds between two turns of heartbeats: those of ten thousand offices then cost a fifth of what each would alone."""


def answers_for(
    registry: Registry, clock: Clock = SYSTEM, *, announces: bool = False, codes: Sequence[CodeOffer] = ()
) -> Callable[[Admission], Answers]:
    """Return what gives each admitted office its answers.

    `announces` says whether HQ mails their contacts, `codes` are the versions of code systems that it offers.
    """
    heartbeats = Grouped(registry, save_all, save_one, clock, every=_UNHURRIED)
    named = Grouped(registry, contacts.told_all, contacts.told_one, clock, every=_UNHURRIED)
    paces: dict[str, Pace] = {}  # as many as there are offices

    def build(admission: Admission) -> Answers:
        answers = Answers()
        pace = paces.setdefault(admission.office, Pace(clock))
        kept: list[OfficeContact] | None = None

        @answers.to(HEARTBEAT)
        async def heartbeat(asked: Asked, said: Heartbeat) -> Heard:
            if not isinstance(admission, Admitted):
                raise OwnedElsewhere(reference=asked.reference, machine="?", since="?", here=said.machine)
            if not pace.allows():
                raise ReportsTooOften(reference=asked.reference, office=admission.office)
            heard = await heartbeats.run((admission.place, said))
            if isinstance(heard, Failure):
                raise heard
            nonlocal kept
            if said.contacts is not None and said.contacts != kept:
                await named.run((admission.place.office, said.contacts))
                kept = said.contacts
            standing, others = heard
            return Heard(version(), clock.now().isoformat(timespec="milliseconds"), standing, others, announces)

        @answers.to(CODE_OFFERS)
        async def code_offers(_: Asked, __: CodeOffersWanted) -> CodeOffers:
            return CodeOffers(list(codes))

        @answers.to(ECHO)
        async def echo(_: Asked, sent: Echo) -> Echo:
            return sent

        return answers

    return build
