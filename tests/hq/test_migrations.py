"""The registry's tables come from migrations alone, and the migrations make what the code expects."""

import datetime as dt
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from econnector.base.errors import Failure, RegistryAway, RegistryOutdated, SettingInvalid
from econnector.hq.registry import migrate, offices
from econnector.hq.registry.database import Registry
from econnector.hq.registry.tables import metadata


def test_an_empty_database_is_brought_to_the_newest_revision_once(empty_url: str) -> None:
    registry = Registry(empty_url)
    with pytest.raises(RegistryOutdated) as caught:
        migrate.check(registry)
    assert "hq migrate" in caught.value.remedy_steps()[0]
    before, newest = migrate.upgrade(registry)
    assert before == ""
    assert migrate.upgrade(registry) == (newest, newest)
    migrate.check(registry)
    registry.engine.dispose()


def test_the_migrations_make_exactly_the_tables_of_the_code(registry: Registry) -> None:
    with registry.engine.connect() as connection:
        found = set(sa.inspect(connection).get_table_names())
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert found == {*metadata.tables, "alembic_version"}
    assert differences == []


def test_an_upgrade_that_died_half_way_is_gone_on_with_and_offices_stay(empty_url: str) -> None:
    registry = Registry(empty_url)
    migrate.upgrade(registry)
    registry.run_now(offices.add, "smile", dt.datetime(2026, 3, 2, tzinfo=dt.UTC), title="Smile Dental")
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE deeds")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    assert migrate.upgrade(registry) == ("0002", migrate.NEWEST)
    with registry.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    assert registry.run_now(offices.get, "smile").title == "Smile Dental"
    registry.engine.dispose()


def test_the_newest_revision_is_the_last_migration() -> None:
    assert ScriptDirectory(str(Path(migrate.__file__).parent / "migrations")).get_current_head() == migrate.NEWEST


def test_a_command_makes_the_tables_of_an_empty_registry_and_of_no_other(empty_url: str) -> None:
    registry = Registry(empty_url)
    migrate.prepare(registry)
    migrate.prepare(registry)
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(RegistryOutdated):
        migrate.prepare(registry)
    registry.engine.dispose()


def test_two_hqs_that_start_together_migrate_once(empty_url: str) -> None:
    failures: list[Failure] = []

    def start() -> None:
        registry = Registry(empty_url)
        try:
            migrate.upgrade(registry)
        except Failure as failure:
            failures.append(failure)
        registry.engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.causes("registry-version")
def test_a_registry_that_a_newer_hq_has_upgraded_is_left_alone(sqlite_registry: Registry) -> None:
    registry = sqlite_registry
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RegistryOutdated) as caught:
        migrate.upgrade(registry)
    assert caught.value.facts["found"] == "9999"


def test_a_database_of_another_program_is_left_alone(empty_url: str) -> None:
    registry = Registry(empty_url)
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE history (what INTEGER)")
    with pytest.raises(RegistryOutdated, match="history"):
        migrate.upgrade(registry)
    with registry.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["history"]
    registry.engine.dispose()


@pytest.mark.parametrize("url", ["", "nonsense", "oracle://x", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_a_registry_is_refused(url: str) -> None:
    with pytest.raises(SettingInvalid):
        Registry(url)


@pytest.mark.causes("registry-away")
@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mariadb"])
def test_a_registry_server_that_is_away_is_said_without_the_password(scheme: str) -> None:
    registry = Registry(f"{scheme}://hq:hunter2@127.0.0.1:1/registry")
    with pytest.raises(RegistryAway) as caught:
        migrate.upgrade(registry)
    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_registry_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(RegistryAway, match="not a database"):
        migrate.upgrade(Registry(f"sqlite:///{tmp_path / 'registry.db'}"))


def test_a_registry_in_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RegistryAway, match="registry"):
        migrate.upgrade(Registry(f"sqlite:///{tmp_path / 'file' / 'registry.db'}"))
