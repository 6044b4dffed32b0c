"""Patients: who they are, and who belongs to whom."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    big,
    char,
    date,
    datetime,
    grown,
    integer,
    key,
    later,
    real,
    stamp,
    table,
    text,
    time,
    tiny,
    utiny,
    varchar,
)

patient = table(
    "patient",
    key("PatNum"),
    varchar("LName", 100, ""),
    varchar("FName", 100, ""),
    varchar("MiddleI", 100, ""),
    varchar("Preferred", 100, ""),
    utiny("PatStatus", 0),  # enum PatientStatus
    utiny("Gender", 0),  # enum PatientGender
    utiny("Position", 0),  # enum PatientPosition
    date("Birthdate", MIN),
    varchar("SSN", 100, ""),
    varchar("Address", 100, ""),
    varchar("Address2", 100, ""),
    varchar("City", 100, ""),
    varchar("State", 100, ""),
    varchar("Zip", 100, ""),
    varchar("HmPhone", 30, ""),
    varchar("WkPhone", 30, ""),
    varchar("WirelessPhone", 30, ""),
    big("Guarantor"),  # patient.PatNum
    char("CreditType", 1, ""),
    varchar("Email", 100, ""),
    varchar("Salutation", 100, ""),
    real("EstBalance", 0),
    big("PriProv"),  # provider.ProvNum
    big("SecProv"),  # provider.ProvNum
    big("FeeSched"),  # feesched.FeeSchedNum
    big("BillingType"),  # definition.DefNum
    varchar("ImageFolder", 100, ""),
    text("AddrNote", null=True),
    text("FamFinUrgNote", null=True),
    varchar("MedUrgNote", 255, ""),
    varchar("ApptModNote", 255, ""),
    char("StudentStatus", 1, ""),
    varchar("SchoolName", 255),
    grown("24.3.1", varchar("ChartNumber", 100, "", null=False), varchar("ChartNumber", 20, "")),
    varchar("MedicaidID", 20, ""),
    real("Bal_0_30", 0),
    real("Bal_31_60", 0),
    real("Bal_61_90", 0),
    real("BalOver90", 0),
    real("InsEst", 0),
    real("BalTotal", 0),
    big("EmployerNum"),  # employer.EmployerNum
    varchar("EmploymentNote", 255, ""),
    varchar("County", 255, ""),  # county.CountyName
    tiny("GradeLevel", 0),  # enum PatientGrade
    tiny("Urgency", 0),  # enum TreatmentUrgency
    date("DateFirstVisit", MIN),
    big("ClinicNum"),  # clinic.ClinicNum
    varchar("HasIns", 255, ""),
    varchar("TrophyFolder", 255, ""),
    utiny("PlannedIsDone", 0),
    utiny("Premed"),
    varchar("Ward", 255, ""),
    utiny("PreferConfirmMethod"),  # enum ContactMethod
    utiny("PreferContactMethod"),  # enum ContactMethod
    utiny("PreferRecallMethod"),  # enum ContactMethod
    time("SchedBeforeTime", null=True),
    time("SchedAfterTime", null=True),
    utiny("SchedDayOfWeek"),
    varchar("Language", 100, ""),
    date("AdmitDate", MIN),
    varchar("Title", 15, null=True),
    real("PayPlanDue"),
    big("SiteNum"),  # site.SiteNum
    stamp("DateTStamp"),
    big("ResponsParty"),  # patient.PatNum
    tiny("CanadianEligibilityCode"),
    integer("AskToArriveEarly"),
    tiny("PreferContactConfidential"),  # enum ContactMethod
    big("SuperFamily"),  # patient.PatNum
    tiny("TxtMsgOk"),  # enum YN
    varchar("SmokingSnoMed", 32),
    varchar("Country", 255),
    datetime("DateTimeDeceased", MIN_TIME),
    integer("BillingCycleDay", 1),
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    tiny("HasSuperBilling"),
    big("PatNumCloneFrom"),
    big("DiscountPlanNum"),
    tiny("HasSignedTil"),
    tiny("ShortCodeOptIn"),
    later("21.4.1", varchar("SecurityHash", 255)),
    keys=(
        "LName; FName; LName,FName; Guarantor; ResponsParty; SuperFamily; SiteNum; PatStatus; ClinicNum; Email; "
        "ChartNumber; SecUserNumEntry; HmPhone; WirelessPhone; WkPhone; PatNumCloneFrom; DiscountPlanNum; "
        "FeeSched; SecDateEntry; PriProv; SecProv; ClinicNum,PatStatus; Birthdate,PatStatus"
    ),
)

patientnote = table(
    "patientnote",
    big("PatNum", primary=True),  # patient.PatNum
    text("FamFinancial", null=True),
    text("ApptPhone", null=True),
    text("Medical", null=True),
    text("Service", null=True),
    text("MedicalComp", null=True),
    text("Treatment", null=True),
    varchar("ICEName", 255),
    varchar("ICEPhone", 30),
    integer("OrthoMonthsTreatOverride", -1),
    date("DateOrthoPlacementOverride", MIN),
    datetime("SecDateTEntry", MIN_TIME),
    stamp("SecDateTEdit"),
    tiny("Consent"),  # enum PatConsentFlags
    later("21.3.1", big("UserNumOrthoLocked")),  # userod.UserNum
    later("22.2.1", tiny("Pronoun")),
    keys="SecDateTEntry; SecDateTEdit",
)

patientlink = table(
    "patientlink",
    key("PatientLinkNum"),
    big("PatNumFrom"),  # patient.PatNum
    big("PatNumTo"),  # patient.PatNum
    tiny("LinkType"),  # enum PatientLinkType
    datetime("DateTimeLink", MIN_TIME),
    keys="PatNumFrom; PatNumTo",
)

patientrace = table(
    "patientrace",
    key("PatientRaceNum"),
    big("PatNum"),  # patient.PatNum
    tiny("Race"),  # enum PatRace
    varchar("CdcrecCode", 255),  # cdcrec.CdcrecCode
    keys="PatNum; CdcrecCode",
)

ehrpatient = table(
    "ehrpatient",
    big("PatNum", primary=True),  # patient.PatNum
    varchar("MotherMaidenFname", 255),
    varchar("MotherMaidenLname", 255),
    tiny("VacShareOk"),  # enum YN
    varchar("MedicaidState", 50),
    varchar("SexualOrientation", 255),
    varchar("GenderIdentity", 255),
    varchar("SexualOrientationNote", 255),
    varchar("GenderIdentityNote", 255),
    later("22.4.1", datetime("DischargeDate", MIN_TIME)),
)

guardian = table(
    "guardian",
    key("GuardianNum"),
    big("PatNumChild"),  # patient.PatNum
    big("PatNumGuardian"),  # patient.PatNum
    tiny("Relationship"),  # enum GuardianRelationship
    tiny("IsGuardian"),
    keys="PatNumChild; PatNumGuardian",
)

commoptout = table(
    "commoptout",
    key("CommOptOutNum"),
    big("PatNum"),  # patient.PatNum
    integer("OptOutSms"),  # enum CommOptOutType
    integer("OptOutEmail"),  # enum CommOptOutType
    keys="PatNum",
)

phonenumber = table(
    "phonenumber",
    key("PhoneNumberNum"),
    big("PatNum"),  # patient.PatNum
    varchar("PhoneNumberVal", 255, null=True),
    varchar("PhoneNumberDigits", 30),
    tiny("PhoneType"),  # enum PhoneType
    keys="PatNum; PhoneNumberVal; PatNum,PhoneNumberDigits; PhoneNumberDigits",
)

pharmacy = table(
    "pharmacy",
    key("PharmacyNum"),
    varchar("PharmID", 255, null=True),
    varchar("StoreName", 255, null=True),
    varchar("Phone", 255, null=True),
    varchar("Fax", 255, null=True),
    varchar("Address", 255, null=True),
    varchar("Address2", 255, null=True),
    varchar("City", 255, null=True),
    varchar("State", 255, null=True),
    varchar("Zip", 255, null=True),
    text("Note", null=True),
    stamp("DateTStamp"),
)
