"""A care summary that cannot be made: the patient's kind page, and what the office finds under its reference."""

import pytest

from econnector.base.errors import CATALOGUE
from tests.support.linked import LinkedSite
from tests.support.practice import Cast

CAUSES = {
    "birth date": ("UPDATE patient SET Birthdate = '0001-01-01' WHERE PatNum = 13", "Birth date of the patient"),
    "practice": ("UPDATE preference SET ValueString = '' WHERE PrefName = 'PracticeCity'", "City of the practice"),
    "snomed": ("DELETE FROM snomed", "SNOMED CT codes"),
}


@pytest.mark.parametrize(("change", "missing"), CAUSES.values(), ids=CAUSES)
def test_the_patient_reads_what_to_do_and_the_office_what_is_missing(
    site: LinkedSite, change: str, missing: str
) -> None:
    code = "care-summary-not-loaded" if "DELETE" in change else "care-summary-not-set-up"
    with site.signed_in() as maria:
        assert maria.get(f"/health/summary?person={int(Cast.ANA)}").status_code == 200
        site.sql(change)
        for path in ("/health/summary", "/health/summary/download/zip"):
            answer = maria.get(f"{path}?person={int(Cast.ANA)}")
            assert answer.status_code == CATALOGUE[code].http
            assert code in answer.text
            assert missing not in answer.text
            (failed,) = site.failures(answer.headers["x-reference"])
            assert failed.code == code
            assert failed.facts["what"].startswith(missing)
