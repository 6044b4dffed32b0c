"""What every test shares."""

import gc

# Imported here, while nothing is left over from any test: its plugin imports it at the very end otherwise, and a
# leftover that complains while a module is being compiled takes Python 3.11 down with it (cpython issue 106905).
import hypothesis
import pytest

from tests.support.causing import Causing
from tests.support.once import run_folder
from tests.support.together import pytest_terminal_summary, pytest_xdist_make_scheduler

__all__ = ["pytest_terminal_summary", "pytest_xdist_make_scheduler"]

# Thousands of tests are collected and stay: to look through them after every 700 new objects takes a tenth of the time.
gc.set_threshold(10_000)

# What an example may take depends on the machine. CI's own profile, where it is in force, stays underneath.
hypothesis.settings.register_profile(
    "patient",
    parent=hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("long", parent=hypothesis.settings.get_profile("patient"), max_examples=20_000)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_configure(config: pytest.Config) -> None:
    run_folder()  # the processes that run the tests inherit it
    config.pluginmanager.register(Causing())


_LONG = (
    "portal/office/paying/test_k", "office/install/test_update", "system/test_first", "demo/test_demo", "demo/test_pay",
    "office/window/test_p", "demo/test_data", "cli/test_codes",
    "office/test_access", "office/mail/test_nothing", "office/window/test_se", "office/install/", "system/",
    "office/window/", "portal/security/", "portal/web/test_b", "portal/journeys/", "portal/failures/",
    "failures/", "documents/ccd/", "portal/office/test_m", "portal/web/", "cli/", "office/test_", "portal/", "hq/",
    "office/", "demo/", "opendental/", "test_suite", "storage/", "link/",
)  # fmt: skip
"""Rooms and files that take long, the longest first, so that no process is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def late(item: pytest.Item) -> int:
        name = item.nodeid.removeprefix("tests/")
        return next((place for place, room in enumerate(_LONG) if name.startswith(room)), len(_LONG))

    items.sort(key=late)
