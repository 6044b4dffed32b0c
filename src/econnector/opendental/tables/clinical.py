"""What was found and done in the chart."""

from econnector.opendental.tables.columns import (
    MIN,
    big,
    date,
    datetime,
    key,
    single,
    stamp,
    table,
    text,
    tiny,
    usmall,
    utiny,
    varchar,
)

allergy = table(
    "allergy",
    key("AllergyNum"),
    big("AllergyDefNum"),  # allergydef.AllergyDefNum
    big("PatNum"),  # patient.PatNum
    varchar("Reaction", 255),
    tiny("StatusIsActive"),
    stamp("DateTStamp"),
    date("DateAdverseReaction", MIN),
    varchar("SnomedReaction", 255),
    keys="AllergyDefNum; PatNum",
)

allergydef = table(
    "allergydef",
    key("AllergyDefNum"),
    varchar("Description", 255),
    tiny("IsHidden"),
    stamp("DateTStamp"),
    tiny("SnomedType", null=True),  # enum SnomedAllergy
    big("MedicationNum"),  # medication.MedicationNum
    varchar("UniiCode", 255),
    keys="MedicationNum",
)

medication = table(
    "medication",
    key("MedicationNum"),
    varchar("MedName", 255, ""),
    big("GenericNum"),  # medication.MedicationNum
    text("Notes", null=True),
    stamp("DateTStamp"),
    big("RxCui"),
    keys="RxCui",
)

medicationpat = table(
    "medicationpat",
    key("MedicationPatNum"),
    big("PatNum"),  # patient.PatNum
    big("MedicationNum"),  # medication.MedicationNum
    text("PatNote", null=True),
    stamp("DateTStamp"),
    date("DateStart", MIN),
    date("DateStop", MIN),
    big("ProvNum"),  # provider.ProvNum
    varchar("MedDescript", 255),
    big("RxCui"),
    varchar("ErxGuid", 255),
    tiny("IsCpoe"),
    keys="ProvNum; PatNum; RxCui",
)

disease = table(
    "disease",
    key("DiseaseNum"),
    big("PatNum"),  # patient.PatNum
    big("DiseaseDefNum"),  # diseasedef.DiseaseDefNum
    text("PatNote", null=True),
    stamp("DateTStamp"),
    tiny("ProbStatus"),  # enum ProblemStatus
    date("DateStart", MIN),
    date("DateStop", MIN),
    varchar("SnomedProblemType", 255),  # snomed.SnomedCode
    tiny("FunctionStatus"),  # enum FunctionalStatus
    keys="PatNum; DiseaseDefNum",
)

diseasedef = table(
    "diseasedef",
    key("DiseaseDefNum"),
    varchar("DiseaseName", 255, ""),
    usmall("ItemOrder"),
    utiny("IsHidden"),
    stamp("DateTStamp"),
    varchar("ICD9Code", 255),  # icd9.Icd9Code
    varchar("SnomedCode", 255),  # snomed.SnomedCode
    varchar("Icd10Code", 255),  # icd10.Icd10Code
    keys="ICD9Code; SnomedCode; Icd10Code",
)

vaccinepat = table(
    "vaccinepat",
    key("VaccinePatNum"),
    big("VaccineDefNum"),  # vaccinedef.VaccineDefNum
    datetime("DateTimeStart", null=True),
    datetime("DateTimeEnd", null=True),
    single("AdministeredAmt"),
    big("DrugUnitNum"),  # drugunit.DrugUnitNum
    varchar("LotNumber", 255),
    big("PatNum"),  # patient.PatNum
    text("Note"),
    varchar("FilledCity", 255),
    varchar("FilledST", 255),
    tiny("CompletionStatus"),  # enum VaccineCompletionStatus
    tiny("AdministrationNoteCode"),  # enum VaccineAdministrationNote
    big("UserNum"),  # userod.UserNum
    big("ProvNumOrdering"),  # provider.ProvNum
    big("ProvNumAdminister"),  # provider.ProvNum
    date("DateExpire", MIN),
    tiny("RefusalReason"),  # enum VaccineRefusalReason
    tiny("ActionCode"),  # enum VaccineAction
    tiny("AdministrationRoute"),  # enum VaccineAdministrationRoute
    tiny("AdministrationSite"),  # enum VaccineAdministrationSite
    keys="VaccineDefNum; DrugUnitNum; PatNum; UserNum; ProvNumOrdering; ProvNumAdminister",
)

vaccinedef = table(
    "vaccinedef",
    key("VaccineDefNum"),
    varchar("CVXCode", 255),
    varchar("VaccineName", 255),
    big("DrugManufacturerNum"),  # drugmanufacturer.DrugManufacturerNum
    keys="DrugManufacturerNum",
)

drugmanufacturer = table(
    "drugmanufacturer",
    key("DrugManufacturerNum"),
    varchar("ManufacturerName", 255),
    varchar("ManufacturerCode", 20),
)

drugunit = table(
    "drugunit",
    key("DrugUnitNum"),
    varchar("UnitIdentifier", 20),
    varchar("UnitText", 255),
)
