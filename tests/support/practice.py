"""A small practice for tests: few people, every kind of bond between them, every form of password.

`fill` writes it into SQLite or into a copy of the real database; `PortalOffice` is an office that answers for it.
"""

import asyncio
import datetime as dt
import enum
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from sqlalchemy import Connection, Table, insert, select, update

from econnector.base.clock import ManualClock
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers
from econnector.opendental import preferences, tables, writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.passwords import make
from econnector.opendental.schema import Schema, Schemas, inspect
from econnector.opendental.tables import making
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.wire.call import Asked, Call, Streamed
from tests.support.mariadb import Kind, Version, practice_in, shared_server
from tests.support.once import once
from tests.support.practice_papers import fill_papers, write_pictures
from tests.support.practice_summary import fill_summary
from tests.support.practice_visits import fill_visits

__all__ = [
    "PASSWORD",
    "PDF",
    "STRONG",
    "Cast",
    "PortalOffice",
    "add",
    "fill",
    "portal_office",
    "portal_office_latest",
    "portal_office_sqlite",
]

T = TypeVar("T")
P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

PASSWORD = "Tooth4Fairy"
STRONG = "Violets grow 3 times faster"
OLD_MD5 = "e+PQW5ayNZJNya7q5ZMmjA=="
PDF = b"%PDF-1.7\n" + b"a statement, page by page\n" * 9000
HOME = "198.51.100.7"


class Cast(enum.IntEnum):
    """PatNums."""

    MARIA = 11
    """Account holder of the first family."""
    LUIS = 12
    ANA = 13
    BEN = 14
    """Of her family, archived."""
    STEFAN = 20
    OTTO = 21
    """Of Stefan's family; Maria is his guardian."""
    PAUL = 22
    """Of Stefan's family; Maria is related, but no guardian."""
    ROSA = 31
    """An account of her own; Maria is the responsible party."""
    GRETA = 41
    """Account holder of a family that Maria has nothing to do with."""
    HUGO = 42
    MERGED = 51
    """Merged into Maria's chart, status still 0, of her family."""
    DEAD = 52
    DELETED = 53
    ARCHIVED = 54
    PROSPECT = 55
    NON_PATIENT = 56
    INACTIVE = 57


STATUS = {
    Cast.BEN: 3,
    Cast.DEAD: 5,
    Cast.DELETED: 4,
    Cast.ARCHIVED: 3,
    Cast.PROSPECT: 6,
    Cast.NON_PATIENT: 1,
    Cast.INACTIVE: 2,
}
GUARANTOR = {
    Cast.LUIS: Cast.MARIA,
    Cast.ANA: Cast.MARIA,
    Cast.BEN: Cast.MARIA,
    Cast.MERGED: Cast.MARIA,
    Cast.OTTO: Cast.STEFAN,
    Cast.PAUL: Cast.STEFAN,
    Cast.HUGO: Cast.GRETA,
}
BALANCES = {Cast.MARIA: (182.35, 40.10), Cast.GRETA: (-12.5, 0.0), Cast.ROSA: (75.0, 0.0), Cast.STEFAN: (900.0, 0.0)}
STORED = {
    Cast.LUIS: OLD_MD5,
    Cast.GRETA: f"MD5$${OLD_MD5}",
    Cast.HUGO: make(PASSWORD).replace("SHA3_512$", "3$"),
    Cast.ANA: "None$$",
    Cast.ROSA: "",
    Cast.OTTO: PASSWORD,
}
STATEMENTS = 240
"""The image category with S in the real database."""
OTHER_CATEGORIES = {901: ("S", 1), 902: ("s", 0), 903: ("L", 0), 904: ("XSL", 0)}
DOCUMENTS: list[tuple[int, Cast, int, str]] = [
    (100, Cast.MARIA, STATEMENTS, "2025-11-03 09:30:00"),
    (101, Cast.MARIA, STATEMENTS, "2025-06-02 10:00:00"),
    (102, Cast.LUIS, STATEMENTS, "2025-08-01 10:00:00"),
    (103, Cast.ANA, 904, "2025-09-01 10:00:00"),
    (104, Cast.GRETA, STATEMENTS, "2025-10-01 10:00:00"),
    (105, Cast.OTTO, STATEMENTS, "2025-10-02 10:00:00"),
    (106, Cast.ROSA, STATEMENTS, "2025-10-03 10:00:00"),
    (107, Cast.MARIA, 903, "2025-12-01 10:00:00"),
    (108, Cast.MARIA, 901, "2025-12-01 10:00:00"),
    (109, Cast.MARIA, 902, "2025-12-01 10:00:00"),
    (110, Cast.MARIA, STATEMENTS, "2025-12-01 10:00:00"),  # in a slot of a mount
    (111, Cast.BEN, STATEMENTS, "2025-10-04 10:00:00"),
    (112, Cast.MARIA, STATEMENTS, "2025-11-04 10:00:00"),  # a receipt
    (113, Cast.HUGO, STATEMENTS, "2025-10-05 10:00:00"),
    (114, Cast.PAUL, STATEMENTS, "2025-10-05 10:00:00"),
    (115, Cast.STEFAN, STATEMENTS, "2025-10-05 10:00:00"),
    (116, Cast.MERGED, STATEMENTS, "2025-10-05 10:00:00"),
]
PREFERENCES = {
    "DataBaseVersion": "24.3.10.0",
    "ProgramVersion": "24.3.10.0",
    "PracticeTitle": "Bright Smile Dental",
    "PracticePhone": "5550100",
    "FamPhiAccess": "1",
    "AtoZfolderUsed": "1",
    "DocPath": "C:\\OpenDentImages\\",
    "DateLastAging": "2025-12-31",
    "BalancesDontSubtractIns": "0",
    "LanguageAndRegion": "en-US",
    "UpdateInProgressOnComputerName": "",
}


def user_name(person: Cast) -> str:
    """Return the user name that the office gave."""
    return f"{person.name.title()}{4000 + person}"


def add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert a row, every column that is not named being empty."""
    return writes.insert(connection, inspect(connection), table, values)


def fill(connection: Connection) -> None:
    """Write the practice; an empty SQLite file gets Open Dental's tables first."""
    new = connection.dialect.name == "sqlite"
    if new:
        making.create_all(connection, PREFERENCES["DataBaseVersion"])
        for name, value in PREFERENCES.items():
            connection.execute(insert(tables.preference).values(PrefName=name, ValueString=value))
    schema = inspect(connection)
    for name in ("PracticeTitle", "PracticePhone", "DateLastAging"):
        preferences.write(connection, schema, name, PREFERENCES[name])
    _people(connection, schema)
    _logins(connection, schema)
    _documents(connection, schema, new=new)
    _sent(connection, schema)
    _mail(connection, schema)
    fill_visits(connection, schema, new=new)
    fill_papers(connection, schema)
    fill_summary(connection, schema, provider=READER, of_others=UNLINKED)


def _people(connection: Connection, schema: Schema) -> None:
    for person in Cast:
        total, insurance = BALANCES.get(person, (0.0, 0.0))
        values = {
            "PatNum": person,
            "FName": person.name.title(),
            "LName": "Delgado" if GUARANTOR.get(person, person) == Cast.MARIA else "Stone",
            "PatStatus": STATUS.get(person, 0),
            "Guarantor": GUARANTOR.get(person, person),
            "ResponsParty": Cast.MARIA if person == Cast.ROSA else 0,
            "Birthdate": dt.date(2016, 5, 4) if person in (Cast.ANA, Cast.OTTO) else dt.date(1984, 1, 2),
            "BalTotal": total,
            "InsEst": insurance,
            "ImageFolder": f"{person.name.title()}{int(person)}",
        }
        writes.insert(connection, schema, tables.patient, values)
    for child, is_guardian in ((Cast.OTTO, 1), (Cast.PAUL, 0)):
        values = {"PatNumChild": child, "PatNumGuardian": Cast.MARIA, "IsGuardian": is_guardian}
        writes.insert(connection, schema, tables.guardian, values)
    link = {"PatNumFrom": Cast.MERGED, "PatNumTo": Cast.MARIA, "LinkType": 1}
    writes.insert(connection, schema, tables.patientlink, link)
    writes.insert(connection, schema, tables.patientlink, {"PatNumFrom": Cast.GRETA, "PatNumTo": 90, "LinkType": 2})


def _logins(connection: Connection, schema: Schema) -> None:
    common = make(PASSWORD)
    for person in Cast:
        values = {
            "UserWebNum": 1000 + person,
            "FKey": person,
            "FKeyType": 1,
            "UserName": user_name(person),
            "Password": STORED.get(person, common),
        }
        writes.insert(connection, schema, tables.userweb, values)


def _documents(connection: Connection, schema: Schema, *, new: bool) -> None:
    categories = OTHER_CATEGORIES | ({STATEMENTS: ("S", 0)} if new else {})
    for number, (letters, hidden) in categories.items():
        values = {"DefNum": number, "Category": 18, "ItemName": "x", "ItemValue": letters, "IsHidden": hidden}
        writes.insert(connection, schema, tables.definition, values)
    for number, person, category, created in DOCUMENTS:
        values = {
            "DocNum": number,
            "PatNum": person,
            "DocCategory": category,
            "DateCreated": dt.datetime.fromisoformat(created),
            "Description": "" if number == 101 else "Statement",
            "FileName": f"{person.name.title()}{number}.pdf",
            "MountItemNum": 5 if number == 110 else 0,
        }
        writes.insert(connection, schema, tables.document, values)


def _sent(connection: Connection, schema: Schema) -> None:
    # Numbers run against time, as they do where keys are random.
    rows = [
        (9, 101, "2025-06-02", 500.0, 100.0, {}),
        (5, 100, "2025-11-03", 151.25, 20.0, {}),
        (8, 112, "2025-11-04", 77.0, 0.0, {"IsReceipt": 1}),
        (10, 0, "2025-12-01", 66.0, 0.0, {"IsInvoice": 1}),
        (11, 0, "2025-12-02", 0.0, 0.0, {"IsBalValid": 0}),
        (12, 0, "2025-12-03", 55.0, 0.0, {"IsSent": 0}),
    ]
    for number, document, sent, total, insurance, more in rows:
        values = {
            "StatementNum": number,
            "PatNum": Cast.MARIA,
            "DocNum": document,
            "DateSent": dt.date.fromisoformat(sent),
            "IsSent": 1,
            "IsBalValid": 1,
            "BalTotal": total,
            "InsEst": insurance,
        }
        writes.insert(connection, schema, tables.statement, values | more)


READER, OTHER_READER, HIDDEN, UNLINKED = 951, 952, 953, 954
"""ProvNums: the primary provider of Maria's family, another one, and two whose mail nobody reads."""
MAIL: list[tuple[int, Cast, Cast, int, int, str, str]] = [
    # number, whose login, about, provider, state, subject, sent at
    (700, Cast.MARIA, Cast.MARIA, READER, 5, "Sore tooth", "2025-11-03 20:10:00"),
    (701, Cast.MARIA, Cast.MARIA, READER, 6, "RE: Sore tooth", "2025-11-04 09:30:00"),
    (702, Cast.MARIA, Cast.LUIS, READER, 7, "RE: Night guard", "2025-10-02 09:00:00"),
    (703, Cast.LUIS, Cast.LUIS, READER, 6, "Your visit", "2025-10-05 09:00:00"),
    (704, Cast.GRETA, Cast.GRETA, OTHER_READER, 6, "Your crown", "2025-10-06 09:00:00"),
    (705, Cast.GRETA, Cast.HUGO, OTHER_READER, 4, "Hugo's braces", "2025-10-07 09:00:00"),
    (706, Cast.STEFAN, Cast.OTTO, READER, 6, "Otto's X-ray", "2025-10-08 09:00:00"),
    (707, Cast.ROSA, Cast.ROSA, READER, 4, "Thank you", "2025-10-09 09:00:00"),
    (708, Cast.PAUL, Cast.PAUL, READER, 6, "Paul's plan", "2025-10-10 09:00:00"),
]
MAIL_FILES = [(801, 701, "Plan.pdf", "Out\\20251104_638000000000000000_4821_Plan.pdf"), (802, 704, "x.pdf", "x.pdf")]
NO_WEB_MAIL = [(720, Cast.MARIA, 1), (721, Cast.MARIA, 14), (722, Cast.MARIA, 0)]


def _mail(connection: Connection, schema: Schema) -> None:
    for number, first, hidden in (
        (READER, "Amara", 0),
        (OTHER_READER, "Wei", 0),
        (HIDDEN, "Hana", 1),
        (UNLINKED, "Uma", 0),
    ):
        values = {"ProvNum": number, "FName": first, "MI": "J", "LName": "Lindgren", "Suffix": "DDS", "ItemOrder": 900}
        writes.insert(connection, schema, tables.provider, values | {"IsHidden": hidden, "Abbr": first})
        if number != UNLINKED:
            user = {"UserNum": number, "UserName": f"user{number}", "ProvNum": number}
            writes.insert(connection, schema, tables.userod, user)
    primary = update(tables.patient).where(tables.patient.c.LName == "Delgado").values(PriProv=READER)
    connection.execute(primary)
    for number, login, about, provider, state, subject, at in MAIL:
        name, office = f"{login.name.title()} Delgado", "Amara J. Lindgren, DDS"
        values = {
            "EmailMessageNum": number,
            "PatNum": login,
            "PatNumSubj": about,
            "ProvNumWebMail": provider,
            "SentOrReceived": state,
            "FromAddress": name if state in {4, 5} else office,
            "ToAddress": office if state in {4, 5} else name,
            "Subject": subject,
            "BodyText": f"Dear reader,\r\nthis is message {number}.",
            "MsgDateTime": dt.datetime.fromisoformat(at),
            "MsgType": "WebMail",
        }
        writes.insert(connection, schema, tables.emailmessage, values)
    for number, login, state in NO_WEB_MAIL:
        values = {"EmailMessageNum": number, "PatNum": login, "PatNumSubj": login, "SentOrReceived": state}
        writes.insert(connection, schema, tables.emailmessage, values | {"MsgType": "Manual", "Subject": "mail"})
    for number, message, shown, stored in MAIL_FILES:
        values = {"EmailAttachNum": number, "EmailMessageNum": message, "DisplayedFileName": shown}
        writes.insert(connection, schema, tables.emailattach, values | {"ActualFileName": stored})


def write_images(root: Path) -> None:
    """Write the file of every document below `root`, as Open Dental lays them out."""
    shutil.copytree(once("practice-images", _images), root, dirs_exist_ok=True)
    root.chmod(0o755)  # what was made once is its maker's alone


def _images(root: Path) -> None:
    for number, person, _, _ in DOCUMENTS:
        folder = root / person.name[0] / f"{person.name.title()}{int(person)}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{person.name.title()}{number}.pdf").write_bytes(PDF)
    write_pictures(root)
    (root / "A").mkdir(exist_ok=True)
    for _, _, _, stored in MAIL_FILES:
        path = root / "EmailAttachments" / stored.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PDF)


def empty_state(folder: Path) -> Path:
    """Return the path of a connector's state file in `folder` in which nothing stands yet."""

    def make(made: Path) -> None:
        async def opened() -> None:
            await (await open_state(made / "state.db")).close()

        in_thread(opened)

    return Path(shutil.copy(once("state", make) / "state.db", folder / "state.db"))


class PortalOffice:
    """An office that answers the portal's calls; what is asked and answered goes through the wire's encoding."""

    def __init__(self, database: Database, front_desk: Database, state: Database, root: Path) -> None:
        self.database, self.state, self.root, self.clock = database, state, root, ManualClock()
        self.front_desk = front_desk
        """The office's own program: may write anything."""
        self.images = ImageStore(root)
        self.answers = portal_answers(database, state, Schemas(), self.images, self.clock, beat=0.001)
        self._schema: Schema | None = None

    async def ask(self, call: Call[P, R], params: P) -> R:
        """Return the answer to a call; of a streaming one what comes before the bytes."""
        answer = await self._answer(call, params)
        if isinstance(answer, Streamed):
            answer = answer.result
        return call.decode_result(call.encode(answer))

    async def download(self, call: Call[P, R], params: P) -> tuple[R, bytes]:
        """Return both halves of a streaming answer."""
        answer = await self._answer(call, params)
        assert isinstance(answer, Streamed)
        return call.decode_result(call.encode(answer.result)), b"".join([chunk async for chunk in answer.chunks])

    async def _answer(self, call: Call[P, R], params: P) -> Any:
        found = self.answers.find(call.name)
        assert found is not None
        asked = Asked(call=call.name, reference="7F3K-22QX", remaining=call.limit, protocol=1)
        return await found[1](asked, call.decode_params(call.encode(params)))

    async def sign_in(self, person: Cast, password: str = PASSWORD, address: str = HOME) -> calls.Session:
        """Sign somebody in."""
        return await self.try_name(user_name(person), password, address)

    async def try_name(self, name: str, password: str = PASSWORD, address: str = HOME) -> calls.Session:
        """Sign in by user name."""
        return await self.ask(calls.SIGN_IN, calls.SignIn(name, password, address, "Firefox"))

    async def rows(self, table: Table, **where: Any) -> list[Any]:
        """Return rows of a table in the order of their keys."""
        schema = await self._known()

        def read(connection: Connection) -> list[Any]:
            matching = [table.c[name] == value for name, value in where.items()]
            wanted = [column for column in table.c if schema.has(table, column.name)]
            return list(connection.execute(select(*wanted).where(*matching).order_by(*table.primary_key.columns)))

        return await self.database.run(read)

    async def change(self, table: Table, values: dict[str, Any], **where: Any) -> None:
        """Change rows as the office's own program would."""

        def write(connection: Connection) -> None:
            matching = [table.c[name] == value for name, value in where.items()]
            connection.execute(update(table).where(*matching).values(values))

        await self.front_desk.run(write)

    async def add(self, table: Table, **values: Any) -> int:
        """Add a row as the office's own program would, every column that is not named being empty."""
        schema = await self._known()
        return await self.front_desk.run(lambda connection: writes.insert(connection, schema, table, values))

    async def prefer(self, name: str, value: str) -> None:
        """Set a preference."""
        schema = await self._known()
        await self.front_desk.run(lambda connection: preferences.write(connection, schema, name, value))

    async def _known(self) -> Schema:
        # Read once: on the real database it takes longer than most of what a test does.
        if self._schema is None:
            found: Schema = await self.front_desk.run(inspect)
            self._schema = found
        return self._schema


def in_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it in a thread with a loop of its own: this one may have one already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


async def _filled(url: str) -> None:
    front_desk = Database(url)
    await front_desk.run(fill)
    await front_desk.close()


def _practice() -> Path:
    def make(made: Path) -> None:
        (made / "practice.db").touch()
        in_thread(lambda: _filled(f"sqlite:///{made / 'practice.db'}"))

    return once("practice-sqlite", make) / "practice.db"


def practice_file(folder: Path) -> str:
    """Return the URL of the practice in SQLite, in a fresh file in `folder`."""
    return f"sqlite:///{shutil.copy(_practice(), folder)}"


def practice_database(version: Version) -> Path:
    """Return the files of a copy of the real database with the practice in it, for `MariaDb.copy_in` and `lent`."""
    server, known = shared_server(), set(tables.metadata.tables)
    return server.prepared(version, known, "practice", lambda name: in_thread(lambda: _filled(server.url(name))))


def practice_url(kind: Kind, folder: Path) -> AbstractContextManager[str]:
    """Lend the URL of a practice of one's own: in a file in `folder`, or on the shared server."""
    return practice_in(kind, folder, _practice(), practice_database)


async def _open(url: str, folder: Path) -> AsyncIterator[PortalOffice]:
    front_desk, database = Database(url), Database(url, guard=writes.guard)
    state = await open_state(empty_state(folder))
    write_images(folder / "images")
    yield PortalOffice(database, front_desk, state, folder / "images")
    for opened in (state, database, front_desk):
        await opened.close()


@pytest.fixture
async def portal_office_sqlite(tmp_path: Path) -> AsyncIterator[PortalOffice]:
    """An office on SQLite: for what does not depend on the database."""
    async for office in _open(practice_file(tmp_path), tmp_path):
        yield office


@pytest.fixture(params=["sqlite", pytest.param("24.3", marks=pytest.mark.shared)])
async def portal_office_latest(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PortalOffice]:
    """An office on SQLite and on the latest real database: for long rounds that no version answers otherwise."""
    with practice_url(request.param, tmp_path) as url:
        async for office in _open(url, tmp_path):
            yield office


@pytest.fixture(
    params=["sqlite", pytest.param("21.1", marks=pytest.mark.shared), pytest.param("24.3", marks=pytest.mark.shared)]
)
async def portal_office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PortalOffice]:
    """An office on SQLite, on the real database as of 21.1.9, and on it with all later columns."""
    with practice_url(request.param, tmp_path) as url:
        async for office in _open(url, tmp_path):
            yield office
