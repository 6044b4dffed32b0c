"""What has to be true of every made-up practice, whatever the dice say."""

import datetime as dt
from collections import Counter, defaultdict
from typing import Any

import pytest

from econnector.demo.practice import Practice, compose
from econnector.demo.practice.ledger import Ledger
from econnector.demo.practice.setup import npi
from econnector.opendental import passwords
from econnector.opendental.tables import metadata

TODAY = dt.date(2026, 11, 21)
CENT = 0.005

LINKS = """
appointment.PatNum>patient appointment.ProvNum>provider appointment.ProvHyg>provider appointment.Op>operatory
appointment.Confirmed>definition allergy.PatNum>patient allergy.AllergyDefNum>allergydef
allergydef.MedicationNum>medication adjustment.PatNum>patient adjustment.AdjType>definition
adjustment.ProvNum>provider alertsub.UserNum>userod alertsub.AlertCategoryNum>alertcategory alertitem.UserNum>userod
alertcategorylink.AlertCategoryNum>alertcategory claim.PatNum>patient claim.PlanNum>insplan claim.InsSubNum>inssub
claim.ProvTreat>provider claim.ProvBill>provider claimproc.ProcNum>procedurelog claimproc.ClaimNum>claim
claimproc.PatNum>patient claimproc.PlanNum>insplan claimproc.InsSubNum>inssub creditcard.PatNum>patient
disease.PatNum>patient disease.DiseaseDefNum>diseasedef document.PatNum>patient document.DocCategory>definition
ehrcareplan.PatNum>patient ehrlab.PatNum>patient ehrlabresult.EhrLabNum>ehrlab ehrmeasureevent.PatNum>patient
emailattach.EmailMessageNum>emailmessage emailmessage.PatNum>patient emailmessage.PatNumSubj>patient
emailmessage.ProvNumWebMail>provider emailmessage.UserNum>userod encounter.PatNum>patient encounter.ProvNum>provider
guardian.PatNumChild>patient guardian.PatNumGuardian>patient insplan.CarrierNum>carrier inssub.PlanNum>insplan
inssub.Subscriber>patient medication.GenericNum>medication medicationpat.PatNum>patient
medicationpat.MedicationNum>medication medicationpat.ProvNum>provider patient.Guarantor>patient
patient.ResponsParty>patient patient.PriProv>provider patient.SecProv>provider patient.BillingType>definition
patientlink.PatNumFrom>patient patientlink.PatNumTo>patient patientrace.PatNum>patient
patplan.PatNum>patient patplan.InsSubNum>inssub
payment.PatNum>patient payment.PayType>definition paysplit.PayNum>payment paysplit.PatNum>patient
paysplit.ProvNum>provider paysplit.UnearnedType>definition procedurecode.ProcCat>definition
procedurelog.PatNum>patient procedurelog.AptNum>appointment procedurelog.PlannedAptNum>appointment
procedurelog.CodeNum>procedurecode procedurelog.ProvNum>provider procedurelog.Priority>definition
proctp.TreatPlanNum>treatplan proctp.PatNum>patient proctp.ProcNumOrig>procedurelog proctp.Priority>definition
proctp.ProvNum>provider programproperty.ProgramNum>program recall.PatNum>patient recall.RecallTypeNum>recalltype
refattach.PatNum>patient refattach.ReferralNum>referral
securitylog.PatNum>patient securityloghash.SecurityLogNum>securitylog statement.PatNum>patient
statement.DocNum>document treatplan.PatNum>patient treatplan.ResponsParty>patient
userod.ProvNum>provider userweb.FKey>patient vaccinedef.DrugManufacturerNum>drugmanufacturer
vaccinepat.PatNum>patient vaccinepat.VaccineDefNum>vaccinedef vaccinepat.DrugUnitNum>drugunit
vaccinepat.ProvNumAdminister>provider
vitalsign.PatNum>patient webschedrecall.PatNum>patient webschedrecall.RecallNum>recall
webschedrecall.MessageFk>emailmessage xwebresponse.PatNum>patient xwebresponse.ProvNum>provider
xwebresponse.PaymentNum>payment
""".split()  # noqa: SIM905 - a block of text is read more easily than a list


@pytest.fixture(scope="module", params=[1, 2, 77])
def practice(request: pytest.FixtureRequest) -> Practice:
    return compose(TODAY, request.param)


def rows(practice: Practice, table: str) -> list[dict[str, Any]]:
    return practice.book.rows(table)


def by_number(practice: Practice) -> dict[int, dict[str, Any]]:
    return {row["PatNum"]: row for row in rows(practice, "patient")}


def summed(entries: list[dict[str, Any]], *columns: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for row in entries:
        total[row["PatNum"]] += sum(round(row[column] * 100) for column in columns)
    return total


def test_every_number_that_points_to_a_row_finds_it(practice: Practice) -> None:
    keys = {
        name: {row.get(next(iter(table.primary_key.columns)).name) for row in rows(practice, name)}
        for name, table in metadata.tables.items()
    }
    for link in LINKS:
        table, _, rest = link.partition(".")
        column, _, target = rest.partition(">")
        entries = rows(practice, table)
        assert entries or table == "adjustment", f"no rows in {table}"
        astray = [row for row in entries if row.get(column) and row[column] not in keys[target]]
        assert not astray, (link, astray[:1])


def test_every_table_and_column_exists_in_open_dental(practice: Practice) -> None:
    for table, shelf in practice.book.tables():
        known = set(metadata.tables[table].columns.keys())
        assert {column for row in shelf.rows for column in row} <= known, table


def test_texts_fit_into_the_columns_of_the_oldest_version(practice: Practice) -> None:
    for table, shelf in practice.book.tables():
        for column in metadata.tables[table].columns:
            old = column.info.get("old", column)
            length = getattr(old.type, "length", None)
            if length:
                longest = max((len(str(row.get(column.name, ""))) for row in shelf.rows), default=0)
                assert longest <= length, f"{table}.{column.name}"


def test_stored_balances_are_what_the_rows_add_up_to(practice: Practice) -> None:
    done = [row for row in rows(practice, "procedurelog") if row["ProcStatus"] == 2]
    assert all((row["UnitQty"], row["BaseUnits"]) == (1, 0) for row in done)
    claims = rows(practice, "claimproc")
    own = summed(done, "ProcFee")
    own.subtract(summed([row for row in claims if row["Status"] == 1], "InsPayAmt", "WriteOff"))
    own.update(summed(rows(practice, "adjustment"), "AdjAmt"))
    own.subtract(summed(rows(practice, "paysplit"), "SplitAmt"))
    pending = summed([row for row in claims if row["Status"] == 0], "InsPayEst", "WriteOff")
    family: Counter[int] = Counter()
    expected: Counter[int] = Counter()
    for number, row in by_number(practice).items():
        assert row["EstBalance"] * 100 == pytest.approx(own[number], abs=CENT)
        family[row["Guarantor"]] += own[number]
        expected[row["Guarantor"]] += pending[number]
    for number, row in by_number(practice).items():
        buckets = [row.get(name, 0) for name in ("Bal_0_30", "Bal_31_60", "Bal_61_90", "BalOver90")]
        if row["Guarantor"] != number:
            assert not any(row.get(name) for name in ("BalTotal", "InsEst", "Bal_0_30", "BalOver90"))
            continue
        assert row["BalTotal"] * 100 == pytest.approx(family[number], abs=CENT)
        assert row["InsEst"] * 100 == pytest.approx(expected[number], abs=CENT)
        assert sum(buckets) == pytest.approx(max(0, row["BalTotal"]), abs=CENT)
        assert min(buckets) >= 0


def test_payments_are_split_to_the_cent_and_claims_add_up(practice: Practice) -> None:
    split: Counter[int] = Counter()
    for row in rows(practice, "paysplit"):
        split[row["PayNum"]] += round(row["SplitAmt"] * 100)
    assert all(split[row["PayNum"]] == round(row["PayAmt"] * 100) > 0 for row in rows(practice, "payment"))
    lines: Counter[int] = Counter()
    for row in rows(practice, "claimproc"):
        lines[row["ClaimNum"]] += round(row["FeeBilled"] * 100)
    assert all(lines[row["ClaimNum"]] == round(row["ClaimFee"] * 100) for row in rows(practice, "claim"))
    assert {row["Status"] for row in rows(practice, "claimproc")} == {0, 1}


def test_what_the_first_sample_owes_is_its_newest_valid_statement_less_what_was_paid_since(practice: Practice) -> None:
    head = by_number(practice)[1]
    mine = [row for row in rows(practice, "statement") if row["PatNum"] == 1]
    valid = [row for row in mine if row["IsSent"] and row.get("IsBalValid") and not row.get("IsReceipt")]
    newest = max(valid, key=lambda row: row["DateSent"])
    since = [row for row in rows(practice, "payment") if row["PatNum"] == 1 and row["PayDate"] > newest["DateSent"]]
    assert [row["PayAmt"] for row in since] == [25]
    assert head["BalTotal"] == pytest.approx(newest["BalTotal"] - 25, abs=CENT)
    assert head["BalTotal"] > newest["InsEst"] == head["InsEst"] > 0
    assert newest["StatementNum"] < max(row["StatementNum"] for row in mine)


def test_statements_that_must_not_count_are_there(practice: Practice) -> None:
    mine = [row for row in rows(practice, "statement") if row["PatNum"] == 1]
    last = max(row["DateSent"] for row in mine if row["IsSent"] and row.get("IsBalValid"))
    assert any(row.get("IsReceipt") and row["DateSent"] > last for row in mine)
    assert any(row.get("IsInvoice") and row["DateSent"] > last for row in mine)
    assert any(not row.get("IsBalValid") and row.get("BalTotal") for row in mine)
    assert any(not row["IsSent"] and row.get("IsBalValid") for row in mine)


def test_families_are_of_every_shape(practice: Practice) -> None:
    people = by_number(practice)
    assert 195 <= len(people) <= 210
    sizes = Counter(Counter(row["Guarantor"] for row in people.values()).values())
    assert {1, 2, 3, 4} <= sizes.keys()
    assert {row["PatStatus"] for row in people.values()} == {0, 1, 2, 3, 5}
    assert all(people[row["Guarantor"]]["Guarantor"] == row["Guarantor"] for row in people.values())
    assert any(row.get("ResponsParty") for row in people.values())
    assert {row["IsGuardian"] for row in rows(practice, "guardian")} == {0, 1}
    assert any(people[row["PatNumChild"]]["Guarantor"] != row["PatNumGuardian"] for row in rows(practice, "guardian"))
    text = " ".join(row["LName"] + row["FName"] for row in people.values())
    assert "'" in text
    assert any(ord(letter) > 0x1E00 for letter in text)


def test_nobody_in_it_can_be_reached(practice: Practice) -> None:
    for row in rows(practice, "patient"):
        assert all("555-01" in row[phone] for phone in ("HmPhone", "WirelessPhone") if row[phone])
        assert row["Email"].rpartition("@")[2] in {"", "example.com", "example.net", "example.org"}
        assert row["Email"].isascii()


def test_every_sample_sign_in_is_told_truly(practice: Practice) -> None:
    stored = defaultdict(list)
    for row in rows(practice, "userweb"):
        stored[row["UserName"]].append(row)
    people = by_number(practice)
    merged = {row["PatNumFrom"] for row in rows(practice, "patientlink") if row["LinkType"] == 1}
    for sample in practice.sign_ins:
        matching = [row for row in stored[sample.user_name] if passwords.check(row["Password"], sample.password)]
        good = [row for row in matching if row["FKey"] not in merged and people[row["FKey"]]["PatStatus"] in {0, 1, 2}]
        assert bool(good) == sample.works, sample.user_name
    assert practice.sign_ins[0].works


def test_every_form_of_password_is_there(practice: Practice) -> None:
    texts = [row["Password"] for row in rows(practice, "userweb")]
    forms = {passwords.form_of(text) for text in texts}
    assert forms == {form for form in passwords.Form if form is not passwords.Form.MD5_ECW}
    assert {"", "None$$"} < set(texts)
    assert any(len(text) == 24 for text in texts)
    assert any(row["RequireUserNameChange"] and row["RequirePasswordChange"] for row in rows(practice, "userweb"))


def test_documents_have_their_files_but_one_and_one_in_other_letters(practice: Practice) -> None:
    files = {file.path for file in practice.files}
    people = by_number(practice)
    missing: list[Any] = []
    mixed: list[Any] = []
    for row in rows(practice, "document"):
        folder = people[row["PatNum"]]["ImageFolder"]
        path = f"{folder[0].upper()}/{folder}/{row['FileName']}"
        if row["ExternalSource"] != "None":
            continue
        if path not in files:
            (mixed if path.casefold() in {file.casefold() for file in files} else missing).append(row)
    assert len(mixed) == 1
    assert [row["Description"] for row in missing] == ["Statement"]
    assert len({file.casefold() for file in files}) == len(files)


def test_attachments_stand_as_windows_writes_them(practice: Practice) -> None:
    names = {row["ActualFileName"] for row in rows(practice, "emailattach")}
    assert any(name.startswith("Out\\") for name in names)
    files = {file.path for file in practice.files}
    assert all("EmailAttachments/" + name.replace("\\", "/") in files for name in names)


def test_all_files_are_what_their_names_say(practice: Practice) -> None:
    heads = {".pdf": b"%PDF-", ".png": b"\x89PNG\r\n\x1a\n"}
    some = [*practice.files[:4], *[file for file in practice.files if file.path.casefold().endswith(".png")][:4]]
    for file in some:
        assert file.make().startswith(heads[file.path[-4:].casefold()])


def test_visits_lie_on_the_right_side_of_today(practice: Practice) -> None:
    seen = Counter(row["AptStatus"] for row in rows(practice, "appointment"))
    assert {1, 2, 3, 5, 6, 7} == set(seen)
    for row in rows(practice, "appointment"):
        day = row["AptDateTime"].date()
        if row["AptStatus"] == 1:
            assert day >= TODAY - dt.timedelta(days=2)
        if row["AptStatus"] == 2:
            assert day < TODAY
        assert day.year == 1 or day.weekday() < 5
    assert any(row["DateDue"] <= TODAY and row["DateScheduled"].year == 1 for row in rows(practice, "recall"))


def test_mail_and_clinical_rows_cover_every_kind(practice: Practice) -> None:
    assert {1, 4, 5, 6, 7, 14} == {row["SentOrReceived"] for row in rows(practice, "emailmessage")}
    assert {1, 2, 3} == {row["TransactionStatus"] for row in rows(practice, "xwebresponse")}
    first = {table: any(row["PatNum"] == 1 for row in rows(practice, table)) for table in (
        "allergy", "disease", "medicationpat", "vaccinepat", "vitalsign", "encounter", "ehrlab", "treatplan"
    )}  # fmt: skip
    assert all(first.values()), first
    assert any(row["MedicationNum"] for row in rows(practice, "allergydef"))
    assert any(row["UniiCode"] for row in rows(practice, "allergydef"))


def test_the_first_sample_has_something_new_on_every_page(practice: Practice) -> None:
    (unread,) = [row for row in rows(practice, "emailmessage") if row["PatNum"] == 1 and row["SentOrReceived"] == 6]
    assert any(row["EmailMessageNum"] == unread["EmailMessageNum"] for row in rows(practice, "emailattach"))
    assert any(row["PatNum"] == 1 and row.get("ProcessStatus") == 2 for row in rows(practice, "payment"))
    looked = {(row["PatNum"], row["FKey"]) for row in rows(practice, "securitylog")}
    assert looked >= {(1, 0), (1, 1), (1, 5)}, "she looked at her own record and at her grown-up son's"
    (waiting,) = [row["Description"] for row in rows(practice, "alertitem") if row["Type"] == 1]
    assert int(waiting) == sum(row.get("ProcessStatus") == 2 for row in rows(practice, "payment"))


def test_the_same_day_and_seed_give_the_same_practice() -> None:
    one, other = compose(TODAY, 5), compose(TODAY, 5)
    assert [(t, s.rows) for t, s in one.book.tables()] == [(t, s.rows) for t, s in other.book.tables()]
    assert [file.path for file in one.files] == [file.path for file in other.files]
    assert [file.make() for file in one.files[:3]] == [file.make() for file in other.files[:3]]


@pytest.mark.parametrize("day", [dt.date(2027, 1, 1), dt.date(2028, 2, 29), dt.date(2026, 12, 26)])
def test_any_day_will_do(day: dt.date) -> None:
    assert compose(day).sign_ins[0].works


def test_provider_numbers_pass_their_check_digit() -> None:
    assert npi("123456789") == "1234567893"


def test_a_credit_pays_the_oldest_charge_first() -> None:
    ledger = Ledger()
    for ago, cents in ((100, 50_00), (70, 40_00), (31, 30_00), (30, 20_00), (0, 10_00)):
        ledger.note(TODAY - dt.timedelta(days=ago), 1, "charge", cents)
    ledger.note(TODAY, 1, "payment", -60_00)
    aging = ledger.aging(TODAY)
    assert (aging.over_90_cents, aging.to_90_cents, aging.to_60_cents, aging.to_30_cents) == (0, 30_00, 30_00, 30_00)


def test_insurance_is_expected_until_it_has_paid() -> None:
    ledger = Ledger()
    ledger.note(TODAY, 1, "charge", 100_00)
    ledger.expect(1, TODAY, TODAY + dt.timedelta(days=14), 80_00)
    assert ledger.due(TODAY) == 20_00
    assert ledger.due(TODAY + dt.timedelta(days=14)) == 100_00
    assert ledger.due(TODAY, person=2) == 0
