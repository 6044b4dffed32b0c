"""Fixtures of the Service Manager's tests: services of a folder of their own, with real connectors in them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.base.errors import Failure
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Services without an operating system's help; all are stopped afterwards."""
    found = Services(tmp_path / "services", Supervised(tmp_path / "run"))
    yield found
    for entry in found.entries():
        with contextlib.suppress(Failure):
            found.stop(entry.name)
