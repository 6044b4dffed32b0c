"""Check of taking cards: for each clinic the settings, the way to the processor, and that it takes the credentials."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from econnector.base.errors import Failure, PaymentsOff
from econnector.eservices.portal.office.merchant import Merchant, Terms, account
from econnector.office.doctor.check import Check, Finding, from_failure, ok
from econnector.office.doctor.scene import Scene
from econnector.office.payments import payment_terms
from econnector.opendental import paymentsetup

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["CHECKS"]

_SECONDS = 8.0
_NAMES = {"edgeexpress": "EdgeExpress", "xweb": "XWeb", "stripe": "Stripe"}


class _Tried(NamedTuple):
    """One clinic's account, and what was found."""

    clinic: int
    words: str
    failure: Failure | None


async def _payments(scene: Scene) -> Finding:
    terms = payment_terms(scene.loaded, _SECONDS)
    found = await scene.ask(_accounts, terms)
    off = {clinic: failure for clinic, failure in found.items() if isinstance(failure, PaymentsOff)}
    tried = await asyncio.gather(*(_try(clinic, each) for clinic, each in found.items() if clinic not in off))
    details = [f"{each.words}: {_said(each.failure)}" for each in tried]
    details += [f"not in use: {failure.facts['why']}" for failure in off.values()]
    wrong = next((each.failure for each in tried if each.failure is not None), None)
    if wrong is not None:
        return from_failure(wrong, *details)
    if not tried:
        return ok("payments are not used: no card is taken in the portal", *details)
    sandbox = " (the sandbox: no real money moves)" if terms.sandbox else ""
    return ok(f"cards can be paid with in the portal{sandbox}", *details)


def _accounts(connection: "Connection", terms: Terms) -> dict[int, Merchant | Failure]:
    """Return each clinic's account, or why it has none. A clinic without properties of its own is not asked again."""
    clinics = [0] if terms.processor == "stripe" else paymentsetup.every(connection)
    return {clinic: _account(connection, clinic, terms) for clinic in clinics}


def _account(connection: "Connection", clinic: int, terms: Terms) -> Merchant | Failure:
    try:
        return account(connection, clinic, terms)
    except Failure as failure:
        return failure


async def _try(clinic: int, found: "Merchant | Failure") -> _Tried:
    if isinstance(found, Failure):
        return _Tried(clinic, found.facts.get("clinic", "the practice"), found)
    words = f"{_NAMES[found.gateway.name]} for {found.setup.clinic_words}"
    try:
        await found.gateway.check()
    except Failure as failure:
        return _Tried(clinic, words, failure)
    return _Tried(clinic, words, None)


def _said(failure: Failure | None) -> str:
    return "takes the credentials" if failure is None else failure.code


CHECKS = (
    Check("payments", "payments", "The card processor is reached and takes each clinic's credentials.", 14, _payments),
)
