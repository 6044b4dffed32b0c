"""A patient says: I am coming. How the office learns of it, without a change to the appointment.

`appointment.Confirmed` is under the seal that only Open Dental can make (`SecurityHash`, since 21.4): a confirmation
that we wrote would show the visit as changed by a stranger. So we tell the front desk, on every version alike, in the
two places that it looks at:

- an **alert** (`alertitem`) of the type that Open Dental has for a patient's answer to a reminder (4): it opens the
  appointment with one click, goes to every workstation, is in both of the built-in alert categories, and Open Dental
  clears it by itself when the appointment's status changes;
- a **commlog** row, received, from eServices: what stays in the patient's chart.

A `confirmationrequest` row would be read by nobody but the service that makes them, and its columns changed in 22.2;
web mail goes to a provider and counts as a secure message. Each of the two is written once, however often it is asked.
"""

from sqlalchemy import Connection, bindparam, select

from econnector.opendental import cachesignals, times, writes
from econnector.opendental.appointments import Appointment
from econnector.opendental.schema import Schema
from econnector.opendental.tables import alertitem, commlog, definition

__all__ = ["ANSWERED", "tell_office"]

ANSWERED = 4
"""AlertType CallbackRequested."""
_APPOINTMENT_FORM = 5
_MARK_AS_READ, _OPEN_FORM, _DELETE = 1, 2, 4
_NORMAL = 0
_KINDS, _ABOUT_APPOINTMENTS = 27, "APPT"
"""The category of commlog types, and the mark of the one about appointments."""
_RECEIVED, _ESERVICES = 2, 4

_KIND = (
    select(definition.c.DefNum)
    .where(definition.c.Category == _KINDS, definition.c.ItemValue == _ABOUT_APPOINTMENTS, definition.c.IsHidden == 0)
    .order_by(definition.c.ItemOrder)
    .limit(1)
)
_LOGGED = select(commlog.c.CommlogNum).where(
    commlog.c.PatNum == bindparam("patient"), commlog.c.Note == bindparam("note")
)
_ALERTED = select(alertitem.c.AlertItemNum).where(
    alertitem.c.Type == ANSWERED,
    alertitem.c.FKey == bindparam("appointment"),
    alertitem.c.Description == bindparam("words"),
)


def tell_office(connection: Connection, schema: Schema, found: Appointment, name: str, by: str = "") -> None:
    """Tell the office that the patient `name` is coming; `by` is who says so if somebody else does.

    What is there already is not written again: a call that was cut off may be asked once more.
    """
    who = f"{name} (through {by})" if by else name
    when = f"{found.at:%a %d %b %Y} at {found.at:%H:%M}"
    words = f"{who} confirmed the visit of {when} in the patient portal. Set it to confirmed; no call is needed."
    if not connection.execute(_LOGGED, {"patient": found.patient, "note": _note(who, when)}).first():
        _log(connection, schema, found, _note(who, when))
    if not connection.execute(_ALERTED, {"appointment": found.number, "words": words}).first():
        _alert(connection, schema, found, words)
        cachesignals.tell(connection, schema, cachesignals.Kind.ALERTS)


def _note(who: str, when: str) -> str:
    return f"Patient portal: {who} confirmed the visit of {when}."


def _log(connection: Connection, schema: Schema, found: Appointment, note: str) -> None:
    now = times.now(connection)
    values = {
        "PatNum": found.patient,
        "CommDateTime": now,
        "DateTEntry": now,
        "CommType": connection.scalar(_KIND) or 0,
        "Note": note,
        "Mode_": 0,
        "SentOrReceived": _RECEIVED,
        "CommSource": _ESERVICES,
        "UserNum": 0,
        "Signature": "",
        "DateTimeEnd": None,
    }
    writes.insert(connection, schema, commlog, values)


def _alert(connection: Connection, schema: Schema, found: Appointment, words: str) -> None:
    values = {
        "ClinicNum": found.clinic,
        "Description": words[:2000],
        "Type": ANSWERED,
        "Severity": _NORMAL,
        "Actions": _MARK_AS_READ | _OPEN_FORM | _DELETE,
        "FormToOpen": _APPOINTMENT_FORM,
        "FKey": found.number,
        "ItemValue": "",
        "UserNum": 0,
        "SecDateTEntry": times.now(connection),
    }
    writes.insert(connection, schema, alertitem, values)
