"""Every patient of the demo practice has a care summary that HL7's rules accept, or a reason why there is none.

All are made; judged are those in which something stands that stood in none before: a rule sees no other difference.
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from lxml import etree
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
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


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


def pieces(xml: bytes) -> set[tuple[object, ...]]:
    """Return what a rule can tell apart: each element under its nearest ancestors, alone or among others of its name.

    With the names of its attributes, its codes, and why something is missing.
    """
    found = set[tuple[object, ...]]()
    for element in etree.fromstring(xml, None).iter("*"):
        around = tuple(one.tag for one in itertools.islice(element.iterancestors(), 3))
        alone = element.getprevious() is None and element.getnext() is None
        said = [element.get(name) for name in ("code", "codeSystem", "nullFlavor", "extension", TYPE)]
        template = element.get("root") if element.tag.endswith("templateId") else ""
        said = said if template else [*said[:3], said[4]]
        found.add((element.tag, around, alone, tuple(sorted(element.keys())), template, *said))
    return found


def test_every_demo_patients_document_passes(practice: Connection) -> None:
    documents = {one.subject.number: build(one) for one in everybody(practice)}
    assert len(documents) > 190
    seen, verdicts = set[tuple[object, ...]](), {}
    for number, document in sorted(documents.items(), key=lambda made: -len(made[1])):
        if new := pieces(document) - seen:
            seen |= new
            verdicts[number] = judge(document)
    assert {number: verdict.faults for number, verdict in verdicts.items() if verdict.faults} == {}
    assert len(verdicts) > 9
    assert max(verdict.fired["r2.1"] for verdict in verdicts.values()) > 150
