"""Open Dental's own users: who may sign in, with which passwords, how often, and what their groups let them do."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import TooManyTries
from econnector.opendental import passwords, schema, users, writes
from econnector.opendental.users import Permission, User
from econnector.storage.database import Database
from tests.opendental.conftest import sqlite_practice as sqlite_practice  # noqa: PLC0414 - the fixture
from tests.support.mariadb import Version, practice_in, shared_server

SETUP, ADMIN = Permission.SERVICES_SETUP, Permission.SECURITY_ADMIN
TABLES = ("userod", "usergroup", "usergroupattach", "grouppermission", "program", "preference")
MARIA = "Tooth4Fairy"


class Staff:
    """The users of a practice: a test writes them as Open Dental would, and signs in as the connector does."""

    def __init__(self, guarded: Database, free: Database) -> None:
        self.guarded, self.free = guarded, free

    async def sql(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        def execute(connection: Connection) -> list[tuple[object, ...]]:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

        return await self.free.run(execute)

    async def add(self, number: int, name: str, stored: str = "", groups: tuple[int, ...] = (), **more: object) -> None:
        row = {"UserNum": number, "UserName": name, "Password": stored, **more}
        places = ", ".join(f":{column}" for column in row)
        await self.sql(f"INSERT INTO userod ({', '.join(row)}) VALUES ({places})", **row)
        for group in groups:
            await self.sql("INSERT INTO usergroupattach (UserNum, UserGroupNum) VALUES (:u, :g)", u=number, g=group)

    async def allow(self, group: int, permission: int, *, key: int = 0, days: int = 0) -> None:
        await self.sql(
            "INSERT INTO grouppermission (UserGroupNum, PermType, FKey, NewerDays) VALUES (:g, :p, :k, :d)",
            g=group,
            p=permission,
            k=key,
            d=days,
        )

    async def sign_in(self, name: str, password: str) -> User | None:
        return await self.guarded.run(users.sign_in, name, password)

    async def failures(self, number: int) -> int:
        return int(str((await self.sql("SELECT FailedAttempts FROM userod WHERE UserNum = :n", n=number))[0][0]))

    async def pass_time(self, seconds: int) -> None:
        moved = (
            "DateTFail - INTERVAL :s SECOND"
            if self.free.dialect != "sqlite"
            else "datetime(DateTFail, '-' || :s || ' seconds')"
        )
        await self.sql(f"UPDATE userod SET DateTFail = {moved} WHERE DateTFail > '1900-01-01'", s=seconds)


def _without_users(version: Version) -> Path:
    server = shared_server()

    def empty(name: str) -> None:
        for table in TABLES[:4]:
            server.sql(f"DELETE FROM {table}", database=name)

    return server.prepared(version, {*schema.NEEDED, *TABLES}, "without-users", empty)


@pytest.fixture(params=["sqlite", *(pytest.param(each, marks=pytest.mark.shared) for each in ("21.1", "24.3"))])
async def staff(request: pytest.FixtureRequest, sqlite_practice: Path, tmp_path: Path) -> AsyncIterator[Staff]:
    """A practice without users, in each of its forms."""
    with practice_in(request.param, tmp_path, sqlite_practice, _without_users) as url:
        made = Staff(Database(url, guard=writes.guard), Database(url))
        yield made
        await made.guarded.close()
        await made.free.close()


def md5(password: str) -> str:
    return base64.b64encode(hashlib.md5(password.encode("utf-16-le"), usedforsecurity=False).digest()).decode()


async def test_a_user_signs_in_without_regard_to_case_and_blanks_of_the_name(staff: Staff) -> None:
    await staff.add(7, "María Ng", passwords.make(MARIA))
    for typed in ("María Ng", "  MARÍA NG ", "maría ng"):
        found = await staff.sign_in(typed, MARIA)
        assert found == User(7, "María Ng", frozenset())
    for typed in ("Maria Ng", "María", "María%", "", "   ", "x" * 300):
        assert await staff.sign_in(typed, MARIA) is None, typed
    assert await staff.sign_in("María Ng", MARIA.lower()) is None
    assert await staff.sign_in("María Ng", "") is None


async def test_blank_names_and_hidden_users_never_match(staff: Staff) -> None:
    await staff.add(1, "", "")
    await staff.add(2, "   ", "")
    await staff.add(3, "gone", passwords.make(MARIA), IsHidden=1)
    for typed in ("", " ", "   "):
        assert await staff.sign_in(typed, "") is None
    assert await staff.sign_in("gone", MARIA) is None
    assert await staff.guarded.run(users.find, 3) is None
    await staff.add(4, "Gone", passwords.make(MARIA))
    found = await staff.sign_in("gone", MARIA)
    assert found is not None
    assert found.number == 4, "a hidden user of the same name is not in the way"


SALT = base64.b64encode(bytes(64)).decode()
FORMS: dict[str, Callable[[], str]] = {
    "new": lambda: passwords.make(MARIA),
    "by number": lambda: passwords.make(MARIA).replace("SHA3_512", "3", 1),
    "md5 in a container": lambda: f"MD5$$ {md5(MARIA)}".replace(" ", ""),
    "md5 with salt": lambda: f"MD5${SALT}${md5(SALT + MARIA)}",
    "md5 alone": lambda: md5(MARIA),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_password_that_a_user_may_have_is_read(staff: Staff, form: str) -> None:
    await staff.add(5, "amara", FORMS[form]())
    assert await staff.sign_in("amara", MARIA) is not None
    assert await staff.sign_in("amara", MARIA + " ") is None
    assert await staff.sign_in("amara", "") is None


async def test_the_form_of_eclinicalworks_counts_only_where_it_is_in_use(staff: Staff) -> None:
    await staff.add(5, "amara", hashlib.md5(MARIA.encode(), usedforsecurity=False).hexdigest())
    assert await staff.sign_in("amara", MARIA) is None
    await staff.sql("DELETE FROM program WHERE ProgName = 'eClinicalWorks'")
    await staff.sql("INSERT INTO program (ProgName, ProgDesc, Enabled) VALUES ('eClinicalWorks', '', 1)")
    assert await staff.sign_in("amara", MARIA) is not None


@pytest.mark.parametrize("stored", ["", "None$$", "MD5$$", f"SHA3_512${SALT}$"])
async def test_a_user_without_password_signs_in_with_an_empty_one_as_in_open_dental(staff: Staff, stored: str) -> None:
    await staff.add(1, "Admin", stored)
    assert await staff.sign_in("admin", "") is not None
    assert await staff.sign_in("admin", " ") is None
    assert await staff.sign_in("admin", stored or "x") is None


@pytest.mark.parametrize("stored", ["plain text", "None$$plain text", "SHA3_512$x", "$$", "x" * 32])
async def test_text_that_is_no_password_form_matches_nothing(staff: Staff, stored: str) -> None:
    await staff.add(1, "Admin", stored)
    for typed in ("", stored, "plain text"):
        assert await staff.sign_in("admin", typed) is None, typed
    assert await staff.failures(1) == 3


async def test_permissions_are_those_of_all_groups_and_of_no_old_column(staff: Staff) -> None:
    await staff.allow(1, ADMIN)
    await staff.allow(2, SETUP)
    await staff.allow(3, 8)
    await staff.allow(4, SETUP, key=12)
    await staff.allow(5, SETUP, days=3)
    wanted: dict[str, tuple[tuple[int, ...], set[Permission]]] = {
        "boss": ((1, 2), {ADMIN, SETUP}),
        "setup": ((3, 2), {SETUP}),
        "desk": ((3,), set()),
        "partly": ((4,), set()),  # for one thing only: not what is asked for here
        "dated": ((5,), {SETUP}),  # a date means nothing for a permission that takes none
        "nobody": ((), set()),
    }
    for number, (name, (groups, _)) in enumerate(wanted.items(), 1):
        await staff.add(number, name, groups=groups, UserGroupNum=1)
    for number, (name, (_, permissions)) in enumerate(wanted.items(), 1):
        found = await staff.sign_in(name, "")
        assert found is not None
        assert found.permissions == permissions, name
        assert found.may(ADMIN) == (ADMIN in permissions)
        assert await staff.guarded.run(users.find, number) == found


@pytest.mark.causes("too-many-tries")
async def test_five_wrong_passwords_lock_a_user_for_five_minutes(staff: Staff) -> None:
    await staff.add(1, "amara", passwords.make(MARIA))
    await staff.add(2, "noah", passwords.make(MARIA))
    for _ in range(users.TRIES):
        assert await staff.sign_in("Amara", "wrong") is None
    with pytest.raises(TooManyTries) as locked:
        await staff.sign_in("amara", MARIA)
    assert 1 <= int(locked.value.facts["seconds"]) <= 300
    assert await staff.failures(1) == users.TRIES, "trying while locked does not make it longer"
    assert await staff.sign_in("noah", MARIA) is not None
    assert await staff.failures(2) == 0
    await staff.pass_time(301)
    assert await staff.sign_in("amara", "wrong") is None
    assert await staff.failures(1) == 1, "after five minutes the count begins anew"
    await staff.pass_time(301)
    assert await staff.sign_in("amara", MARIA) is not None
    assert (await staff.sql("SELECT FailedAttempts, DateTFail < '1900-01-01' FROM userod WHERE UserNum = 1")) == [
        (0, 1)
    ]


async def test_failures_counted_by_open_dental_count_here(staff: Staff) -> None:
    now = "datetime('now', 'localtime')" if staff.free.dialect == "sqlite" else "NOW()"
    await staff.add(1, "amara", passwords.make(MARIA))
    await staff.sql(f"UPDATE userod SET FailedAttempts = 5, DateTFail = {now}")
    with pytest.raises(TooManyTries):
        await staff.sign_in("amara", MARIA)
    await staff.sql("UPDATE userod SET FailedAttempts = 255")
    await staff.pass_time(120)
    with pytest.raises(TooManyTries):
        await staff.sign_in("amara", "wrong")
    assert await staff.failures(1) == 255


async def test_nothing_of_a_user_but_the_count_can_be_written(staff: Staff) -> None:
    await staff.add(1, "amara", passwords.make(MARIA))
    for change in ("Password = ''", "FailedAttempts = 0, IsHidden = 0", "UserGroupNum=1", "`Password`=(SELECT 1)"):
        with pytest.raises(writes.WriteRefused):
            writes.guard(f"UPDATE userod SET {change} WHERE UserNum = 1")
    for other in ("INSERT INTO userod (UserName) VALUES ('x')", "DELETE FROM userod WHERE UserNum=1"):
        with pytest.raises(writes.WriteRefused):
            writes.guard(other)
    for other in ("usergroupattach", "grouppermission", "usergroup"):
        with pytest.raises(writes.WriteRefused):
            writes.guard(f"UPDATE {other} SET UserGroupNum=1 WHERE 1=1")


async def test_who_must_change_the_password_is_known(staff: Staff) -> None:
    await staff.allow(1, SETUP)
    await staff.add(1, "new", passwords.make(MARIA), (1,), IsPasswordResetRequired=1)
    found = await staff.sign_in("new", MARIA)
    assert found is not None
    assert found.must_change


async def test_the_list_of_names_is_open_dentals(staff: Staff) -> None:
    await staff.sql("UPDATE preference SET ValueString = '0' WHERE PrefName = 'UserNameManualEntry'")
    for number, name in enumerate(("noah", "Admin", " "), 1):
        await staff.add(number, name)
    await staff.add(4, "hidden", IsHidden=1)
    await staff.add(5, "central", UserNumCEMT=9)
    assert await staff.guarded.run(users.users) == ["Admin", "noah"]
    assert await staff.sign_in("central", "") is not None, "not in the list, but a user"
    await staff.sql("DELETE FROM preference WHERE PrefName = 'UserNameManualEntry'")
    await staff.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('UserNameManualEntry', '1')")
    assert await staff.guarded.run(users.users) == []


async def test_unknown_wrong_and_locked_cost_the_same_statements(staff: Staff) -> None:
    await staff.add(1, "amara", passwords.make(MARIA))
    asked: list[list[str]] = []

    def counting(sql: str) -> None:
        writes.guard(sql)
        asked[-1].append(sql.split(maxsplit=1)[0])

    database = Database(str(staff.guarded._backend.engine.url), guard=counting)
    for name in ("amara", "nobody", "x" * 256, ""):
        asked.append([])
        await database.run(users.sign_in, name, "wrong")
    await database.close()
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.shared
async def test_an_account_that_may_only_read_signs_people_in_all_the_same() -> None:
    server = shared_server()
    name = server.open_dental("24.3", tables={*schema.NEEDED, *TABLES})
    server.create_user("reader", "secret", f"SELECT ON {name}.*")
    database = Database(server.url(name, "reader"), password="secret", guard=writes.guard)
    assert await database.run(users.sign_in, "Admin", "wrong") is None
    found = await database.run(users.sign_in, "Admin", "")
    assert found is not None
    assert found.permissions == {SETUP, ADMIN}
    await database.close()
    server.drop_database(name)
