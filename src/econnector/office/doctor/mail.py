"""Checks of the mail accounts: connect, encrypt and log in as for a mail, and send nothing."""

import asyncio

from econnector.base.errors import Failure, OfficeFailure, SenderMissing
from econnector.mail.aside import aside
from econnector.mail.smtp import probe
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.mail.accounts import Accounts, account_of
from econnector.office.mail.queue import Queue, read_queue
from econnector.office.mail.trial import Tried, log_in
from econnector.office.running import local
from econnector.opendental import preflight
from econnector.opendental.emailaddresses import MailAddress
from econnector.opendental.schema import Schemas

__all__ = ["CHECKS"]

_SECONDS = 10.0
_MOST_ACCOUNTS = 20


async def _mail(scene: Scene) -> Finding:
    queue = await _queue(scene)
    try:
        tried = await log_in(Accounts(scene.database(), Schemas(), scene.loaded.value.mail.ca), seconds=_SECONDS)
    except OfficeFailure:
        raise NotNowError("the database cannot be asked, and the account stands there (see database)") from None
    except SenderMissing as failure:
        if failure.facts.get("account") == "the practice" and not queue.counts.get("waiting"):
            return ok("no e-mail account is chosen in Open Dental; nothing has to be sent so far")
        return from_failure(failure)
    except Failure as failure:
        return from_failure(failure)
    return _judge(tried, queue)


async def _queue(scene: Scene) -> Queue:
    try:
        return await read_queue(scene.state(), limit=1)
    except (NotNowError, Failure):  # it never ran here, or another check says what is wrong with the file
        return Queue(paused="", counts={}, transport="", accounts=[], mails=[])


def _judge(tried: Tried, queue: Queue) -> Finding:
    said = f"the account {tried.account} can be used: {tried.how}; mails come from {tried.sender}"
    counts = queue.counts
    details = [f"waiting {counts.get('waiting', 0)}, failed {counts.get('failed', 0)}, sent {counts.get('sent', 0)}"]
    if queue.paused:
        since = local(queue.paused)
        remedy = ["Let it go on: `econnector office mail resume`, or the page Mail of the window."]
        return attention(f"sending is paused since {since}; {said}", remedy, *details)
    return ok(said, *details)


async def _accounts(scene: Scene) -> Finding:
    """Look at every account that clinics and notices use; the practice's own is the check before."""
    schemas = Schemas()
    uses = await scene.ask(lambda connection: preflight.mail_uses(connection, schemas(connection)))
    if not uses:
        return ok("no e-mail account is chosen in Open Dental; nothing has to be sent so far")
    if len(uses) == 1:
        return ok(f"everything is sent through one account, {uses[0].account.name} (see mail)")
    found = await asyncio.gather(*(_tried(scene, use.account) for use in uses[:_MOST_ACCOUNTS]))
    failed = [(use, failure) for use, failure in zip(uses, found, strict=False) if failure is not None]
    lines = [
        f"{use.account.name}, used for {', '.join(use.uses[:5])}: {failure.office_text()}" for use, failure in failed
    ]
    if failed:
        finding = from_failure(failed[0][1], *lines)
        finding.text = f"{len(failed)} of {len(uses)} mail accounts cannot be used; {finding.text}"
        return finding
    return ok(
        f"{len(found)} mail accounts can be used", *(f"{use.account.name}: {', '.join(use.uses[:5])}" for use in uses)
    )


async def _tried(scene: Scene, address: MailAddress) -> Failure | None:
    try:
        account = account_of(address, scene.loaded.value.mail.ca)
        await aside(probe, account, _SECONDS)
    except Failure as failure:
        return failure
    return None


CHECKS = (
    Check("mail", "mail", "Mail can be sent: the account's server lets us in, encrypted as set up.", 14, _mail),
    Check("mail-accounts", "mail", "Every mail account of clinics and notices can be used.", 14, _accounts),
)
