"""The page of contacts: who gets a mail when the office is unreachable."""

from starlette.responses import Response

from econnector.base.errors import ValueRejected
from econnector.mail.contacts import LANGUAGES, MOST_CONTACTS, checked
from econnector.office import contacts
from econnector.office.announce import HQ_TELLS
from econnector.office.window.frame import Page, Section, Visitor
from econnector.storage.state import meta

__all__ = ["PAGES", "SECTION"]


async def show(visitor: Visitor) -> Response:
    """Show all contacts and the form for one more."""
    found = await contacts.every(visitor.scene.state)
    shown = {"contacts": found, "languages": LANGUAGES, "most": MOST_CONTACTS}
    shown["hq_tells"] = bool(await visitor.scene.state.run(meta.read, HQ_TELLS))
    return visitor.page("window/contacts.html", 422 if visitor.form.mistakes else 200, **shown)


async def add(visitor: Visitor) -> Response:
    """Add a contact, or change the one with the same address."""
    form = visitor.form
    try:
        language = "es" if form.get("spanish") else "en"
        made = checked(form.get("name"), form.get("address"), language, form.get("purpose"))
        new = await contacts.add(visitor.scene.state, made)
    except ValueRejected as rejected:
        form.wrong(rejected.facts["field"], rejected.facts["why"])
        return await show(visitor)
    done = "is told from now on." if new else "was a contact already; what is known of them is changed."
    return visitor.go("/contacts", f"{made.name} {done}")


async def remove(visitor: Visitor) -> Response:
    """Remove a contact; one that somebody else has just removed is gone as well."""
    address = visitor.form.get("address")
    try:
        await contacts.remove(visitor.scene.state, address)
    except ValueRejected:
        return visitor.go("/contacts", "That contact was removed already.", "info")
    return visitor.go("/contacts", f"{address} gets no more mails.")


SECTION = Section("Contacts", "/contacts", "person")
PAGES = (
    Page("/contacts", show),
    Page("/contacts/add", add, method="POST", needs="setup"),
    Page("/contacts/remove", remove, method="POST", needs="setup"),
)
