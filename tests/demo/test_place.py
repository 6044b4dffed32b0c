"""A practice written down, and read again by the connector's own functions."""

import datetime as dt
import functools
import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from econnector.base.errors import SettingInvalid
from econnector.demo.place import MARK, build
from econnector.demo.practice import compose
from econnector.office.addresses import database_place
from econnector.office.settings import load_settings
from econnector.opendental import family, preferences, statements
from econnector.opendental.schema import inspect
from econnector.opendental.tables import definition, patient, preference, procedurecode, userweb
from econnector.storage.database import Database
from tests.demo.conftest import TODAY
from tests.support.mariadb import shared_server


async def test_what_was_built_opens_with_its_settings_alone(built: Path) -> None:
    loaded = load_settings(built / "office.toml", environment={})
    db = Database(database_place(loaded).url)
    try:
        facts = await db.run(inspect)
        title = await db.run(preferences.read, "PracticeTitle")
        people = await db.run(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(patient)))
    finally:
        await db.close()
    assert (facts.version, title, people) == ("24.3.10.0", "Juniper Hill Dental", 202)
    assert loaded.value.images.root == built / "images"
    assert loaded.value.state_file == built / "office.sqlite"


def test_the_images_folder_is_one_that_open_dental_would_take(drawn: Path) -> None:
    images = drawn / "images"
    assert (images / "A").is_dir()
    assert (images / "EmailAttachments" / "Out").is_dir()
    for file in compose(TODAY).files:
        assert (images / file.path).stat().st_size > 500


async def test_a_practice_that_is_there_is_used_as_it_is(built: Path) -> None:
    first = await build(built, TODAY)
    letter = first.images / first.practice.files[0].path
    kept = first.images / first.practice.files[1].path
    letter.unlink()
    kept.write_bytes(b"changed")
    again = await build(built, TODAY + dt.timedelta(days=90))
    assert again.practice.today == TODAY
    assert letter.exists()
    assert kept.read_bytes() == b"changed"


async def test_a_filled_database_works_with_a_new_folder(folder: Path, open_dental_url: str) -> None:
    await build(folder, TODAY, database=open_dental_url)
    moved = Path(shutil.move(folder, folder.with_name("moved")))
    (moved / "images" / compose(TODAY).files[0].path).unlink()
    place = await build(moved, TODAY + dt.timedelta(days=1), database=open_dental_url)
    db = Database(open_dental_url)
    try:
        assert await db.run(preferences.read, "DocPath") == str(moved / "images")
    finally:
        await db.close()
    assert all((place.images / file.path).exists() for file in place.practice.files)


async def test_a_real_database_keeps_its_own_and_gets_what_the_portal_needs_in_the_same_rows(
    folder: Path, drawn: Path, open_dental_url: str
) -> None:
    db, lite = Database(open_dental_url), Database(f"sqlite:///{drawn / 'practice.sqlite'}")

    def people(connection: sa.Connection) -> list[tuple[object, ...]]:
        columns = [c for c in patient.columns if c.name not in {"DateTStamp", "ChartNumber", "SecurityHash"}]
        return [tuple(row)[:50] for row in connection.execute(sa.select(*columns).order_by(patient.c.PatNum))]

    def counts(connection: sa.Connection) -> tuple[int, ...]:
        one = connection.scalar(sa.select(sa.func.count()).select_from(definition).where(definition.c.Category == 18))
        two = connection.scalar(sa.select(sa.func.count()).select_from(procedurecode))
        three = connection.scalar(sa.select(preference.c.PrefNum).where(preference.c.PrefName == "PracticeTitle"))
        return int(one or 0), int(two or 0), int(three or 0)

    try:
        version = await db.run(preferences.read, "DataBaseVersion")
        before = await db.run(counts)
        await build(folder, TODAY, database=open_dental_url)
        assert await db.run(preferences.read, "DataBaseVersion") == version
        assert await db.run(counts) == before
        letters = await db.run(
            lambda connection: connection.scalar(sa.select(definition.c.ItemValue).where(definition.c.DefNum == 240))
        )
        logins = await db.run(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(userweb)))
        assert await db.run(people) == await lite.run(people)
    finally:
        await db.close()
        await lite.close()
    assert letters == "SL"
    assert logins == len(compose(TODAY).book.rows("userweb"))


async def test_the_portals_own_rules_find_whom_each_sample_may_see(drawn: Path) -> None:
    patients = compose(TODAY).book.rows("patient")
    numbers = {f"{row['FName']} {row['LName']}": int(str(row["PatNum"])) for row in patients}
    seen = {
        "Elena Rivera": {"Elena", "Tomás", "Sofía", "Mateo", "Tyler", "Baby"},
        "Tyler Rivera": {"Tyler"},
        "Denise Washington": {"Denise", "Jaylen"},
        "Harold Whitfield": {"Harold", "Marguerite", "Edwin"},
        "Olivia Chen": {"Olivia", "Mei-Lin", "Wei"},
    }
    db = Database(f"sqlite:///{drawn / 'practice.sqlite'}")
    try:
        for name, expected in seen.items():
            people = await db.run(functools.partial(family.visible, shared=True), numbers[name])
            assert {person.first_name for person in people} == expected
        documents = await db.run(statements.listed, [1])
        last = await db.run(statements.last_sent, [1])
        merged = await db.run(family.merged_away, list(numbers.values()))
    finally:
        await db.close()
    head = patients[0]
    assert last is not None
    assert last.cents == round((float(str(head["BalTotal"])) - float(str(head["InsEst"])) + 25) * 100)
    assert len([document for document in documents if document.title == "Statement"]) >= 3
    assert merged == {numbers["Jon Petersen"]}


async def test_a_practice_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    server.sql("INSERT INTO patient (LName, FName, Guarantor) VALUES ('Real', 'Person', 1)", database=name)
    with pytest.raises(SettingInvalid, match="already has patients"):
        await build(tmp_path, TODAY, database=server.url(name))
    assert server.sql("SELECT COUNT(*) FROM patient", database=name) == [(1,)]
    assert not server.sql(f"SELECT 1 FROM preference WHERE PrefName='{MARK}'", database=name)
    server.drop_database(name)


async def test_a_filling_that_broke_off_is_refused(tmp_path: Path) -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    server.sql(f"INSERT INTO preference (PrefName, ValueString) VALUES ('{MARK}', 'filling ')", database=name)
    with pytest.raises(SettingInvalid, match="broke off"):
        await build(tmp_path, TODAY, database=server.url(name))
    server.drop_database(name)


async def test_the_practice_of_another_version_is_refused(built: Path) -> None:
    db = Database(f"sqlite:///{built / 'practice.sqlite'}")
    older = sa.update(preference).where(preference.c.PrefName == MARK).values(ValueString=f"1 {TODAY} 0123456789abcdef")
    try:
        await db.run(lambda connection: connection.execute(older) and None)
    finally:
        await db.close()
    with pytest.raises(SettingInvalid, match="another version"):
        await build(built, TODAY)


async def test_a_password_is_used_and_never_written_down(folder: Path) -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    server.create_user("filler", "s3cret-word", f"ALL ON {name}.*")
    place = await build(folder, TODAY, database=server.url(name, "filler"), password="s3cret-word")
    assert database_place(place.loaded).password == "s3cret-word"
    assert "s3cret" not in place.settings_file.read_text("utf-8")
    server.drop_database(name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such marks")
async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingInvalid, match="folder"):
        await build(tmp_path / "file" / "practice", TODAY)
