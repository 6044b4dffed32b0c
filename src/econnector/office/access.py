"""Access to the patient portal, as the office gives it: find, see what is missing, give, reset, remove, unlock, print.

The window and the commands do the same through `Access`. A password is seen once, in what `give` and `reset` return;
only its hash is kept.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from econnector.base.errors import AccessAsItWas, PatientIncomplete, PortalAddressMissing
from econnector.documents.accesssheet import Sheet
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, chart_of, need_setup
from econnector.opendental import logins, passwords, patients, portalaccess, practice, preferences
from econnector.opendental.family import age_on
from econnector.opendental.logins import Login
from econnector.opendental.patients import Patient
from econnector.opendental.portalaccess import Given
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import portal_policy, portal_tries, portalrules, throttle
from econnector.storage.state.portal_policy import TwoStep
from econnector.storage.state.portal_tries import Try
from econnector.storage.state.portalrules import Rules

__all__ = [
    "MOST_AT_ONCE",
    "MOST_DAYS",
    "Access",
    "Found",
    "Given",
    "Result",
    "Rules",
    "Standing",
    "Try",
    "Wanted",
    "change_rules",
    "tried",
]

MOST_AT_ONCE: Final = 200
"""Patients that one bulk run gives access."""
MOST_DAYS: Final = 90
_MANY_WITHIN = 60.0


class Standing(msgspec.Struct, frozen=True):
    """A patient, as far as the portal is concerned."""

    patient: Patient
    access: str
    """`none`, `given` (never signed in), `used`, `removed`, `several` (sign-ins with access: the chart must decide)."""
    user_name: str
    last_sign_in: dt.datetime | None
    missing: tuple[str, ...]
    """What Open Dental asks for before access is given."""
    age: int
    """In whole years, -1 where it is not known."""
    failures: int = 0
    """Wrong passwords in a row."""
    locked_seconds: int = 0
    """How long further tries are slowed down; 0 when they are not."""

    @property
    def has_access(self) -> bool:
        """Whether they may sign in."""
        return self.access in {"given", "used", "several"}


class Found(msgspec.Struct, frozen=True):
    """What a search found."""

    people: list[Standing]
    more: bool
    """Whether there are more than are shown."""


class Wanted(msgspec.Struct, frozen=True):
    """Who is meant by a bulk run: everybody with an appointment within so many days and without access."""

    days: int = 7
    youngest: int = 18
    """Only from this age on; children are seen by their account holder."""


class Result(msgspec.Struct, frozen=True):
    """What became of one patient in a bulk run."""

    patient: Patient
    given: Given | None
    why: str = ""
    """Why not."""


class Access(Hand):
    """One practice's sign-ins. Every method may raise the database's failures."""

    async def address(self) -> str:
        """Return where patients sign in, blank while the portal is not set up."""
        return (await self._database.run(portalaccess.settings, within=WITHIN)).url

    async def search(self, typed: str) -> Found:
        """Return who fits what was typed, see `patients.search`."""
        if not typed.strip():
            return Found([], more=False)
        found = await self._database.run(patients.search, typed.strip(), within=WITHIN)
        standing = await self._database.run(_standing, found[: patients.MOST], self.today(), within=WITHIN)
        return Found(standing, more=len(found) > patients.MOST)

    async def look(self, number: int) -> Standing:
        """Return how a patient (a PatNum) stands. Raises `AccessAsItWas` for one who can have no access."""
        standing, login = await self._database.run(_look, number, self.today(), within=WITHIN)
        if login is None:
            return standing
        accounts = _accounts(login)
        failures, seconds = 0, 0.0
        for account, secret in accounts:
            counted = await self._state.run(throttle.standing, account, secret, self._clock.now())
            failures, seconds = max(failures, counted[0]), max(seconds, counted[1])
        return msgspec.structs.replace(standing, failures=failures, locked_seconds=round(seconds))

    async def give(self, who: Who, number: int) -> Given:
        """Give access.

        Raises `PermissionMissing`, `PortalAddressMissing`, `PatientIncomplete`, `AccessAsItWas`.
        """
        need_setup(who)
        return await self._database.run(self._give, who, number, within=WITHIN)

    async def reset(self, who: Who, number: int) -> Given:
        """Give a new password; whoever is signed in with the old one is signed out at the next click.

        Raises `PermissionMissing`, `PortalAddressMissing`, `AccessAsItWas`.
        """
        need_setup(who)
        return await self._database.run(self._reset, who, number, within=WITHIN)

    async def remove(self, who: Who, number: int) -> bool:
        """Remove access; return whether there was any. Raises `PermissionMissing`."""
        need_setup(who)
        return await self._database.run(self._remove, who, number, within=WITHIN)

    async def unlock(self, who: Who, number: int) -> bool:
        """Forget the wrong passwords; return whether there were any.

        Raises `PermissionMissing`, and `AccessAsItWas` for who has no access.
        """
        need_setup(who)
        _, login = await self._database.run(_look, number, self.today(), within=WITHIN)
        if login is None:
            raise AccessAsItWas(why="This patient has no access.")
        cleared = 0
        for account, secret in _accounts(login):
            cleared += await self._state.run(throttle.clear, account, secret)
        if cleared:
            await self._database.run(self.note, who, number, "Online access unlocked after wrong passwords.")
        return cleared > 0

    async def preview(self, wanted: Wanted) -> list[Standing]:
        """Return whom a bulk run is about, and who of them lacks what. Nothing is written."""
        return await self._database.run(_preview, wanted, self.today(), within=_MANY_WITHIN)

    async def give_many(self, who: Who, numbers: list[int]) -> list[Result]:
        """Give each of these patients (PatNums) access; what cannot be done is said and does not stop the rest.

        Each is a change of its own: when this ends half-way, those who were given access have it, and the next preview
        leaves them out. Raises `PermissionMissing` and `PortalAddressMissing` before anything is written.
        """
        need_setup(who)
        if not await self.address():
            raise PortalAddressMissing
        charts = await self._database.run(patients.by_numbers, numbers[:MOST_AT_ONCE], within=WITHIN)
        results = []
        for chart in charts:
            try:
                results.append(Result(chart, await self.give(who, chart.number)))
            except (PatientIncomplete, AccessAsItWas) as refused:
                results.append(Result(chart, None, refused.office_text()))
        return results

    async def sheets(self, given: list[tuple[int, str, str]]) -> list[Sheet]:
        """Return the sheets for sign-ins that were just given: PatNum, user name, password."""
        return await self._database.run(_sheets, given, self.today(), within=WITHIN)

    def _give(self, connection: Any, who: Who, number: int) -> Given:
        schema = self._schemas(connection)
        given = portalaccess.give(connection, schema, chart_of(connection, number))
        self.note(connection, who, number, "Online access given: user name and a password for one sign-in.")
        return given

    def _reset(self, connection: Any, who: Who, number: int) -> Given:
        given = portalaccess.new_password(connection, self._schemas(connection), chart_of(connection, number).number)
        self.note(connection, who, number, "New password for online access given.")
        return given

    def _remove(self, connection: Any, who: Who, number: int) -> bool:
        if not any(login.has_access for login in logins.of_patient(connection, number)):
            return False
        self.note(connection, who, number, "Online access removed.")
        return portalaccess.remove(connection, self._schemas(connection), number) > 0


def _look(connection: Any, number: int, today: dt.date) -> tuple[Standing, Login | None]:
    (standing,) = _standing(connection, [chart_of(connection, number)], today)
    usable = [login for login in logins.of_patient(connection, number) if login.has_access]
    return standing, usable[0] if len(usable) == 1 else None


def _standing(connection: Any, charts: list[Patient], today: dt.date) -> list[Standing]:
    rows = logins.of_patients(connection, [chart.number for chart in charts])
    american = portalaccess.settings(connection).american
    return [_one(chart, rows[chart.number], today, american=american) for chart in charts]


def _one(chart: Patient, rows: list[Login], today: dt.date, *, american: bool) -> Standing:
    usable = [login for login in rows if login.has_access]
    shown = next(iter(usable or rows), None)
    used = shown is not None and shown.last_login is not None
    if usable:
        access = "several" if len(usable) > 1 else "used" if used else "given"
    else:
        access = "removed" if used else "none"
    return Standing(
        patient=chart,
        access=access,
        user_name=shown.user_name if shown else "",
        last_sign_in=shown.last_login if shown else None,
        missing=tuple(portalaccess.missing(chart, american=american)),
        age=age_on(chart.birth_date, today),
    )


def _preview(connection: Any, wanted: Wanted, today: dt.date) -> list[Standing]:
    soon = patients.coming(connection, wanted.days, MOST_AT_ONCE * 5)
    charts = patients.by_numbers(connection, soon)
    standing = _standing(connection, charts, today)
    # An age that is not known is shown as missing, not left out without a word.
    return [one for one in standing if not one.has_access and not 0 <= one.age < wanted.youngest][:MOST_AT_ONCE]


def _accounts(login: Login) -> list[tuple[str, str]]:
    """Return what wrong tries of this sign-in are counted under: at the door, at the second step, at a change."""
    secret = passwords.fingerprint(login.stored)
    return [(f"{where}:{login.number}", secret) for where in ("login", "step", "change")]


def _sheets(connection: Any, given: list[tuple[int, str, str]], today: dt.date) -> list[Sheet]:
    charts = {chart.number: chart for chart in patients.by_numbers(connection, [number for number, _, _ in given])}
    entry = practice.practice(preferences.read_many(connection, practice.SETTINGS))
    url = portalaccess.settings(connection).url
    return [
        Sheet(
            practice=entry.title,
            phone=entry.phone,
            patient=f"{chart.first_name} {chart.last_name}".strip(),
            date=today,
            url=url,
            user_name=user_name,
            password=password,
        )
        for number, user_name, password in given
        if (chart := charts.get(number)) is not None
    ]


async def change_rules(  # noqa: PLR0913, PLR0917 - what a change needs
    database: Database,
    state: Database,
    schemas: Schemas,
    machine: str,
    who: Who,
    rules: Rules,
    two_step: TwoStep | None = None,
) -> bool:
    """Keep the practice's rules for its portal, and for its second step if they are given; return whether any changed.

    The trace comes first: a change that holds always has one. Raises `PermissionMissing`, and `ValueError` for what is
    out of bounds.
    """
    need_setup(who)
    before, policy = await state.run(lambda file: (portalrules.read(file), portal_policy.two_step(file)))
    wanted = two_step or policy
    said = _differences(before, rules) + ([f"two-step sign-in: {policy} → {wanted}"] if wanted != policy else [])
    if not said:
        return False
    hand = Hand(database, state, schemas, machine)
    await database.run(hand.note, who, 0, f"settings changed. {'; '.join(said)}", within=WITHIN)

    def keep(file: Any) -> None:
        portalrules.write(file, rules)
        portal_policy.set_two_step(file, wanted)

    await state.run(keep)
    return True


def _differences(before: Rules, after: Rules) -> list[str]:
    names = {
        "idle_minutes": "minutes without use",
        "overall_hours": "hours of a session",
        "full_age": "full age",
        "off": "pages off",
        "private": "closed to families of persons of full age",
    }
    found = []
    for field, name in names.items():
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            shown = [", ".join(sorted(one)) or "none" if isinstance(one, frozenset) else str(one) for one in (was, now)]
            found.append(f"{name}: {shown[0]} → {shown[1]}")
    return found


async def tried(  # noqa: PLR0913 - what a list is narrowed by
    database: Database, state: Database, since: dt.datetime, most: int, *, outcomes: Iterable[str] = (), find: str = ""
) -> tuple[list[Try], dict[int, str]]:
    """Return tries to sign in since then, newest first, and the names of the patients among them by PatNum.

    `find` is a user name, an address, a reference or the name of a patient.
    """
    rows = await state.run(
        lambda connection: portal_tries.listed(connection, since, most, outcomes=outcomes, find=find)
    )
    if find:
        named = await database.run(patients.search, find, within=WITHIN)
        numbers = [one.number for one in named]
        theirs = await state.run(
            lambda connection: portal_tries.listed(connection, since, most, outcomes=outcomes, patients=numbers)
        )
        rows = sorted({*rows, *theirs}, key=lambda row: row.last, reverse=True)[:most]
    people = sorted({row.patient for row in rows if row.patient})
    charts = await database.run(patients.by_numbers, people, within=WITHIN)
    return rows, {chart.number: chart.name for chart in charts}
