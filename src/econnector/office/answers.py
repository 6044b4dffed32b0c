"""Everything this office answers: one line per eService."""

from collections.abc import Callable
from typing import Any

import msgspec

from econnector.base.clock import Clock
from econnector.eservices.api import office as api
from econnector.eservices.portal import office as portal
from econnector.eservices.portal.office.cashier import Cashier
from econnector.eservices.portal.office.post import Post
from econnector.link.calls import ECHO, Echo
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.sealing import Seal
from econnector.wire.call import Answer, Answers, Asked

__all__ = ["office_answers", "sweep"]


def office_answers(  # noqa: PLR0913 - everything that eServices stand on
    database: Database,
    state: Database,
    schemas: Schemas,
    images: ImageStore,
    clock: Clock,
    *,
    check: Callable[[], None],
    post: Post,
    seal: Seal,
    cashier: Cashier,
) -> Answers:
    """Return the office's answers to every call that HQ may ask.

    `check` raises the failure that stops all eServices now, if there is one. `post` takes the mail that they send,
    `seal` what they keep in the state file and nobody shall read there, `cashier` payments.
    """
    answers = Answers()

    @answers.to(ECHO)
    async def _echo(_: Asked, params: Echo) -> Echo:
        return params

    for eservice in (
        portal.portal_answers(database, state, schemas, images, clock, post=post, seal=seal, cashier=cashier),
        api.api_answers(database, state, schemas, images, clock),
    ):
        answers.include(_checked(eservice, check))
    return answers


def _checked(given: Answers, check: Callable[[], None]) -> Answers:
    checked = Answers()
    for call, function in given:
        register: Any = checked.streaming if call.streams else checked.to
        register(call)(_after(check, function))
    return checked


def _after(check: Callable[[], None], function: Answer) -> Answer:
    async def answer(asked: Asked, params: msgspec.Struct) -> Any:
        check()
        return await function(asked, params)

    return answer


async def sweep(state: Database, clock: Clock) -> int:
    """Let every eService delete what it need not keep; return how many rows went."""
    return await portal.sweep(state, clock)
