"""Every patient of the demo practice has a care summary that HL7's rules accept, or a reason why there is none."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from econnector.documents.ccd.document import build
from econnector.opendental.schema import inspect
from econnector.opendental.summary.missing import missing
from econnector.opendental.summary.read import read
from econnector.opendental.summary.records import Summary
from econnector.opendental.tables import patient
from tests.documents.ccd.gate import judge
from tests.support.whole import built

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    file = Path(shutil.copy(built() / "practice.sqlite", tmp_path_factory.mktemp("practice")))
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def everybody(practice: Connection) -> Iterator[Summary]:
    """Yield the summary of every patient of whom nothing is missing."""
    schema = inspect(practice)
    for number in practice.scalars(sa.select(patient.c.PatNum).order_by(patient.c.PatNum)).all():
        if not missing(practice, schema, number):
            yield read(practice, schema, number)


def test_every_demo_patients_document_passes(practice: Connection) -> None:
    summaries = list(everybody(practice))
    verdicts = {one.subject.number: judge(build(one)) for one in summaries}
    assert {number: verdict.faults for number, verdict in verdicts.items() if verdict.faults} == {}
    assert len(verdicts) > 190
    assert max(verdict.fired["r2.1"] for verdict in verdicts.values()) > 150
