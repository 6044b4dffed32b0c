"""The office's answers to the portal's calls: Open Dental in, contract out, and who is allowed.

- `desk.py`       what every answer needs, and refusals that all take the same time
- `admission.py`  who is asking and whom they may see, anew for every call
- `signing.py`    signing in and out
- `stepping.py`   the second step: `codes.py`, `passkeys.py`
- `forgotten.py`  a new password by mail; `letters.py` has the letters
- `invited.py`    the first sign-in by the office's invite; `invitation.py` has its letter
- `security.py`   setting up the second step; where one is signed in
- `changing.py`   changing user name and password
- `around.py`     what every page's answer has around its subject
- `home.py`, `appointments.py`, `account.py`, `statements.py`, `documents.py`, `health.py`, `looked.py`  one each
- `cashier/`      paying online
- `sharing.py`    care summaries sent to others: `sharing_send.py`, `sharing_open.py`
- `summary.py`    the care summary: shown (`summarysections.py`), as files, and who used it (`summaryhistory.py`)
- `workshop.py`   where documents are made: beside the event loop, few at once
- `archive.py`    all statements in one zip
- `opening.py`    one filed document, opened
- `paging.py`     pages of long lists
- `messages.py`, `writing.py`  web mail: what is there, and what patients write
- `merchant.py`   the office's account at a card processor
- `preview.py`  the portal as the office sees it for a patient: everything shown, nothing changed
- `privacy.py`    who of the family sees one's record, and one's word about it
- `telling.py`    what the office hears of a failure that the patient reads in other words
- `tries.py`      what the access log keeps of each try to sign in
- `journal.py`    the traces in Open Dental's audit trail
"""

from typing import TYPE_CHECKING

from econnector.base.clock import SYSTEM, Clock
from econnector.eservices.portal.office import (
    account,
    appointments,
    archive,
    cashier,
    changing,
    documents,
    forgotten,
    health,
    home,
    invited,
    looked,
    messages,
    privacy,
    security,
    sharing,
    signing,
    statements,
    stepping,
    summary,
    summaryhistory,
)
from econnector.eservices.portal.office.cashier import Cashier
from econnector.eservices.portal.office.desk import Desk, SchemaOf
from econnector.eservices.portal.office.post import Post
from econnector.eservices.portal.office.preview import PreviewDesk, only_looking
from econnector.opendental.imagestore import ImageStore
from econnector.storage.database import Database
from econnector.storage.state import (
    confirmations,
    half_sign_ins,
    payments,
    portal_invites,
    portal_tries,
    reset_codes,
    sessions,
    summary_shares,
    throttle,
)
from econnector.storage.state import messages as drafts
from econnector.storage.state.sealing import Seal
from econnector.wire.call import Answers

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["portal_answers", "preview_answers", "sweep"]

SUBJECTS = (
    signing,
    stepping,
    forgotten,
    invited,
    security,
    changing,
    home,
    appointments,
    account,
    cashier,
    statements,
    archive,
    documents,
    looked,
    health,
    summary,
    summaryhistory,
    sharing,
    messages,
    privacy,
)
"""Each module's `answer(desk, answers)` registers its answers."""
_SWEPT = (
    *(sessions, throttle, reset_codes, half_sign_ins, confirmations, drafts, portal_tries),
    *(portal_invites, summary_shares, payments),
)


def portal_answers(  # noqa: PLR0913 - what an office consists of
    database: Database,
    state: Database,
    schema_of: SchemaOf,
    images: ImageStore,
    clock: Clock = SYSTEM,
    *,
    beat: float = 0.25,
    post: Post | None = None,
    seal: Seal | None = None,
    cashier: Cashier | None = None,
) -> Answers:
    """Return the answers to every call of `calls.py`.

    `schema_of(connection)` gives the practice's schema of now, or raises `VersionsDiffer` or `UpdateRunning`. `beat`
    is the grid, in seconds, on which refused sign-ins leave. `post` takes the mail that answers send (None: there is
    none), `seal` what the state file must not hold in the clear, `cashier` payments.
    """
    return _answers(Desk(database, state, schema_of, images, clock, beat=beat, post=post, seal=seal, cashier=cashier))


def preview_answers(  # noqa: PLR0913 - what an office consists of
    database: Database,
    state: Database,
    schema_of: SchemaOf,
    images: ImageStore,
    clock: Clock = SYSTEM,
    *,
    cashier: Cashier | None = None,
) -> Answers:
    """Return the answers to somebody of the office who looks at the portal as a patient, see `preview`."""
    return only_looking(_answers(PreviewDesk(database, state, schema_of, images, clock, beat=0.0, cashier=cashier)))


def _answers(desk: Desk) -> Answers:
    answers = Answers()
    for subject in SUBJECTS:
        subject.answer(desk, answers)
    return answers


async def sweep(state: Database, clock: Clock = SYSTEM) -> int:
    """Delete what no longer matters of sessions, counts and codes; return how many rows. To be called every hour."""

    def all_of_them(connection: "Connection") -> int:
        return sum(store.sweep(connection, clock.now()) for store in _SWEPT)

    return await state.run(all_of_them)
