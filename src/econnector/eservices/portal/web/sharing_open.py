"""What somebody was sent: the mail's link with the code that the sender told, then the download. Nobody is signed in.

Opening the mail's link uses nothing up: mail scanners do that before people. The link's token comes from behind its `#`
or is typed, and is posted like the code: neither stands in an address that is sent. Who has shown both holds a ticket
for a while, which is posted, too.
"""

import re
import secrets
from typing import Final

from starlette.responses import Response

from econnector.base.errors import Failure, FormExpired
from econnector.eservices.portal.calls import (
    OPEN_SHARE,
    PRACTICE,
    SHARED_FILE,
    Nothing,
    OpenedShare,
    OpenShare,
    SharedFile,
)
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.download import FileAnswer, FileFacts
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_PATH: Final = "/shared"
_LONGEST_CODE: Final = 100
_LONGEST_TICKET: Final = 500
_TOKEN: Final = re.compile(r"[0-9a-fA-F]{32}")
_TROUBLE: Final = 500


async def _ask(visit: PortalVisit) -> Response:
    """Ask for the code."""
    visit.know(await visit.ask(PRACTICE, Nothing()))
    return _show(visit, Form())


async def _open(visit: PortalVisit) -> Response:
    """Show what there is to download, to who has link and code."""
    form = await read_form(visit.request)
    if not _is_ours(visit, form):
        return _refused(visit, form, FormExpired(reference=visit.reference))
    for field, missing in (("link", "shared.link-missing"), ("code", "shared.code-missing")):
        if not form.get(field).strip():
            form.wrong(field, visit.say(missing))
    if form.mistakes:
        return _show(visit, form)
    link, code = form.get("link")[:_LONGEST_CODE], form.get("code")[:_LONGEST_CODE]
    try:
        opened = await visit.ask(OPEN_SHARE, OpenShare(link, code, visit.address, visit.agent))
    except Failure as failure:
        return _refused(visit, form, failure)
    return _show(visit, Form({"ticket": opened.ticket}), opened=opened)


async def _file(visit: PortalVisit) -> Response:
    """Save the files."""
    form = await read_form(visit.request)
    if not _is_ours(visit, form):
        return _refused(visit, Form(), FormExpired(reference=visit.reference))
    params = SharedFile(
        form.get("ticket")[:_LONGEST_TICKET],
        "pdf" if form.get("kind") == "pdf" else "zip",
        visit.address,
        visit.agent,
    )
    try:
        source = await visit.download(SHARED_FILE, params)
    except Failure as failure:
        if failure.http >= _TROUBLE:  # the same form may be answered later, see `returning`
            raise
        return _refused(visit, Form(), failure)
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=False)


def _is_ours(visit: PortalVisit, form: Form) -> bool:
    return visit.sent_by_us(form, visit.site.before.read(visit.request, visit.door.office))


def _refused(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    """Show the first page again."""
    return _show(visit, form, view(failure, visit))


def _show(
    visit: PortalVisit, form: Form, failed: FailureView | None = None, *, opened: OpenedShare | None = None
) -> Response:
    office, before = visit.door.office, visit.site.before
    secret = before.read(visit.request, office) or secrets.token_urlsafe(24)
    status = failed.status if failed else 422 if form.mistakes else 200
    response = visit.page(
        "portal/shared-open.html" if opened else "portal/shared.html",
        status,
        form=form.without("code"),
        form_token=visit.form_token(secret),
        linked=bool(_TOKEN.fullmatch(form.get("link").strip())),
        opened=opened,
        failed=failed,
    )
    response.headers["x-robots-tag"] = "noindex, nofollow"
    before.keep(response, office, secret)
    return response


PAGES = ((_PATH, _ask, "GET"), (_PATH, _open, "POST"), (f"{_PATH}/file", _file, "POST"))
