"""Check of the mail account: connect, encrypt and log in as for a mail, and send nothing."""

from econnector.base.errors import Failure, OfficeFailure, SenderMissing
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.queue import Queue, read_queue
from econnector.office.mail.trial import Tried, log_in
from econnector.office.running import local
from econnector.opendental.schema import Schemas

__all__ = ["CHECKS"]

_SECONDS = 10.0


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


CHECKS = (Check("mail", "mail", "Mail can be sent: the account's server lets us in, encrypted as set up.", 14, _mail),)
